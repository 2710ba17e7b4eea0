"""Many orders over the same lots at once: nothing is oversold, nobody deadlocks, nothing is given back twice."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, func, select, text
from sqlalchemy.orm import Session

from market.catalogue import service
from market.catalogue.errors import ListingSoldOut
from market.catalogue.models import Hold, Listing, SearchPosting, SearchTerm, Stock
from market.http.db import engine_options
from market.kernel import tenancy
from market.kernel.actor import GUEST
from market.kernel.ids import new_id
from market.kernel.outbox import OutboxRow
from market.orders import service as orders
from market.orders.models import Order
from market.orders.service import WantedLine
from market.payments.models import Payment
from market.producers.models import Coop
from tests.conftest import NOW, settings_for
from tests.factories.catalogue import TODAY, make_listing, make_product
from tests.factories.orders import BUYER
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import make_actor

LATER = NOW + timedelta(minutes=30)


@pytest.fixture(scope="module")
def engine(servers, make_database) -> Iterator[Engine]:
    options = engine_options(settings_for(make_database("stock"), servers["REDIS_URL"]))
    engine = create_engine(options.pop("url"), **(options | {"pool_size": 50}))
    yield engine
    engine.dispose()


def committed(engine: Engine, act):
    with tenancy.scoped(tenancy.EVERYTHING), Session(engine, expire_on_commit=False) as session, session.begin():
        return act(session)


def shelf(engine: Engine, *on_hand: int) -> list[UUID]:
    def act(session):
        producer, product = make_producer(session), make_product(session)
        return [make_listing(session, producer=producer, product=product, on_hand=amount).lot_id for amount in on_hand]

    return committed(engine, act)


def together(act, count: int, *, at_once: int = 8) -> list[str]:
    def safely(number: int) -> str:
        try:
            act(number)
        except ListingSoldOut:
            return "sold out"
        return "held"

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(safely, range(count)))


def test_the_last_kilo_is_held_once(engine: Engine) -> None:
    (lot,) = shelf(engine, 1)

    def order(_: int) -> None:
        committed(engine, lambda s: service.hold_stock(s, wants=[(lot, Decimal(1))], order_id=new_id(), expires_at=LATER))

    assert Counter(together(order, 12)) == {"held": 1, "sold out": 11}


def test_fifty_buyers_at_once_and_one_gets_the_last_kilo(engine: Engine) -> None:
    """Whole orders, each by its one statement: what 49 are refused leaves nothing behind, no order, payment, posting or fact."""

    def offer(session):
        listing = make_listing(session, producer=make_producer(session, coop=make_coop(session)), on_hand=1)
        return listing.id, listing.lot_id

    listing_id, lot_id = committed(engine, offer)
    counted = [select(func.count()).select_from(each) for each in (Order, Payment, OutboxRow, Hold)]
    before = committed(engine, lambda session: [session.scalar(each) for each in counted])
    barrier = Barrier(50)

    def buy(number: int) -> None:
        def act(session):
            buyer = replace(BUYER, email=f"buyer{number}@example.org")
            wanted = [WantedLine(listing_id, Decimal(1))]
            session.connection()  # each has it before anybody starts
            barrier.wait()
            orders.place_order(session, actor=GUEST, wanted=wanted, buyer=buyer, method="card", now=NOW)

        committed(engine, act)

    assert Counter(together(buy, 50, at_once=50)) == {"held": 1, "sold out": 49}
    made = committed(engine, lambda session: [session.scalar(each) for each in counted])
    assert [after - earlier for after, earlier in zip(made, before, strict=True)] == [1, 1, 1, 1]
    stock = committed(engine, lambda session: session.get_one(Stock, lot_id))
    assert (stock.on_hand, stock.held) == (1, 1)


def test_baskets_over_the_same_lots_in_any_order_never_deadlock_nor_oversell(engine: Engine) -> None:
    lots = shelf(engine, 20, 20, 20, 20)

    def order(number: int) -> None:
        wants = [(lot, Decimal(1)) for lot in Random(number).sample(lots, 3)]
        committed(engine, lambda s: service.hold_stock(s, wants=wants, order_id=new_id(), expires_at=LATER))

    results = Counter(together(order, 40))
    held = committed(engine, lambda s: s.execute(select(Stock.held, Stock.on_hand).where(Stock.lot_id.in_(lots))).all())
    assert sum(row.held for row in held) == results["held"] * 3
    assert all(row.held <= row.on_hand for row in held)


def test_an_order_beside_a_withdrawal_is_refused_or_found_by_it(engine: Engine) -> None:
    """Whoever locks the lot first is first: the other one waits, and then knows."""

    def offer(session):
        listing = make_listing(session, on_hand=9)
        return listing.id, listing.lot_id, make_actor(session.get(Coop, listing.coop_id))

    listing_id, lot_id, staff = committed(engine, offer)
    wanted = [WantedLine(listing_id, Decimal(1))]

    def order(session):
        return orders.place_order(session, actor=GUEST, wanted=wanted, buyer=BUYER, method="transfer", now=NOW).order_id

    def withdraw(session):
        facts = {"lot_id": lot_id, "with_lots": (), "reason": "mould", "advice": "discard"}
        return orders.withdraw_lot(session, actor=staff, now=NOW, **facts).id

    def second_waits(first, second):
        """Do the first and, before its transaction ends, the second in another one, which has to wait for it."""
        with ThreadPoolExecutor(1) as pool:
            made, other = committed(
                engine, lambda session: (first(session), _blocked(engine, pool.submit(committed, engine, second)))
            )
            return made, other.result

    placed, withdrawn = second_waits(order, withdraw)
    withdrawal_id = withdrawn()
    assert committed(engine, lambda session: orders.unpaid_of(session, withdrawal_id=withdrawal_id)) == [placed]
    back = {"lot_id": lot_id, "reason": "wrong sack", "now": NOW}

    def publish_again(session):
        orders.take_back_withdrawal(session, actor=staff, **back)
        session.get_one(Listing, listing_id).state = "published"

    committed(engine, publish_again)
    _made, placed_late = second_waits(withdraw, order)
    with pytest.raises(ListingSoldOut):
        placed_late()


def _blocked(engine: Engine, task):
    """Return a task once it waits for somebody's lock."""
    waiting = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watching:
        while not watching.scalar(text(waiting)):
            assert not task.done(), "it did not wait"
    return task


def test_taking_releasing_and_expiring_at_once_ends_in_one_of_them(engine: Engine) -> None:
    (lot,) = shelf(engine, 30)
    orders = [new_id() for _ in range(10)]
    for order in orders:
        committed(
            engine, lambda s, order=order: service.hold_stock(s, wants=[(lot, Decimal(1))], order_id=order, expires_at=LATER)
        )

    def act(number: int) -> None:
        order = orders[number % 10]
        steps = (
            lambda s: service.take_holds(s, order_id=order),
            lambda s: service.release_holds(s, order_id=order),
            lambda s: service.expire_holds(s, now=LATER),
        )
        committed(engine, steps[number % 3])

    together(act, 30)
    stock = committed(engine, lambda s: s.execute(select(Stock.on_hand, Stock.held).where(Stock.lot_id == lot)).one())
    taken = committed(engine, lambda s: s.scalar(select(func.count()).where(Hold.lot_id == lot, Hold.state == "taken")))
    assert (stock.held, stock.on_hand) == (0, 30 - taken)


def test_listings_published_at_once_leave_exact_counts(engine: Engine) -> None:
    def act(session):
        producer, product = make_producer(session), make_product(session)
        return [
            make_listing(session, producer=producer, product=product, state="draft", title=f"Fig {n} common words").id
            for n in range(8)
        ]

    ids = committed(engine, act)

    def publish(number: int) -> None:
        def write(session):
            session.get_one(Listing, ids[number]).state = "published"
            service.refresh_cards(session, listing_ids=[ids[number]], on=TODAY)

        committed(engine, write)

    together(publish, 8)
    counted = committed(engine, lambda s: s.execute(select(SearchPosting.term, func.count()).group_by(SearchPosting.term)).all())
    kept = committed(
        engine, lambda s: s.execute(select(SearchTerm.term, SearchTerm.listings).where(SearchTerm.listings > 0)).all()
    )
    assert dict(map(tuple, counted)) == dict(map(tuple, kept))
