"""Reads of provenance: lots, their lineage and events, capture jobs, and the stored page of a lot."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, cast, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from market.kernel.actor import Actor
from market.kernel.jsonbytes import Prepared
from market.kernel.words import say
from market.provenance.errors import CaptureMissing, LineageTooLarge, LotMissing
from market.provenance.models import CaptureJob, EpcisEvent, Lot, Place
from market.provenance.rules.identifiers import canonical_slug
from market.provenance.rules.lineage import Edge

MAX_EDGES = 10_000
MAX_EVENTS = 500


@dataclass(frozen=True, slots=True)
class LotView:
    """A lot as its producer and its page see it; quantities in `uom`."""

    id: UUID
    coop_id: UUID
    producer_id: UUID | None
    slug: str
    uri: str
    label: str
    name: str
    variety: str
    process: str
    place_id: UUID | None
    uom: str
    produced: Decimal
    drawn: Decimal
    made_from_on: date | None
    made_on: date | None
    sealed_at: datetime | None
    recorded_at: datetime
    withdrawn_at: datetime | None
    withdrawn_reason: str | None

    @property
    def left(self) -> Decimal:
        """Return what other lots have not been made from."""
        return self.produced - self.drawn


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place under its public name, with a point on a coarse grid or none."""

    id: UUID
    coop_id: UUID
    producer_id: UUID | None
    uri: str
    name: str
    region: str
    country: str
    latitude: Decimal | None
    longitude: Decimal | None


@dataclass(frozen=True, slots=True)
class EventView:
    """An event as it was stated, with the order of recording."""

    record_seq: int
    coop_id: UUID
    event_type: str
    event_id: str
    event_time: datetime
    record_time: datetime
    error_declared_at: datetime | None
    visibility: str
    body: dict[str, Any]
    context: Any


@dataclass(frozen=True, slots=True)
class JobView:
    """What became of a captured document."""

    id: UUID
    behaviour: str
    running: bool
    success: bool
    errors: list[dict[str, Any]]
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """The edges that lead to (or from) a lot, and every lot on them; ids as text."""

    edges: list[Edge]
    lots: dict[str, LotView]


def _view(kind: type[Any], row: Any) -> Any:
    return kind(**{name: getattr(row, name) for name in kind.__slots__})


def lot(session: Session, lot_id: UUID) -> LotView:
    """Return a lot. Raises LotMissing."""
    row = session.get(Lot, lot_id)
    if row is None:
        raise LotMissing("There is no such lot.")
    view: LotView = _view(LotView, row)
    return view


def own_lot(session: Session, lot_id: UUID, *, actor: Actor) -> LotView:
    """Return a lot of the actor's co-op, for a producer only their own. Raises LotMissing."""
    found = lot(session, lot_id)
    if found.coop_id != actor.coop_id or not (actor.is_staff or found.producer_id == actor.producer_id):
        raise LotMissing("There is no such lot.")
    return found


def slugs(session: Session, lot_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the public addresses of lots."""
    return {lot_id: slug for lot_id, slug in session.execute(select(Lot.id, Lot.slug).where(Lot.id.in_(set(lot_ids))))}


def lots_by_id(session: Session, lot_ids: Iterable[UUID]) -> dict[UUID, LotView]:
    """Return lots by id; unknown ids are absent."""
    return {row.id: _view(LotView, row) for row in session.scalars(select(Lot).where(Lot.id.in_(set(lot_ids))))}


def lot_by_slug(session: Session, slug: str) -> LotView:
    """Return the lot at an address in any case. Raises LotMissing, also for a mistyped slug."""
    row = session.scalar(select(Lot).where(Lot.slug == (canonical_slug(slug) or "")))
    if row is None:
        raise LotMissing("No lot has this address. Check every character: a slug carries its own check.")
    view: LotView = _view(LotView, row)
    return view


def lots_of(
    session: Session,
    *,
    coop_id: UUID,
    producer_id: UUID | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> list[LotView]:
    """Return a co-op's or a producer's lots, newest first, from behind the lot that `before` names."""
    wanted = select(Lot).where(Lot.coop_id == coop_id).order_by(Lot.recorded_at.desc(), Lot.id.desc()).limit(limit)
    if producer_id is not None:
        wanted = wanted.where(Lot.producer_id == producer_id)
    if before is not None:
        wanted = wanted.where(tuple_(Lot.recorded_at, Lot.id) < before)
    return [_view(LotView, row) for row in session.scalars(wanted)]


def places_of(session: Session, *, coop_id: UUID, producer_id: UUID | None = None) -> list[PlaceView]:
    """Return the places that a producer may name: their own and the co-op's; for staff all of the co-op."""
    wanted = select(Place).where(Place.coop_id == coop_id).order_by(Place.name, Place.id)
    if producer_id is not None:
        wanted = wanted.where(or_(Place.producer_id == producer_id, Place.producer_id.is_(None)))
    return [_view(PlaceView, row) for row in session.scalars(wanted)]


def places_by_uri(session: Session, uris: Sequence[str]) -> dict[str, PlaceView]:
    """Return the registered places among `uris`."""
    return {row.uri: _view(PlaceView, row) for row in session.scalars(select(Place).where(Place.uri.in_(uris)))}


_LINE = """
WITH RECURSIVE line(lot_id) AS (
  SELECT CAST(:lot AS uuid) UNION
  SELECT e.{next} FROM line JOIN lineage_edge e ON e.{here} = line.lot_id AND e.voided_by IS NULL)
SELECT e.event_seq, e.input_lot, e.output_lot, e.input_quantity, i.uom, e.output_quantity, o.uom
FROM line JOIN lineage_edge e ON e.{here} = line.lot_id AND e.voided_by IS NULL
JOIN lot i ON i.id = e.input_lot JOIN lot o ON o.id = e.output_lot LIMIT :most"""
_UP = text(_LINE.format(here="output_lot", next="input_lot"))
_DOWN = text(_LINE.format(here="input_lot", next="output_lot"))


def lineage(session: Session, lot_id: UUID, *, down: bool = False) -> Lineage:
    """Return what a lot was made from (or with `down` what was made from it), to the ends (provenance.md 5).

    One statement over the set of edges, never over paths. Raises LineageTooLarge beyond 10,000 edges.
    """
    rows = session.execute(_DOWN if down else _UP, {"lot": lot_id, "most": MAX_EDGES + 1}).all()
    if len(rows) > MAX_EDGES:
        raise LineageTooLarge(
            say("More than %(max_edges)s steps lead to this lot; ask the co-op for an export.", max_edges=MAX_EDGES)
        )
    edges = [Edge(str(row[0]), str(row[1]), str(row[2]), row[3], row[4], row[5], row[6]) for row in rows]
    ids = {lot_id} | {UUID(one) for edge in edges for one in (edge.input, edge.output)}
    lots = session.scalars(select(Lot).where(Lot.id.in_(ids)))
    return Lineage(edges, {str(row.id): _view(LotView, row) for row in lots})


def journey(session: Session, lots: Sequence[LotView]) -> list[EventView]:
    """Return the events of a lot and its ancestors in the order they happened, declarations of errors included.

    Bags and pallets carry lots: events that name only the bag belong to the journey too. Transformations of an ancestor
    into something else do not.
    """
    uris = {one.uri for one in lots}
    first = _naming(session, uris)
    carriers = {
        name
        for row in first
        if row.event_type == "AggregationEvent"
        for name in [row.body.get("parentID"), *row.body.get("childEPCs", ())]
        if name
    }
    seen = {row.record_seq for row in first}
    rows = [*first, *(row for row in _naming(session, carriers) if row.record_seq not in seen)]
    elsewhere = [row for row in rows if row.event_type == "TransformationEvent" and not uris & _outputs(row.body)]
    left_out = {row.record_seq for row in elsewhere}
    kept = sorted((row for row in rows if row.record_seq not in left_out), key=lambda row: (row.event_time, row.record_seq))
    return [_view(EventView, row) for row in kept]


def _outputs(body: dict[str, Any]) -> set[str]:
    return {line["epcClass"] for line in body.get("outputQuantityList", ())}


def _naming(session: Session, names: set[str]) -> list[EpcisEvent]:
    if not names:
        return []
    wanted = select(EpcisEvent).where(EpcisEvent.ids.overlap(cast(sorted(names), ARRAY(Text))))
    return list(session.scalars(wanted.order_by(EpcisEvent.record_seq).limit(MAX_EVENTS)))


def events_naming(session: Session, *, uris: Sequence[str], after: int = 0, limit: int = 30) -> list[EventView]:
    """Return the events that name one of some things or lots, in order of recording, from behind `after`."""
    wanted = select(EpcisEvent).where(EpcisEvent.ids.overlap(cast(list(uris), ARRAY(Text))), EpcisEvent.record_seq > after)
    return [_view(EventView, row) for row in session.scalars(wanted.order_by(EpcisEvent.record_seq).limit(limit))]


def capture_job(session: Session, *, coop_id: UUID, capture_id: UUID) -> JobView:
    """Return a capture job of a co-op. Raises CaptureMissing."""
    row = session.scalar(select(CaptureJob).where(CaptureJob.id == capture_id, CaptureJob.coop_id == coop_id))
    if row is None:
        raise CaptureMissing("There is no capture job of yours with this id.")
    view: JobView = _view(JobView, row)
    return view


def capture_jobs(session: Session, *, coop_id: UUID, limit: int = 30) -> list[JobView]:
    """Return a co-op's capture jobs, newest first."""
    wanted = select(CaptureJob).where(CaptureJob.coop_id == coop_id).order_by(CaptureJob.id.desc()).limit(limit)
    return [_view(JobView, row) for row in session.scalars(wanted)]


_PAGE = Prepared("SELECT body, etag FROM lot_page WHERE slug = $1")


def stored_page(connection: Connection, slug: str) -> tuple[bytes, str] | None:
    """Return the stored document of a lot's page and its ETag: the hot read, one row by key, no RLS, public data only."""
    result = _PAGE.run(connection, slug.encode())
    if not result.ntuples:
        return None
    return result.get_value(0, 0), result.get_value(0, 1).decode()
