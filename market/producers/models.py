"""Tables of co-ops, producers, members, payee accounts and certificates."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, Id, Instant, Minor, Percent


class Coop(Base):
    """A co-op: the tenant. Its percentages are the buyer's side of a price, never the producer's (R-16)."""

    __tablename__ = "coop"

    id: Mapped[Id]
    slug: Mapped[str]
    name: Mapped[str]
    country: Mapped[str] = mapped_column(CHAR(2))
    region: Mapped[str] = mapped_column(server_default=text("''"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    time_zone: Mapped[str] = mapped_column(server_default=text("'UTC'"))
    language: Mapped[str] = mapped_column(server_default=text("'en'"))
    story: Mapped[str] = mapped_column(server_default=text("''"))
    service_pct: Mapped[Percent] = mapped_column(server_default=text("0"))
    payment_pct: Mapped[Percent] = mapped_column(server_default=text("0"))
    tax_pct: Mapped[Percent] = mapped_column(server_default=text("0"))
    transport_minor_per_line: Mapped[Minor] = mapped_column(server_default=text("0"))
    delivery_from_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("5"))
    delivery_to_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("14"))
    account_holder: Mapped[str] = mapped_column(server_default=text("''"))
    iban: Mapped[str | None]
    bic: Mapped[str | None]
    street: Mapped[str] = mapped_column(server_default=text("''"))
    building: Mapped[str] = mapped_column(server_default=text("''"))
    town: Mapped[str] = mapped_column(server_default=text("''"))
    postcode: Mapped[str] = mapped_column(server_default=text("''"))
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    transfer_hold_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("5"))
    part_paid_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("14"))
    book_alone_minor: Mapped[Minor] = mapped_column(server_default=text("0"))
    charge_when_packed: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[Instant]

    __table_args__ = (
        UniqueConstraint("slug"),
        CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint(
            "service_pct BETWEEN 0 AND 100 AND payment_pct BETWEEN 0 AND 100 AND tax_pct BETWEEN 0 AND 100", name="percentages"
        ),
        CheckConstraint("transport_minor_per_line >= 0", name="transport"),
        CheckConstraint(
            "transfer_hold_days BETWEEN 1 AND 31 AND part_paid_days BETWEEN 1 AND 90 AND book_alone_minor >= 0", name="terms"
        ),
        CheckConstraint("0 <= delivery_from_days AND delivery_from_days <= delivery_to_days", name="delivery"),
    )


class Follow(CoopOwned, Base):
    """Somebody who wants to hear of a co-op's news."""

    __tablename__ = "follow"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    since: Mapped[Instant]
    told_at: Mapped[datetime | None]

    __table_args__ = (PrimaryKeyConstraint("account_id", "coop_id"),)


class Producer(CoopOwned, Base):
    """A person or household of a co-op that makes goods. `name` is what they agreed to have shown."""

    __tablename__ = "producer"

    id: Mapped[Id]
    slug: Mapped[str]
    name: Mapped[str]
    region: Mapped[str] = mapped_column(server_default=text("''"))
    story: Mapped[str] = mapped_column(server_default=text("''"))
    language: Mapped[str] = mapped_column(server_default=text("'en'"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    sms_phone: Mapped[str | None]
    created_at: Mapped[Instant]

    __table_args__ = (
        UniqueConstraint("slug"),
        UniqueConstraint("account_id", "coop_id"),
        CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug"),
    )


class Member(CoopOwned, Base):
    """A producer's membership in the co-op, from a day to a day."""

    __tablename__ = "member"

    id: Mapped[Id]
    producer_id: Mapped[UUID] = mapped_column(ForeignKey("producer.id"))
    number: Mapped[int]
    joined_on: Mapped[date]
    left_on: Mapped[date | None]

    __table_args__ = (
        UniqueConstraint("coop_id", "number"),
        Index("member_current", "producer_id", unique=True, postgresql_where=text("left_on IS NULL")),
        CheckConstraint("left_on >= joined_on", name="days"),
    )


class OwnText(CoopOwned, Base):
    """A text of a co-op, producer, listing or lot in one more language, given by the people whose text it is.

    The original stands with its subject; its row here only says in which language that is.
    """

    __tablename__ = "own_text"

    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    language: Mapped[str]
    original: Mapped[bool]
    title: Mapped[str] = mapped_column(server_default=text("''"))
    body: Mapped[str] = mapped_column(server_default=text("''"))
    written_by: Mapped[str]
    written_at: Mapped[Instant]

    __table_args__ = (
        PrimaryKeyConstraint("subject_kind", "subject_id", "language"),
        CheckConstraint("subject_kind IN ('coop', 'producer', 'listing', 'lot')", name="subject_kind"),
        CheckConstraint("NOT original OR (title = '' AND body = '')", name="original"),
        Index("own_text_original", "subject_kind", "subject_id", unique=True, postgresql_where=text("original")),
    )


class PayeeAccount(CoopOwned, Base):
    """Where a producer is paid in one currency: bank, Stripe account, mobile-money wallet, cash or cheque.

    `known_name` is how the wallet's provider knows the number. `name_doubt`: the holder is not the `member` by name, or the
    `provider` knows the number under another name; it is a matter for staff until one of them has agreed, with a reason.
    """

    __tablename__ = "payee_account"

    id: Mapped[Id]
    producer_id: Mapped[UUID] = mapped_column(ForeignKey("producer.id"), index=True)
    rail: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    holder: Mapped[str]
    iban: Mapped[str | None]
    bic: Mapped[str | None]
    stripe_account: Mapped[str | None]
    msisdn: Mapped[str | None]
    known_name: Mapped[str | None]
    name_doubt: Mapped[str | None]
    name_agreed_by: Mapped[str | None]
    name_reason: Mapped[str | None]
    street: Mapped[str] = mapped_column(server_default=text("''"))
    building: Mapped[str] = mapped_column(server_default=text("''"))
    town: Mapped[str] = mapped_column(server_default=text("''"))
    postcode: Mapped[str] = mapped_column(server_default=text("''"))
    country: Mapped[str] = mapped_column(CHAR(2))
    entered_by: Mapped[str]
    entered_at: Mapped[Instant]
    confirmed_by: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
    replaced_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("rail IN ('sepa', 'stripe', 'momo', 'cash', 'cheque')", name="rail"),
        CheckConstraint("(rail = 'sepa') = (iban IS NOT NULL)", name="iban"),
        CheckConstraint("(rail = 'stripe') = (stripe_account IS NOT NULL)", name="stripe"),
        CheckConstraint("(rail = 'momo') = (msisdn IS NOT NULL)", name="msisdn"),
        CheckConstraint("name_doubt IN ('member', 'provider')", name="name_doubt"),
        CheckConstraint("(name_agreed_by IS NULL) = (name_reason IS NULL) AND name_agreed_by <> entered_by", name="name_agreed"),
        CheckConstraint("confirmed_by <> entered_by", name="four_eyes"),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="confirmed"),
        Index(
            "payee_account_live",
            "producer_id",
            "currency",
            unique=True,
            postgresql_where=text("confirmed_at IS NOT NULL AND replaced_at IS NULL"),
        ),
    )


class TaxIdentity(CoopOwned, Base):
    """Who a seller is for the tax office; empty is what nobody has said yet."""

    __tablename__ = "tax_identity"

    producer_id: Mapped[UUID] = mapped_column(ForeignKey("producer.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(server_default=text("'person'"))
    legal_name: Mapped[str] = mapped_column(server_default=text("''"))
    street: Mapped[str] = mapped_column(server_default=text("''"))
    building: Mapped[str] = mapped_column(server_default=text("''"))
    town: Mapped[str] = mapped_column(server_default=text("''"))
    postcode: Mapped[str] = mapped_column(server_default=text("''"))
    country: Mapped[str] = mapped_column(server_default=text("''"))
    tax_number: Mapped[str] = mapped_column(server_default=text("''"))
    tax_country: Mapped[str] = mapped_column(server_default=text("''"))
    vat_number: Mapped[str] = mapped_column(server_default=text("''"))
    birth_place: Mapped[str] = mapped_column(server_default=text("''"))
    registration_number: Mapped[str] = mapped_column(server_default=text("''"))
    born_on: Mapped[date | None]
    entered_by: Mapped[str]
    entered_at: Mapped[Instant]

    __table_args__ = (
        CheckConstraint("kind IN ('person', 'organisation')", name="kind"),
        CheckConstraint("country ~ '^([A-Z]{2})?$' AND tax_country ~ '^([A-Z]{2})?$'", name="country"),
    )


class Certificate(CoopOwned, Base):
    """A certificate held by the co-op or one of its producers (fair-prices.md 7). A wrong entry is withdrawn, never deleted."""

    __tablename__ = "certificate"

    id: Mapped[Id]
    producer_id: Mapped[UUID | None] = mapped_column(ForeignKey("producer.id"))
    scheme: Mapped[str]
    kind: Mapped[str]
    number: Mapped[str]
    issuer: Mapped[str]
    product_scope: Mapped[list[str]] = mapped_column(ARRAY(Text))
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    status: Mapped[str] = mapped_column(server_default=text("'entered'"))
    checked_by: Mapped[str | None]
    checked_at: Mapped[datetime | None]
    entered_at: Mapped[Instant]

    __table_args__ = (
        CheckConstraint("kind IN ('trade', 'organic', 'other')", name="kind"),
        CheckConstraint("status IN ('entered', 'active', 'suspended', 'withdrawn')", name="status"),
        CheckConstraint("valid_to >= valid_from", name="days"),
        UniqueConstraint("coop_id", "scheme", "number"),
    )
