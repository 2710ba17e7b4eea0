"""Two beats run everything at once, and their clocks are an hour wrong, one each way: whatever falls due happens once."""

import importlib
import threading
from collections import Counter
from datetime import timedelta

import pytest
from celery import current_app as celery
from sqlalchemy import text

from market.app import create_app
from market.gateways import memory
from market.http import db as http_db
from market.http.db import unit_of_work
from market.kernel import tenancy
from market.kernel.actor import GUEST, Actor
from market.kernel.clock import FixedClock
from market.kernel.ids import new_id
from market.ledger import queries as books
from market.orders import service
from market.payments import service as payments
from tests.concurrency.patience import patient
from tests.conftest import NOW, settings_for
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order, parts_of, place
from tests.factories.payouts import approved_run, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer
from workers.queues import MODULES
from workers.schedule import SCHEDULE

pytestmark = pytest.mark.faults
STAFF = Actor(account_id=new_id(), roles=frozenset({"preparer"}))
SKEW = timedelta(hours=1)
# The dispatcher hands over to the broker, which may deliver anything twice anyhow; its rows are claimed by SKIP LOCKED.
NAMES = sorted({str(entry["task"]) for entry in SCHEDULE.values()} - {"outbox.dispatch"})


@pytest.fixture
def apps(make_database, servers, monkeypatch):
    """One site with two beats: the same database, broker and outside world, clocks two hours apart."""
    monkeypatch.setattr(celery.conf, "broker_url", servers["REDIS_URL"])
    url, outside = make_database("beats"), memory.ports()
    with patient():
        settings = settings_for(url, servers["REDIS_URL"])
        made = [create_app(settings, ports=outside, clock=FixedClock(NOW + skew)) for skew in (-SKEW, SKEW)]
    yield made, outside
    for app in made:
        with app.app_context():
            for engine in http_db.db.engines.values():
                engine.dispose()


def together(apps, name: str) -> None:
    """Run one task in both beats at the same moment."""
    barrier, broken = threading.Barrier(len(apps)), []

    def run(app) -> None:
        with app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
            barrier.wait()
            try:
                celery.tasks[name].run()
            except Exception as error:
                broken.append((name, error))
            http_db.db.session.remove()

    threads = [threading.Thread(target=run, args=(app,)) for app in apps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []


def paid_on_the_page(cards):
    """Place an order and pay it on the card page, of which nobody here has heard yet."""
    with unit_of_work() as session:
        placed = place(session, make_listing(session), now=NOW)
    pages = {"return_url": "http://r", "cancel_url": "http://c"}
    page = payments.start_checkout(unit_of_work, cards, payment_id=placed.payment_id, now=NOW - SKEW, **pages)
    cards.pay(page.checkout_id)
    return placed


def to_be_given_back(cards) -> None:
    """Decide a refund that is not sent yet."""
    placed = paid_on_the_page(cards)
    payments.refresh(unit_of_work, cards, payment_id=placed.payment_id, now=NOW)
    with unit_of_work() as session:
        service.mark_paid(session, order_id=placed.order_id, payment_id=placed.payment_id, now=NOW)
        (back,) = parts_of(session, placed.order_id)
        service.refund_seller_order(session, actor=STAFF, seller_order_id=back.id, reason="r", bearer="coop", now=NOW - SKEW)


def much_to_do() -> tuple[list, list]:
    """Commit payouts to send, orders that have arrived, and one that nobody pays."""
    with unit_of_work() as session:
        coop = make_coop(session)
        for n in range(4):
            producer = make_producer(session, coop=coop)
            make_payee_account(session, producer=producer, rail="stripe", iban=None, bic=None, stripe_account=f"acct_{n}")
            owe(session, producer, 1000 + n)
        approved_run(session, coop.id)
        arrived = []
        for _ in range(3):
            (part,) = parts_of(session, paid_order(session).order_id)
            service.ship(session, actor=STAFF, seller_order_id=part.id, tracking=None, now=NOW - timedelta(days=20))
            arrived.append(part.id)
        left = place(session, make_listing(session), actor=GUEST, method="transfer", now=NOW - timedelta(days=30))
    return arrived, [left.order_id]


def test_whatever_falls_due_happens_once(apps, report):
    made, outside = apps
    for module in MODULES:
        importlib.import_module(module)
    with made[0].app_context(), tenancy.scoped(tenancy.EVERYTHING):
        arrived, unpaid = much_to_do()
        unheard = paid_on_the_page(outside.cards)
        to_be_given_back(outside.cards)
    for _ in range(3):
        for name in NAMES:
            together(made, name)
    with made[0].app_context(), tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
        states = Counter(session.execute(text("SELECT state FROM seller_order WHERE id = ANY(:ids)"), {"ids": arrived}).scalars())
        assert states == {"settled": len(arrived)}
        raised = session.execute(text("SELECT count(*) FROM payable WHERE source_id = ANY(:ids)"), {"ids": arrived}).scalar_one()
        assert raised == len(arrived)
        assert session.execute(text("SELECT state FROM orders WHERE id = ANY(:ids)"), {"ids": unpaid}).scalars().all() == [
            "cancelled"
        ]
        assert len(outside.transfers.sent) == 4
        assert session.execute(text("SELECT DISTINCT state FROM payout")).scalars().all() == ["sent"]
        assert len(outside.cards._refunds) == 1
        paid = session.execute(text("SELECT state FROM payment WHERE id = :id"), {"id": unheard.payment_id}).scalar_one()
        assert paid == "succeeded"
        posted = Counter(session.execute(text("SELECT kind FROM ledger_transaction")).scalars())
        assert (posted["release"], posted["refund.decided"], posted["payment.paid"]) == (len(arrived), 1, 5)
        assert books.check(session) == []
    report(f"two beats at once, clocks two hours apart: {len(NAMES)} tasks, three rounds, everything once")
