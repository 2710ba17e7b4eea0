"""What the public page of a lot shows, gathered into one document of public data (provenance.md 9).

Built when something changes and stored by `provenance.service.store_page`; the page and the API read it by one key. Words
for people are the page's business: the document holds facts, codes and names that were agreed to be shown.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from market.producers import queries as producers
from market.producers.models import Certificate, Coop, Producer
from market.provenance import queries as provenance
from market.provenance import withdrawal_queries as withdrawals
from market.provenance.queries import EventView, Lineage, LotView, PlaceView
from market.provenance.rules.events import CLASS_FIELDS, place_of, plain
from market.provenance.rules.identifiers import IdHost
from market.provenance.rules.lineage import LineageCycle, percentages, shares
from market.provenance.rules.public import public_context, public_view
from market.provenance.rules.vocabulary import BIZ_STEP, DISPOSITION
from market.reports.queries import lot_sales

ONE_SIDE, BOTH_SIDES, THIRD_PARTY, NOTHING = "one", "both", "third", "nothing"


def lot_page(session: Session, lot_id: UUID) -> dict[str, Any]:
    """Return the document of a lot's page. Raises LotMissing."""
    lot = provenance.lot(session, lot_id)
    lineage = provenance.lineage(session, lot_id)
    events = provenance.journey(session, list(lineage.lots.values()))
    places = provenance.places_by_uri(session, [uri for event in events for uri in _places_in(event.body)])
    names = _names(session, lineage.lots.values(), events)
    stops = _stops(events, lineage, places, names)
    told = producers.own_texts(session, "lot", [lot.id])[lot.id]
    return {
        "v": 1,
        "slug": lot.slug,
        "uri": lot.uri,
        "label": lot.label,
        "name": lot.name,
        "language": told.language or None,
        "names": {language: text.title for language, text in told.translations.items()},
        "variety": lot.variety,
        "process": lot.process,
        "uom": lot.uom,
        "produced": plain(lot.produced),
        "made_from_on": _iso(lot.made_from_on),
        "made_on": _iso(lot.made_on),
        "recorded_at": _iso(lot.recorded_at),
        "withdrawn": lot.withdrawn_reason,
        "withdrawn_at": _iso(lot.withdrawn_at),
        "advice": _advice(session, lot),
        "regions": _regions(stops) or [{"region": names[lot.coop_id]["region"], "country": names[lot.coop_id]["country"]}],
        "coop": names[lot.coop_id],
        "producer": names.get(lot.producer_id),
        "state": "gaps" if any(stop["grade"] == NOTHING for stop in stops) else "complete",
        "journey": stops,
        "places": _points(stops, places),
        "shares": _shares(lot, lineage, names),
        "certificates": _certificates(session, lineage, names),
        "offers": lot_sales.offers(session, lot.id),
        "checks": lot_sales.checks(session, lot.id),
        "split": lot_sales.split(session, lot.id),
        "corrections": _corrections(events, names),
    }


def _advice(session: Session, lot: LotView) -> str | None:
    view = withdrawals.in_force(session, [lot.id]).get(lot.id) if lot.withdrawn_at else None
    return view.advice if view else None


def page_bytes(document: Mapping[str, Any]) -> bytes:
    """Write a page's document the way it is stored and served."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def current_page(connection: Connection, slug: str) -> tuple[bytes, str | None]:
    """Return the document of the lot at `slug` with its ETag: the stored one, or a fresh one (no tag) where none is stored yet.

    Raises LotMissing.
    """
    stored = provenance.stored_page(connection, slug)
    if stored is not None:
        return stored
    with Session(connection) as session:
        return page_bytes(lot_page(session, provenance.lot_by_slug(session, slug).id)), None


def public_events(session: Session, lot_id: UUID, host: IdHost) -> dict[str, Any]:
    """Return the EPCIS document of a lot's journey in its public view, for download."""
    lineage = provenance.lineage(session, lot_id)
    events = provenance.journey(session, list(lineage.lots.values()))
    shown = [event for event in events if event.visibility == "public"]
    created = max((event.record_time for event in shown), default=provenance.lot(session, lot_id).recorded_at)
    return {
        "@context": public_context(host),
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": created.isoformat(timespec="milliseconds"),
        "epcisBody": {"eventList": [public_view(event.body, event.context, host) for event in shown]},
    }


def _names(session: Session, lots: Any, events: Sequence[EventView]) -> dict[UUID | None, dict[str, str]]:
    """Return the agreed names of every co-op and producer that stands behind the lots and events, by id."""
    lots = list(lots)
    coops = {one.coop_id for one in (*lots, *events)}
    producers = {lot.producer_id for lot in lots if lot.producer_id}
    found: dict[UUID | None, dict[str, str]] = {
        row.id: {"slug": row.slug, "name": row.name, "region": row.region, "country": row.country}
        for row in session.scalars(select(Coop).where(Coop.id.in_(coops)))
    }
    for row in session.scalars(select(Producer).where(Producer.id.in_(producers))):
        found[row.id] = {"slug": row.slug, "name": row.name, "region": row.region, "country": found[row.coop_id]["country"]}
    return found


def _stops(
    events: Sequence[EventView], lineage: Lineage, places: Mapping[str, PlaceView], names: Mapping[UUID | None, dict[str, str]]
) -> list[dict[str, Any]]:
    """Return the steps of the journey in order, with what is missing drawn as a step of grade "nothing"."""
    declared = {event.event_id for event in events if event.error_declared_at is not None}
    kept = [event for event in events if event.event_id not in declared and event.visibility == "public"]
    by_uri = {lot.uri: lot for lot in lineage.lots.values()}
    confirmed = _confirmed(kept)
    stops = [_stop(event, by_uri, places, names, confirmed) for event in kept]
    sent = [stop for stop in stops if stop["step"] == "shipping"]
    arrived = [stop for stop in stops if stop["step"] == "receiving"]
    if len(sent) > len(arrived):
        place = stops.index(sent[-1]) + 1
        stops.insert(place, _gap("receiving"))
    handed = any(stop["step"] == "accepting" for stop in stops)
    grown = any(lot.producer_id for lot in lineage.lots.values())
    made_by_coop = any(lot.producer_id is None for lot in lineage.lots.values())
    if grown and made_by_coop and not handed:  # a producer who works on their own harvest hands nothing over
        births = [n for n, stop in enumerate(stops) if stop["step"] == "commissioning"]
        stops.insert((births[-1] if births else -1) + 1, _gap("accepting"))
    return stops


def _regions(stops: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return where the origins of a lot began, each region once."""
    begun = [stop["place"] for stop in stops if stop["step"] == "commissioning" and stop["place"]]
    return list({(place["region"], place["country"]): {k: place[k] for k in ("region", "country")} for place in begun}.values())


def _gap(step: str) -> dict[str, Any]:
    return {"step": step, "grade": NOTHING}


def _stop(
    event: EventView,
    lots: Mapping[str, LotView],
    places: Mapping[str, PlaceView],
    names: Mapping[UUID | None, dict[str, str]],
    confirmed: set[str],
) -> dict[str, Any]:
    body = event.body
    place = places.get(place_of(body) or "") or places.get(place_of(body, "bizLocation") or "")
    made = [lots[line["epcClass"]] for name in CLASS_FIELDS for line in body.get(name, ()) if line["epcClass"] in lots]
    process = next((lot.process for lot in reversed(made) if event.event_type == "TransformationEvent"), "")
    if event.event_type == "ObjectEvent" and body.get("action") == "ADD":
        process = made[0].process if made else ""
    return {
        "step": BIZ_STEP.word(body.get("bizStep", "other")),
        "process": process,
        "type": event.event_type,
        "disposition": DISPOSITION.word(body.get("disposition", "")),
        "on": body["eventTime"][:10],
        "place": {"name": place.name, "region": place.region, "country": place.country, "uri": place.uri} if place else None,
        "by": names[_stated_by(event, made)]["name"],
        "lots": sorted({lot.slug for lot in made}),
        "lines": _lines(body, lots),
        "grade": BOTH_SIDES if event.event_id in confirmed else ONE_SIDE,
    }


def _stated_by(event: EventView, made: Sequence[LotView]) -> UUID:
    """Return who stands behind a statement: the producer for the birth of their own lot, else the co-op that captured it."""
    if event.body.get("action") == "ADD" and event.event_type == "ObjectEvent" and made and made[0].producer_id:
        return made[0].producer_id
    return event.coop_id


def _lines(body: Mapping[str, Any], lots: Mapping[str, LotView]) -> list[dict[str, Any]]:
    """Return what went in (`in`), came out (`out`) or is named, in the order of the event."""
    side = {"inputQuantityList": "in", "outputQuantityList": "out"}
    return [
        {
            "side": side.get(name, ""),
            "slug": lots[line["epcClass"]].slug,
            "label": lots[line["epcClass"]].label or lots[line["epcClass"]].name,
            "quantity": line.get("quantity"),
            "uom": line.get("uom", ""),
        }
        for name in CLASS_FIELDS
        for line in body.get(name, ())
        if line["epcClass"] in lots
    ]


def _confirmed(events: Sequence[EventView]) -> set[str]:
    """Return the shipments and arrivals that both sides stated: one document, two different organisations."""
    papers: dict[str, dict[str, set[Any]]] = {}
    for event in events:
        step = BIZ_STEP.word(event.body.get("bizStep", ""))
        if step in ("shipping", "receiving"):
            for line in event.body.get("bizTransactionList", ()):
                entry = papers.setdefault(line["bizTransaction"], {"events": set(), "steps": set(), "coops": set()})
                entry["events"].add(event.event_id)
                entry["steps"].add(step)
                entry["coops"].add(event.coop_id)
    both = [entry["events"] for entry in papers.values() if len(entry["steps"]) == 2 and len(entry["coops"]) > 1]
    return {name for events_ in both for name in events_}


def _points(stops: Sequence[Mapping[str, Any]], places: Mapping[str, PlaceView]) -> list[dict[str, Any]]:
    """Return the stops that have a point, each place once, in the order of the journey."""
    found: dict[str, dict[str, Any]] = {}
    for stop in stops:
        place = places.get(stop["place"]["uri"]) if stop.get("place") else None
        if place and place.latitude is not None and place.longitude is not None:
            point = {"name": place.name, "region": place.region, "country": place.country}
            found.setdefault(place.uri, point | {"latitude": float(place.latitude), "longitude": float(place.longitude)})
    return list(found.values())


def shares_of(session: Session, lot: LotView, lineage: Lineage) -> list[dict[str, Any]] | None:
    """Return the shares of a lot's origins, largest first, as the page lists them; None where they cannot be told."""
    return _shares(lot, lineage, _names(session, lineage.lots.values(), ()))


def _shares(lot: LotView, lineage: Lineage, names: Mapping[UUID | None, dict[str, str]]) -> list[dict[str, Any]] | None:
    """Return each origin's share as a fraction and as whole percentages that sum to 100; None where it cannot be told."""
    try:
        parts = shares(str(lot.id), lineage.edges)
    except LineageCycle:
        return None
    if parts is None:
        return None
    rounded = percentages(parts)
    ordered = sorted(parts.items(), key=lambda part: (-part[1], lineage.lots[part[0]].slug))
    return [
        {
            "slug": lineage.lots[origin].slug,
            "label": lineage.lots[origin].label or lineage.lots[origin].name,
            "who": names[lineage.lots[origin].producer_id or lineage.lots[origin].coop_id]["name"],
            "region": names[lineage.lots[origin].producer_id or lineage.lots[origin].coop_id]["region"],
            "share": f"{part.numerator}/{part.denominator}",
            "percent": rounded[origin],
        }
        for origin, part in ordered[:200]
    ]


def _certificates(session: Session, lineage: Lineage, names: Mapping[UUID | None, dict[str, str]]) -> list[dict[str, Any]]:
    """Return the certificates of holders in the chain; one covers a lot only if the harvest lies in its validity (7.1)."""
    made = {edge.output for edge in lineage.edges}
    origins = [lot for key, lot in lineage.lots.items() if key not in made]
    coops = {lot.coop_id for lot in lineage.lots.values()}
    wanted = select(Certificate).where(Certificate.coop_id.in_(coops), Certificate.status.in_(("active", "suspended")))
    found = []
    for row in session.scalars(wanted.order_by(Certificate.scheme, Certificate.number)):
        held = [lot for lot in origins if lot.coop_id == row.coop_id and row.producer_id in (None, lot.producer_id)]
        if not held:
            continue
        days = [lot.made_on for lot in held if lot.made_on]
        covers = row.status == "active" and bool(days) and all(row.valid_from <= day <= row.valid_to for day in days)
        found.append(
            {
                "scheme": row.scheme,
                "kind": row.kind,
                "number": row.number,
                "issuer": row.issuer,
                "holder": names[row.producer_id or row.coop_id]["name"],
                "valid_from": _iso(row.valid_from),
                "valid_to": _iso(row.valid_to),
                "status": row.status,
                "checked_at": _iso(row.checked_at),
                "grade": THIRD_PARTY if row.checked_at else ONE_SIDE,
                "covers": covers,
            }
        )
    return found


def _corrections(events: Sequence[EventView], names: Mapping[UUID | None, dict[str, str]]) -> list[dict[str, Any]]:
    """Return what was declared wrong and what took its place; nothing is removed silently."""
    by_id = {event.event_id: event for event in events if event.error_declared_at is None}
    found = []
    for event in events:
        if event.error_declared_at is None or event.visibility != "public":
            continue
        declaration = event.body["errorDeclaration"]
        new = [by_id[name] for name in declaration.get("correctiveEventIDs", ()) if name in by_id]
        found.append(
            {
                "step": BIZ_STEP.word(event.body.get("bizStep", "other")),
                "on": event.body["eventTime"][:10],
                "declared_at": _iso(event.error_declared_at),
                "reason": declaration.get("reason", ""),
                "by": names[event.coop_id]["name"],
                "changed": sorted({name for other in new for name in _differing(event.body, other.body)}),
                "corrected": bool(new),
            }
        )
    return found


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    apart = {"eventID", "errorDeclaration"}
    return {name for name in (old.keys() | new.keys()) - apart if old.get(name) != new.get(name)}


def _places_in(body: Mapping[str, Any]) -> list[str]:
    return [uri for uri in (place_of(dict(body)), place_of(dict(body), "bizLocation")) if uri]


def _iso(value: date | datetime | None) -> str | None:
    return value.isoformat() if value else None
