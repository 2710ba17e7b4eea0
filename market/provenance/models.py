"""Tables of provenance. Events are never updated or deleted (a trigger refuses it)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CHAR, BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, Numeric, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, Id, Instant, Quantity


class Party(CoopOwned, Base):
    """An organisation or person that events name, under the name they agreed to have shown."""

    __tablename__ = "party"

    id: Mapped[Id]
    producer_id: Mapped[UUID | None] = mapped_column(ForeignKey("producer.id"))
    uri: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]

    __table_args__ = (Index("party_of_producer", "coop_id", "producer_id", unique=True, postgresql_nulls_not_distinct=True),)


class Place(CoopOwned, Base):
    """A plot, workshop, station or port of a co-op. Public is the region and a point on a grid of 0.1 degrees (7.2)."""

    __tablename__ = "place"

    id: Mapped[Id]
    producer_id: Mapped[UUID | None] = mapped_column(ForeignKey("producer.id"))
    uri: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    region: Mapped[str] = mapped_column(server_default=text("''"))
    country: Mapped[str] = mapped_column(CHAR(2))
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))

    __table_args__ = (
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="point"),
        CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="range"),
    )


class Lot(CoopOwned, Base):
    """A physical batch. `label` is the number people wrote on it; `slug` is its address for good.

    `withdrawn_at` and `withdrawn_reason` say what the oldest withdrawal in force says of it.
    """

    __tablename__ = "lot"

    id: Mapped[Id]
    producer_id: Mapped[UUID | None] = mapped_column(ForeignKey("producer.id"), index=True)
    slug: Mapped[str] = mapped_column(CHAR(11), unique=True)
    uri: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str] = mapped_column(server_default=text("''"))
    name: Mapped[str] = mapped_column(server_default=text("''"))
    variety: Mapped[str] = mapped_column(server_default=text("''"))
    process: Mapped[str] = mapped_column(server_default=text("''"))
    place_id: Mapped[UUID | None] = mapped_column(ForeignKey("place.id"))
    uom: Mapped[str]
    produced: Mapped[Quantity]
    drawn: Mapped[Quantity] = mapped_column(server_default=text("0"))
    made_from_on: Mapped[date | None]
    made_on: Mapped[date | None]
    sealed_at: Mapped[datetime | None]
    recorded_at: Mapped[Instant]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("0 <= drawn AND drawn <= produced", name="balance"),
        CheckConstraint("uom IN ('KGM', 'GRM', 'LTR', 'MTR', 'H87')", name="uom"),
        CheckConstraint("slug ~ '^[0-9a-hjkmnp-tv-z]{11}$'", name="slug"),
        CheckConstraint("made_from_on <= made_on", name="days"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name="withdrawn"),
        Index("lot_newest", "coop_id", "recorded_at", "id"),
    )


class LotWithdrawal(CoopOwned, Base):
    """That a lot may be neither sold nor sent, for a reason that everybody reads; it holds until it is taken back.

    `advice` is what those do with it who have it already.
    """

    __tablename__ = "lot_withdrawal"

    id: Mapped[Id]
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    reason: Mapped[str]
    advice: Mapped[str]
    withdrawn_by: Mapped[str]
    withdrawn_at: Mapped[Instant]
    ended_reason: Mapped[str | None]
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("advice IN ('keep', 'discard', 'return')", name="advice"),
        CheckConstraint("num_nulls(ended_reason, ended_by, ended_at) IN (0, 3)", name="ended"),
        Index("lot_withdrawal_open", "lot_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("lot_withdrawal_in_force", "coop_id", postgresql_where=text("ended_at IS NULL")),
    )


class WithdrawnLot(CoopOwned, Base):
    """A lot that a withdrawal speaks of: the one it names and each that was made from it, withdrawn too or `kept` on purpose."""

    __tablename__ = "withdrawn_lot"

    withdrawal_id: Mapped[UUID] = mapped_column(ForeignKey("lot_withdrawal.id"), primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"), primary_key=True, index=True)
    kept: Mapped[bool]


class CaptureJob(CoopOwned, Base):
    """A document handed in: kept until it is read, then its outcome (provenance.md 4)."""

    __tablename__ = "capture_job"

    id: Mapped[Id]
    actor: Mapped[str]
    behaviour: Mapped[str]
    document: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    running: Mapped[bool] = mapped_column(server_default=text("true"))
    success: Mapped[bool] = mapped_column(server_default=text("true"))
    errors: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    events: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[Instant]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("behaviour IN ('rollback', 'proceed')", name="behaviour"),
        CheckConstraint("running = (finished_at IS NULL)", name="finished"),
    )


class EpcisEvent(CoopOwned, Base):
    """One event as it was stated; `coop_id` is the capturing organisation. `record_seq` is the order of recording."""

    __tablename__ = "epcis_event"

    record_seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    capture_id: Mapped[UUID | None] = mapped_column(ForeignKey("capture_job.id"), index=True)
    visibility: Mapped[str] = mapped_column(server_default=text("'public'"))
    event_id: Mapped[str]
    event_time: Mapped[Instant]
    record_time: Mapped[Instant]
    error_declared_at: Mapped[datetime | None]
    event_type: Mapped[str]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    context: Mapped[Any] = mapped_column(JSONB)
    ids: Mapped[list[str]] = mapped_column(ARRAY(Text))
    digest: Mapped[str] = mapped_column(CHAR(64))
    given_id: Mapped[bool]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    event_hash: Mapped[str | None]

    __table_args__ = (
        Index("event_once", "event_id", unique=True, postgresql_where=text("error_declared_at IS NULL")),
        Index(
            "declaration_once",
            "event_id",
            "error_declared_at",
            unique=True,
            postgresql_where=text("error_declared_at IS NOT NULL"),
        ),
        Index(
            "nameless_event_once",
            "coop_id",
            "digest",
            "error_declared_at",
            unique=True,
            postgresql_where=text("NOT given_id"),
            postgresql_nulls_not_distinct=True,
        ),
        Index("event_ids", "ids", postgresql_using="gin"),
        CheckConstraint("visibility IN ('public', 'private')", name="visibility"),
    )


class LineageEdge(CoopOwned, Base):
    """One input of one output in one event; voided by the declaration that the event was wrong."""

    __tablename__ = "lineage_edge"

    event_seq: Mapped[int] = mapped_column(ForeignKey("epcis_event.record_seq"), primary_key=True)
    input_lot: Mapped[UUID] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    output_lot: Mapped[UUID] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    input_quantity: Mapped[Quantity]
    output_quantity: Mapped[Quantity]
    voided_by: Mapped[int | None] = mapped_column(ForeignKey("epcis_event.record_seq"))

    __table_args__ = (
        CheckConstraint("input_lot <> output_lot", name="apart"),
        CheckConstraint("input_quantity > 0 AND output_quantity > 0", name="quantities"),
        Index("lineage_edge_up", "output_lot", postgresql_where=text("voided_by IS NULL")),
        Index("lineage_edge_down", "input_lot", postgresql_where=text("voided_by IS NULL")),
    )


class LotPage(Base):
    """What the public page of a lot shows, as one document, rebuilt when something changes; public data only."""

    __tablename__ = "lot_page"

    slug: Mapped[str] = mapped_column(CHAR(11), primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"), unique=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    etag: Mapped[str]
    built_at: Mapped[Instant]
