"""Places, lots and capture documents with valid defaults; nothing commits."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from market.cli.migrations import import_models
from market.kernel.actor import Actor
from market.producers.models import Coop, Producer
from market.provenance import service
from market.provenance.models import Lot, Place
from market.provenance.rules.events import prefixes
from market.provenance.rules.identifiers import IdHost
from market.provenance.rules.reading import read_json
from tests.conftest import NOW

import_models()  # a flush resolves foreign keys to tables of every capability
HOST = IdHost("https://id.market.example")
SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "epcis"


def make_place(session, *, coop: Coop, producer: Producer | None = None, **values: Any) -> Place:
    """A place of a co-op in the hills of Huila."""
    defaults = {"name": "Finca", "region": "Huila", "country": "CO", "latitude": Decimal("2.53"), "longitude": Decimal("-75.52")}
    return service.add_place(
        session, host=HOST, coop_id=coop.id, producer_id=producer.id if producer else None, **(defaults | values)
    )


def make_lot(session, *, coop: Coop, producer: Producer | None = None, place: Place | None = None, **values: Any) -> Lot:
    """A harvest of 480 kg of cherries, through the producer's form."""
    place = place or make_place(session, coop=coop, producer=producer)
    new = {"name": "Coffee cherries", "quantity": Decimal(480), "uom": "KGM", "on": date(2026, 6, 12)} | values
    return service.record_lot(
        session,
        actor=make_actor(coop, producer),
        host=HOST,
        coop_id=coop.id,
        producer_id=producer.id if producer else None,
        kind="harvest",
        new=service.NewLot(**new),
        place_id=place.id,
        zone="America/Bogota",
        now=NOW,
    )


def make_actor(coop: Coop, producer: Producer | None = None) -> Actor:
    """A producer, or the co-op's staff."""
    role = "producer" if producer else "preparer"
    account = producer.account_id if producer else UUID(int=7)
    return Actor(account_id=account, coop_id=coop.id, producer_id=producer.id if producer else None, roles=frozenset({role}))


def document(*events: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A capture document around events, with our prefix."""
    return {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"fair": f"{HOST.base}/ns/"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-23T12:00:00.000Z",
        "epcisBody": {"eventList": list(events)},
    } | more


def coffee_chain() -> dict[str, Any]:
    """The worked chain from two farms to retail packs."""
    found: dict[str, Any] = read_json((SAMPLES / "coffee_chain.json").read_bytes())
    assert prefixes(found["@context"])["fair"] == f"{HOST.base}/ns/"
    return found


def make_chain_places(session, coop: Coop) -> None:
    """The places and the party of the worked chain, all kept by one co-op."""
    events = coffee_chain()["epcisBody"]["eventList"]
    uris = {event[field]["id"] for event in events for field in ("readPoint", "bizLocation") if field in event}
    for number, uri in enumerate(sorted(uris)):
        make_place(session, coop=coop, name=f"Place {number}", uri=uri)
