"""The producer's forms: a harvest or craft batch, and making one lot from others; event and lot in one unit of work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.kernel.audit import record
from market.kernel.ids import new_id
from market.kernel.words import say
from market.producers import service as producers
from market.producers.errors import BadText
from market.producers.queries import Text
from market.provenance import queries
from market.provenance.errors import DatesWrong, EventRefused, LotMissing, LotWithdrawn, QuantityWrong
from market.provenance.models import EpcisEvent, Lot, Place
from market.provenance.rules.house import TRADE_UNITS, declared_prefixes
from market.provenance.rules.identifiers import IdHost
from market.provenance.rules.public import public_context
from market.provenance.service.pages import refresh_later
from market.provenance.service.places import fresh_slug
from market.provenance.service.store import Origin, record_events

KINDS = ("harvest", "craft")


@dataclass(frozen=True, slots=True)
class NewLot:
    """What a person writes about a lot. `net_kg` is the weight of one piece, where pieces are counted."""

    name: str
    quantity: Decimal
    uom: str
    on: date
    from_on: date | None = None
    label: str = ""
    variety: str = ""
    net_kg: Decimal | None = None


def record_lot(
    session: Session,
    *,
    actor: Actor,
    host: IdHost,
    coop_id: UUID,
    producer_id: UUID | None,
    kind: str,
    new: NewLot,
    place_id: UUID,
    zone: str,
    now: datetime,
    form_key: UUID | None = None,
) -> Lot:
    """Record a harvest or a craft batch: an ObjectEvent ADD and the lot that it brings into being (provenance.md 2).

    A form sent twice carries the same `form_key` and gets the lot of the first time. Raises QuantityWrong, DatesWrong,
    EventRefused, LotMissing (no such place).
    """
    if (before := _made_before(session, coop_id, form_key)) is not None:
        return before
    if kind not in KINDS:
        raise ValueError(f"a lot begins as one of {KINDS}, not {kind!r}")
    event = _event(session, coop_id, new, place_id=place_id, zone=zone, now=now, form_key=form_key)
    event |= {"type": "ObjectEvent", "action": "ADD", "bizStep": "commissioning", "disposition": "active"}
    event["quantityList"] = [_line(uri := host.uri("class", fresh_slug()), new.quantity, new.uom)]
    event["ilmd"] = _master_data(new, kind)
    return _record(session, actor, host, coop_id, producer_id, event, uri, new.name, now)


def record_transformation(
    session: Session,
    *,
    actor: Actor,
    host: IdHost,
    coop_id: UUID,
    producer_id: UUID | None,
    process: str,
    inputs: Sequence[tuple[UUID, Decimal]],
    new: NewLot,
    place_id: UUID,
    zone: str,
    now: datetime,
    form_key: UUID | None = None,
) -> Lot:
    """Record that one lot was made from others (washing, roasting, weaving, packing): a TransformationEvent.

    A producer may take only from their own lots, nobody from one that is withdrawn. Raises LotMissing, LotWithdrawn,
    QuantityWrong, DatesWrong and EventRefused with `lineage.overdrawn`, `lineage.yield` and the like.
    """
    if (before := _made_before(session, coop_id, form_key)) is not None:
        return before
    if not inputs:
        raise LotMissing("Choose at least one lot that this was made from.", pointer="/inputs")
    uris = _inputs(session, coop_id, producer_id, inputs, new.on)
    event = _event(session, coop_id, new, place_id=place_id, zone=zone, now=now, form_key=form_key)
    event |= {"type": "TransformationEvent", "bizStep": "creating_class_instance", "disposition": "in_progress"}
    event["transformationID"] = f"urn:uuid:{new_id()}"
    event["inputQuantityList"] = [_line(uri, quantity, uom) for uri, quantity, uom in uris]
    event["outputQuantityList"] = [_line(uri := host.uri("class", fresh_slug()), new.quantity, new.uom)]
    event["ilmd"] = _master_data(new, process)
    return _record(session, actor, host, coop_id, producer_id, event, uri, new.name, now)


def set_lot_texts(
    session: Session, *, actor: Actor, lot_id: UUID, language: str, translations: Mapping[str, Text], now: datetime
) -> None:
    """Say in which language a lot's name is and give it in others; its page follows. Raises LotMissing, BadText."""
    lot = queries.own_lot(session, lot_id, actor=actor)
    session.execute(select(Lot.id).where(Lot.id == lot_id).with_for_update())
    if told := [code for code, text in translations.items() if text.body]:
        raise BadText("A lot has only a name. What else there is to tell belongs to the offer.", pointer=f"/body_{told[0]}")
    producers.write_texts(session, actor=actor, kind="lot", subject_id=lot_id, coop_id=lot.coop_id, language=language,
                          translations=translations, now=now)  # fmt: skip
    refresh_later(session, [lot_id])


def _made_before(session: Session, coop_id: UUID, form_key: UUID | None) -> Lot | None:
    """Return the lot that the same form made when it was sent before."""
    wanted = (EpcisEvent.event_id == f"urn:uuid:{form_key}", EpcisEvent.coop_id == coop_id)
    event = session.scalar(select(EpcisEvent).where(*wanted, EpcisEvent.error_declared_at.is_(None))) if form_key else None
    if event is None:
        return None
    line = (event.body.get("outputQuantityList") or event.body["quantityList"])[0]
    return session.scalars(select(Lot).where(Lot.uri == line["epcClass"], Lot.coop_id == coop_id)).one()


def _inputs(
    session: Session, coop_id: UUID, producer_id: UUID | None, inputs: Sequence[tuple[UUID, Decimal]], on: date
) -> list[tuple[str, Decimal, str]]:
    wanted = select(Lot).where(Lot.id.in_([lot_id for lot_id, _ in inputs]), Lot.coop_id == coop_id)
    if producer_id is not None:
        wanted = wanted.where(Lot.producer_id == producer_id)
    lots = {lot.id: lot for lot in session.scalars(wanted)}
    if missing := [str(lot_id) for lot_id, _ in inputs if lot_id not in lots]:
        raise LotMissing("One of these lots is not yours or does not exist.", pointer="/inputs", lots=missing)
    if gone := next((lot for lot in lots.values() if lot.withdrawn_at), None):
        raise LotWithdrawn(
            say("“%(name)s” was withdrawn: nothing can be made from it.", name=gone.name or gone.label or gone.slug),
            pointer="/inputs",
        )
    if any(quantity <= 0 for _, quantity in inputs):
        raise QuantityWrong("Write how much was taken from each lot, more than zero.", pointer="/inputs")
    if (newest := max((lot.made_on for lot in lots.values() if lot.made_on), default=on)) > on:
        raise DatesWrong(say("What it was made from is of %(day)s: it cannot be older than that.", day=newest), pointer="/on")
    return [(lots[lot_id].uri, quantity, lots[lot_id].uom) for lot_id, quantity in inputs]


def _event(
    session: Session, coop_id: UUID, new: NewLot, *, place_id: UUID, zone: str, now: datetime, form_key: UUID | None
) -> dict[str, Any]:
    """Return what every event of the forms has: identity, instant and place."""
    if new.uom not in TRADE_UNITS:
        raise QuantityWrong(say("The unit must be one of %(trade_units)s.", trade_units=TRADE_UNITS), pointer="/uom")
    if not new.quantity.is_finite() or new.quantity <= 0 or new.quantity >= 10**9:
        raise QuantityWrong("Write how much there is, more than zero.", pointer="/quantity")
    if new.uom == "H87" and new.quantity != int(new.quantity):
        raise QuantityWrong("Pieces are counted in whole numbers.", pointer="/quantity")
    if new.quantity != round(new.quantity, 3):
        raise QuantityWrong("Write at most three decimals.", pointer="/quantity")
    if new.net_kg is not None and new.net_kg <= 0:
        raise QuantityWrong("Write how much one piece weighs, more than zero.", pointer="/net_kg")
    local_now = now.astimezone(ZoneInfo(zone))
    if new.on > local_now.date():
        raise DatesWrong("The day lies in the future.", pointer="/on")
    if new.from_on and new.from_on > new.on:
        raise DatesWrong("The first day lies after the last.", pointer="/from_on")
    place = session.scalar(select(Place).where(Place.id == place_id, Place.coop_id == coop_id))
    if place is None:
        raise LotMissing("There is no such place of yours.", pointer="/place_id")
    happened = min(datetime.combine(new.on, time(18), ZoneInfo(zone)), local_now)
    return {
        "eventID": f"urn:uuid:{form_key or new_id()}",
        "eventTime": happened.isoformat(timespec="milliseconds"),
        "eventTimeZoneOffset": happened.isoformat(timespec="milliseconds")[-6:],
        "readPoint": {"id": place.uri},
        "bizLocation": {"id": place.uri},
    }


def _line(uri: str, quantity: Decimal, uom: str) -> dict[str, Any]:
    return {"epcClass": uri, "quantity": int(quantity) if quantity == int(quantity) else float(quantity), "uom": uom}


def _master_data(new: NewLot, process: str) -> dict[str, str]:
    fields = {
        "fair:name": new.name,
        "fair:lotNumber": new.label,
        "fair:variety": new.variety,
        "fair:processType": process,
        "fair:harvestStartDate": new.from_on.isoformat() if new.from_on else "",
        "fair:harvestEndDate": new.on.isoformat() if process in KINDS else "",
        "fair:netContent": str(new.net_kg) if new.net_kg else "",
        "fair:netContentUom": "KGM" if new.net_kg else "",
    }
    return {name: value for name, value in fields.items() if value}


def _record(
    session: Session,
    actor: Actor,
    host: IdHost,
    coop_id: UUID,
    producer_id: UUID | None,
    event: dict[str, Any],
    uri: str,
    name: str,
    now: datetime,
) -> Lot:
    context = public_context(host)
    origin = Origin(
        coop_id=coop_id,
        host=host,
        context=context,
        declared=declared_prefixes({"@context": context}),
        producer_id=producer_id,
        lot_name=name,
    )
    outcome = record_events(session, origin=origin, events=[(None, event)], now=now)
    if refusals := [one for one in outcome.faults if one.refuses]:
        raise EventRefused(refusals)
    lot = session.get_one(Lot, outcome.lots[uri])
    record(
        session,
        actor=actor,
        action="lot.recorded",
        subject_kind="lot",
        subject_id=lot.id,
        now=now.astimezone(UTC),
        coop_id=coop_id,
        new={"uri": uri, "event": event["eventID"]},
    )
    return lot
