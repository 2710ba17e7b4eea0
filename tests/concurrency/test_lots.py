"""The last kilo is taken once, twenty captures at once leave exact counts, a page is built by one: real commits on an own clone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, func, select, text, update
from sqlalchemy.orm import Session

from config import Settings
from market.app import create_app
from market.gateways import memory
from market.http import db as http_db
from market.http.db import engine_options
from market.kernel import locks, tenancy
from market.kernel.clock import FixedClock
from market.provenance import service
from market.provenance.errors import EventRefused
from market.provenance.models import EpcisEvent, Lot, LotPage
from market.provenance.rules.house import declared_prefixes
from tests.conftest import NOW, settings_for
from tests.domain.provenance.test_capture import harvest
from tests.factories.producers import make_coop
from tests.factories.provenance import HOST, document, make_actor, make_lot, make_place
from workers import provenance as tasks


@pytest.fixture(scope="module")
def settings(servers, make_database) -> Settings:
    return settings_for(make_database("lots"), servers["REDIS_URL"])


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[Engine]:
    options = engine_options(settings)
    engine = create_engine(options.pop("url"), **(options | {"pool_size": 20}))
    yield engine
    engine.dispose()


def committed(engine: Engine, act):
    with tenancy.scoped(tenancy.EVERYTHING), Session(engine, expire_on_commit=False) as session, session.begin():
        return act(session)


def start(engine: Engine):
    def act(session):
        coop = make_coop(session)
        place = make_place(session, coop=coop)
        return coop, place, make_lot(session, coop=coop, place=place, quantity=Decimal(1))

    return committed(engine, act)


def test_the_last_kilo_is_taken_by_one_of_two(engine: Engine) -> None:
    coop, place, lot = start(engine)

    def take(number: int) -> str:
        def act(session):
            service.record_transformation(
                session,
                actor=make_actor(coop),
                host=HOST,
                coop_id=coop.id,
                producer_id=None,
                process="packed",
                inputs=[(lot.id, Decimal(1))],
                new=service.NewLot(name=f"Bag {number}", quantity=Decimal(1), uom="KGM", on=date(2026, 11, 1)),
                place_id=place.id,
                zone="UTC",
                now=NOW,
            )

        try:
            committed(engine, act)
        except EventRefused as error:
            return str(error.faults[0].code)
        return "taken"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(take, range(8)))
    assert outcomes == ["lineage.overdrawn"] * 7 + ["taken"]
    stored = committed(engine, lambda session: session.get_one(Lot, lot.id))
    assert (stored.drawn, stored.produced) == (1, 1)


def test_twenty_captures_at_once_are_counted_exactly(engine: Engine) -> None:
    coop, place, _ = start(engine)

    def record(number: int) -> int:
        uri = HOST.uri("class", service.places.fresh_slug())
        shared = harvest(place, 999, quantityList=[{"epcClass": SHARED, "quantity": 1, "uom": "KGM"}])
        own = harvest(place, number, quantityList=[{"epcClass": uri, "quantity": 5, "uom": "KGM"}])
        content = document(shared, own)
        origin = service.Origin(coop_id=coop.id, host=HOST, context=content["@context"], declared=declared_prefixes(content))
        return committed(
            engine,
            lambda session: service.record_events(session, origin=origin, events=[(None, shared), (None, own)], now=NOW).stored,
        )

    SHARED = HOST.uri("class", service.places.fresh_slug())
    with ThreadPoolExecutor(20) as pool:
        stored = list(pool.map(record, range(20)))
    assert sorted(stored) == [1] * 19 + [2]
    lots = committed(engine, lambda session: session.scalars(select(Lot).where(Lot.coop_id == coop.id)).all())
    assert sum(lot.produced for lot in lots) == 1 + 20 * 5 + 1
    assert committed(engine, lambda session: session.scalar(select(func.count()).where(EpcisEvent.coop_id == coop.id))) == 22


def test_workers_that_build_one_page_at_once_take_turns(engine: Engine, settings: Settings) -> None:
    """Whoever comes second waits before it reads, not only before it writes: the older page never wins."""
    app = create_app(settings, ports=memory.ports(), clock=FixedClock(NOW))

    def build(lot_id: UUID) -> None:
        with app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
            tasks.refresh_pages(lot_ids=str(lot_id))

    lot_id = start(engine)[2].id
    with ThreadPoolExecutor(4) as pool:
        with tenancy.scoped(tenancy.EVERYTHING), Session(engine) as first, first.begin():
            locks.turn(first, locks.Turn.LOT_PAGE, lot_id)
            others = [pool.submit(build, lot_id) for _ in range(4)]
            while committed(engine, waiting) < 4:
                assert not any(other.done() for other in others), "one did not wait for the first"
            first.execute(update(Lot).where(Lot.id == lot_id).values(name="Named anew"))
        for other in others:
            other.result()
    (body,) = committed(engine, lambda session: session.scalars(select(LotPage.body).where(LotPage.lot_id == lot_id)).all())
    assert b"Named anew" in bytes(body)
    with app.app_context():
        for each in http_db.db.engines.values():
            each.dispose()


def waiting(session: Session) -> int:
    """How many wait for somebody's turn to end."""
    here = "(SELECT oid FROM pg_database WHERE datname = current_database())"
    asked = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = {here}"
    return session.execute(text(asked)).scalar_one()
