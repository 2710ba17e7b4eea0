"""Record events: check each against the rules and the store, balance the lots, write everything once.

Nothing is written before every event has been read, so a refused document leaves no trace. All recording is serial under one
advisory lock: `record_seq` becomes visible in order, and whoever pages by it misses nothing (provenance.md 4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from market.kernel.ids import new_id
from market.kernel.locks import Alone, lock
from market.kernel.words import N_, say
from market.provenance.models import EpcisEvent, LineageEdge, Lot, Party, Place
from market.provenance.queries import lineage
from market.provenance.rules.balance import Balance, Book, Effects, effects_of, yield_faults
from market.provenance.rules.eventhash import event_hash
from market.provenance.rules.events import (
    Event,
    content_of,
    digest_of,
    error_reason,
    ids_of,
    instant,
    names_our_host,
    our_fields,
    place_of,
)
from market.provenance.rules.faults import Fault, Path, fault
from market.provenance.rules.house import Capturer, check_event_rules, check_house_rules
from market.provenance.rules.identifiers import IdHost
from market.provenance.rules.schema import check_event
from market.provenance.rules.yields import YIELDS
from market.provenance.service.pages import refresh_later


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose events these are and under which document they came."""

    coop_id: UUID
    host: IdHost
    context: Any
    declared: frozenset[str]
    capture_id: UUID | None = None
    producer_id: UUID | None = None
    lot_name: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a list of events."""

    faults: list[Fault]
    stored: int
    known: int
    lots: dict[str, UUID]


@dataclass(slots=True)
class _Recording:
    """The state of one recording while its events are read in order."""

    origin: Origin
    capturer: Capturer
    places: dict[str, Place]
    book: Book
    originals: dict[str, Event]
    digests: dict[str, str]
    nameless: set[tuple[str, datetime | None]]
    declarations: dict[tuple[str, datetime], str]
    corrective: frozenset[str]
    named: frozenset[str]
    of_others: frozenset[str]
    now: datetime
    known: int = 0
    rows: list[tuple[EpcisEvent, Effects]] = field(default_factory=list)
    voided: list[tuple[str, EpcisEvent, Path]] = field(default_factory=list)


def record_events(
    session: Session, *, origin: Origin, events: Sequence[tuple[Path, Any]], now: datetime, proceed: bool = False
) -> Outcome:
    """Store events with their lots and lineage; locks the recording and the lots involved.

    Returns every finding; where one refuses, nothing is stored (`proceed`: the good events are). An event that is stored
    already, with the same content, is counted as known. Announces the lots that changed.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": Alone.RECORDING.value})
    faults: list[Fault] = []
    sound: list[tuple[Path, Event, list[Fault]]] = []
    for path, event in events:
        found: list[Fault] = []
        check_event(event, path, found)
        if not found:
            found = check_event_rules(event, path, origin.declared)
        if any(one.refuses for one in found):
            faults += found
        else:
            sound.append((path, event, found))
    recording = _begin(session, origin, [event for _, event, _ in sound], now)
    for path, event, found in sound:
        found += check_house_rules(event, path, host=origin.host, capturer=recording.capturer, now=now)
        if not any(one.refuses for one in found):
            found += _take(session, recording, path, event, found)
        faults += found
    for uri in recording.book.overdrawn():
        place = recording.voided[0][2] if recording.voided else None
        faults.append(
            fault(place, "H5", say("more would be taken from %(uri)s than was made of it", uri=uri), "lineage.overdrawn")
        )
        proceed = False
    if any(one.refuses for one in faults) and not proceed:
        return Outcome(faults, 0, recording.known, {})
    lots = _write(session, recording)
    return Outcome(faults, len(recording.rows), recording.known, lots)


def _begin(session: Session, origin: Origin, events: Sequence[Event], now: datetime) -> _Recording:
    """Fetch what the events will be held against: earlier copies, lots (locked), own parties and places."""
    corrections = {name for event in events for name in event.get("errorDeclaration", {}).get("correctiveEventIDs", ())}
    names = {event["eventID"] for event in events if "eventID" in event}
    stored = session.scalars(select(EpcisEvent).where(EpcisEvent.event_id.in_(names | corrections))).all()
    digests = {digest_of(event) for event in events if "eventID" not in event}
    nameless = session.execute(
        select(EpcisEvent.digest, EpcisEvent.error_declared_at).where(
            EpcisEvent.digest.in_(digests), ~EpcisEvent.given_id, EpcisEvent.coop_id == origin.coop_id
        )
    ).all()
    effects = [effects_of(event, None, origin.host) for event in [*events, *(row.body for row in stored)]]
    uris = {uri for one in effects for uri in one.lots}
    ids = session.scalars(select(Lot.id).where(Lot.uri.in_(uris), Lot.coop_id == origin.coop_id)).all()
    parties = session.scalars(select(Party.uri).where(Party.coop_id == origin.coop_id)).all()
    where = {uri for event in events for uri in (place_of(event), place_of(event, "bizLocation")) if uri}
    places = session.scalars(select(Place).where(Place.uri.in_(where), Place.coop_id == origin.coop_id)).all()
    return _Recording(
        origin=origin,
        capturer=Capturer(frozenset(parties), frozenset(place.uri for place in places)),
        places={place.uri: place for place in places},
        book=Book(
            {
                lot.uri: Balance(lot.uri, lot.uom, lot.produced, lot.drawn, lot.sealed_at is not None)
                for lot in lock(session, Lot, ids)
            }
        ),
        originals={row.event_id: row.body for row in stored if row.error_declared_at is None},
        digests={row.event_id: row.digest for row in stored if row.error_declared_at is None},
        nameless={(row.digest, row.error_declared_at) for row in nameless},
        declarations={(row.event_id, row.error_declared_at): row.digest for row in stored if row.error_declared_at},
        corrective=frozenset(corrections),
        named=frozenset(names | {row.event_id for row in stored}),
        of_others=frozenset(row.event_id for row in stored if row.coop_id != origin.coop_id),
        now=now,
    )


def _take(session: Session, recording: _Recording, path: Path, event: Event, findings: list[Fault]) -> list[Fault]:
    """Hold one sound event against the store and the lots, and keep it for writing. Returns why not."""
    if "errorDeclaration" in event:
        return _take_declaration(recording, path, event, findings)
    digest, name = digest_of(event), event.get("eventID")
    before = recording.digests.get(name) if name else digest if (digest, None) in recording.nameless else None
    if before == digest:
        recording.known += 1
        return []
    if before is not None:
        detail = N_("another event has this eventID already; a correction needs an errorDeclaration")
        return [fault((path, "eventID"), "E6", detail, "epcis.event_exists")]
    effects = effects_of(event, path, recording.origin.host)
    faults = _lot_names(recording, effects)
    faults += recording.book.check(effects, corrective=name in recording.corrective)
    if name in recording.corrective:
        faults += _cycles(session, recording, effects)
    fields = our_fields(event, recording.origin.context, recording.origin.host)
    faults += yield_faults(effects, path, fields, YIELDS)
    if any(one.refuses for one in faults):
        return faults
    recording.book.apply(effects)
    row = _row(recording, event, digest, [*findings, *faults])
    recording.originals[row.event_id], recording.digests[row.event_id] = event, digest
    if name is None:
        recording.nameless.add((digest, None))
    recording.rows.append((row, effects))
    return faults


def _take_declaration(recording: _Recording, path: Path, event: Event, findings: list[Fault]) -> list[Fault]:
    """Take an identical copy with an error declaration (E4), or say what is wrong with it (H2)."""
    name, digest = event.get("eventID"), digest_of(event)
    declared_at = instant(event["errorDeclaration"]["declarationTime"])
    if (name, declared_at) in recording.declarations or (name is None and (digest, declared_at) in recording.nameless):
        recording.known += 1
        return []
    original = recording.originals.get(name) if name else None
    if name and original is not None and recording.digests[name] != digest:
        differing = sorted(
            field_
            for field_ in content_of(event).keys() | content_of(original).keys()
            if event.get(field_) != original.get(field_)
        )
        detail = say("an error declaration is an identical copy of the event; this differs in %(differing)s", differing=differing)
        return [fault(path, "E4", detail)]
    if name in recording.of_others:
        return [fault(path, "H4", N_("only whoever recorded an event can declare it wrong"))]
    ours = names_our_host(event, recording.origin.host)
    if original is None and ours:
        return [fault(path, "H2", N_("the event that is declared wrong is not recorded"))]
    corrections = event["errorDeclaration"].get("correctiveEventIDs", [])
    if ours and error_reason(event) == "incorrect_data" and not corrections:
        return [fault((path, "errorDeclaration"), "H2", N_("incorrect data is corrected by other events: name them"))]
    if ours and (unknown := sorted(set(corrections) - recording.named)):
        place = ((path, "errorDeclaration"), "correctiveEventIDs")
        return [
            fault(
                place, "H2", say("the corrective event %(unknown)s is neither in this document nor recorded", unknown=unknown[0])
            )
        ]
    already_void = any(one == name for one, _ in recording.declarations)
    row = _row(recording, event, digest, findings)
    if name is None:
        recording.nameless.add((digest, declared_at))
    else:
        recording.declarations[name, declared_at] = digest
    if name and original is not None and not already_void:
        recording.book.reverse(effects_of(original, path, recording.origin.host))
        recording.voided.append((name, row, path))
    recording.rows.append((row, Effects()))
    return []


def _cycles(session: Session, recording: _Recording, effects: Effects) -> list[Fault]:
    """Check that a correction, which alone may add to a lot that is in use, takes nothing that was made from that lot."""
    faults = []
    inputs = {line.lot for line in effects.taken}
    for line in effects.made if inputs else ():
        below = {line.lot}
        lot_id = session.scalar(select(Lot.id).where(Lot.uri == line.lot, Lot.coop_id == recording.origin.coop_id))
        if lot_id is not None:
            below |= {view.uri for view in lineage(session, lot_id, down=True).lots.values()}
        for _, earlier in recording.rows:  # in order, so one pass follows the document's own edges
            if below & {one.lot for one in earlier.taken}:
                below |= {one.lot for one in earlier.made}
        if below & inputs:
            faults.append(fault(line.path, "H5", N_("a lot cannot be made from what was made of it"), "lineage.cycle"))
    return faults


def _lot_names(recording: _Recording, effects: Effects) -> list[Fault]:
    """Check the names of lots that would be new: ours, of the right kind, without a typing error."""
    host, known = recording.origin.host, recording.book.lots
    return [
        fault((line.path, "epcClass"), "H5", N_("this is no identifier of a lot: check every character"), "lineage.identifier")
        for line in effects.made
        if line.lot not in known and (host.parse(line.lot) or ("", ""))[0] != "class"
    ]


def _row(recording: _Recording, event: Event, digest: str, findings: Sequence[Fault]) -> EpcisEvent:
    given = "eventID" in event
    body = {name: value for name, value in event.items() if name != "recordTime"}
    body.setdefault("eventID", f"urn:uuid:{new_id()}")
    declaration = event.get("errorDeclaration")
    return EpcisEvent(
        coop_id=recording.origin.coop_id,
        capture_id=recording.origin.capture_id,
        event_id=body["eventID"],
        event_time=instant(event["eventTime"]),
        record_time=recording.now,
        error_declared_at=instant(declaration["declarationTime"]) if declaration else None,
        event_type=event["type"],
        body=body,
        context=recording.origin.context,
        ids=ids_of(event),
        digest=digest,
        given_id=given,
        event_hash=event_hash(body, recording.origin.context),
        findings=[{"pointer": one.pointer, "rule": one.rule, "detail": one.detail} for one in findings],
    )


def _write(session: Session, recording: _Recording) -> dict[str, UUID]:
    """Write events, lots and edges; return the ids of the lots touched, by URI."""
    session.add_all(row for row, _ in recording.rows)
    session.flush()  # edges need the sequence numbers
    lots = _write_lots(session, recording)
    for name, row, _ in recording.voided:
        original = select(EpcisEvent.record_seq).where(EpcisEvent.event_id == name, EpcisEvent.error_declared_at.is_(None))
        session.execute(
            update(LineageEdge)
            .where(LineageEdge.event_seq == original.scalar_subquery(), LineageEdge.voided_by.is_(None))
            .values(voided_by=row.record_seq)
        )
    session.add_all(
        LineageEdge(
            coop_id=recording.origin.coop_id,
            event_seq=row.record_seq,
            input_lot=lots[source],
            output_lot=lots[target],
            input_quantity=taken,
            output_quantity=made,
        )
        for row, effects in recording.rows
        for source, taken in _together(effects.taken).items()
        for target, made in _together(effects.made).items()
    )
    session.flush()
    if recording.rows and lots:
        refresh_later(session, lots.values())
    return lots


def _together(lines: Sequence[Any]) -> Mapping[str, Any]:
    sums: dict[str, Any] = {}
    for line in lines:
        sums[line.lot] = sums.get(line.lot, 0) + line.quantity
    return sums


def _write_lots(session: Session, recording: _Recording) -> dict[str, UUID]:
    book, origin = recording.book, recording.origin
    rows = {lot.uri: lot for lot in session.scalars(select(Lot).where(Lot.uri.in_(book.touched), Lot.coop_id == origin.coop_id))}
    for row, effects in recording.rows:
        for line in effects.made:
            if line.lot not in rows:
                rows[line.lot] = _new_lot(recording, row, line.lot)
                session.add(rows[line.lot])
    for uri in book.touched:
        lot, balance = rows[uri], book.lots[uri]
        lot.produced, lot.drawn = balance.produced, balance.drawn
        if balance.sealed and lot.sealed_at is None:
            lot.sealed_at = recording.now
    session.flush()  # edges point at the lots
    return {uri: rows[uri].id for uri in book.touched}


def _new_lot(recording: _Recording, row: EpcisEvent, uri: str) -> Lot:
    origin = recording.origin
    fields = our_fields(row.body, origin.context, origin.host)
    place = recording.places.get(place_of(row.body) or "")
    named = origin.host.parse(uri)
    if named is None:
        raise ValueError(f"{uri} is no identifier of ours")
    made_on = _day(fields.get("harvestEndDate")) or instant(row.body["eventTime"]).date()
    from_on = _day(fields.get("harvestStartDate"))
    return Lot(
        id=new_id(),
        coop_id=origin.coop_id,
        producer_id=origin.producer_id or (place.producer_id if place else None),
        slug=named[1],
        uri=uri,
        label=_text(fields.get("lotNumber")),
        name=origin.lot_name or _text(fields.get("name")),
        variety=_text(fields.get("variety")),
        process=_text(fields.get("processType")),
        place_id=place.id if place else None,
        uom=recording.book.lots[uri].uom,
        produced=recording.book.lots[uri].produced,
        made_from_on=from_on if from_on and from_on <= made_on else None,
        made_on=made_on,
        recorded_at=recording.now,
    )


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _text(value: Any) -> str:
    return str(value)[:200] if isinstance(value, str | int | float) else ""
