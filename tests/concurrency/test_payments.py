"""Card payments with real commits, several threads, the real gateway and the simulator over HTTP."""

import threading
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from market.app import create_app
from market.gateways.memory_stripe import MemoryCards
from market.gateways.stripe_cards import StripeCards
from market.http import db as http_db
from market.kernel import tenancy
from market.kernel.actor import system
from market.kernel.errors import DomainError
from market.kernel.outbox import OutboxRow
from market.ledger import queries as books
from market.payments import queries, service
from market.payments.models import Payment
from market.payments.ports import ProviderEvent
from market.payments.rules import Amounts, State
from market.ports import Ports
from tests.conftest import settings_for
from tests.domain.payments.reading import balances
from tests.factories.payments import make_part, make_payment
from tests.factories.producers import make_coop
from tests.stripe_server import KEY, SECRET, StripeServer

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = StripeServer(tmp_path_factory.mktemp("stripe"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def real_app(make_database, servers, server):
    cards = StripeCards(key=KEY, webhook_secret=SECRET, api_base=server.url, retries=0, timeout=60)
    app = create_app(settings_for(make_database("payments"), servers["REDIS_URL"]), ports=Ports(cards=cards))
    yield app
    with app.app_context():
        for engine in http_db.db.engines.values():
            engine.dispose()


@pytest.fixture
def cards(real_app, server):
    yield real_app.extensions["ports"].cards
    server.control("faults/clear")


def at_once(app, *calls: Callable[[], object]) -> list[object]:
    """Run the calls at the same moment, each in its own thread and transaction; return results and refusals."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number: int, call: Callable[[], object]) -> None:
        with app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
            barrier.wait()
            try:
                results[number] = call()
            except DomainError as error:
                results[number] = error
            http_db.db.session.remove()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def paid_page(real_app, cards, server):
    """A payment whose buyer has paid at the processor and of which we do not know yet."""
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        with http_db.unit_of_work() as session:
            coop = make_coop(session)
            payment = make_payment(session, parts=[make_part(coop)], now=NOW, expires_at=NOW + timedelta(hours=1))
        opened = service.start_checkout(
            http_db.unit_of_work, cards, payment_id=payment.id, return_url="http://r", cancel_url="http://c", now=NOW
        )
        server.pay(opened.checkout_url)
        yield coop, opened
        with http_db.unit_of_work() as session:
            assert books.check(session) == []


def paid_announcements(session, payment) -> int:
    found = (
        select(func.count()).select_from(OutboxRow).where(OutboxRow.topic == "payments.paid", OutboxRow.key == str(payment.id))
    )
    return session.scalar(found)


def test_webhook_twice_and_browser_at_once_post_once(real_app, cards, paid_page):
    coop, payment = paid_page
    event = ProviderEvent("evt_race", "payment_intent.succeeded", "pi", NOW, payment_id=str(payment.id))
    with http_db.unit_of_work() as session:
        stored = service.store_event(session, event=event, now=NOW)

    def webhook():
        return service.handle_event(http_db.unit_of_work, cards, inbox_id=stored, now=NOW)

    def browser():
        return service.refresh(http_db.unit_of_work, cards, payment_id=payment.id, now=NOW)

    results = at_once(real_app, webhook, browser, webhook, browser, webhook, browser)
    assert all(result.is_paid for result in results[1::2])
    with http_db.unit_of_work() as session:
        assert balances(session, coop)["card_clearing"] == 10000
        assert paid_announcements(session, payment) == 1


def test_the_same_delivery_at_once_is_stored_once(real_app, paid_page):
    event = ProviderEvent("evt_twice", "charge.succeeded", "ch", NOW)

    def deliver():
        with http_db.unit_of_work() as session:
            return service.store_event(session, event=event, now=NOW)

    results = at_once(real_app, *[deliver] * 6)
    assert len([row_id for row_id in results if row_id is not None]) == 1


def test_two_full_refunds_at_once_give_back_once(real_app, cards, server, paid_page):
    coop, payment = paid_page
    service.refresh(http_db.unit_of_work, cards, payment_id=payment.id, now=NOW)
    with http_db.unit_of_work() as session:
        part = queries.parts(session, payment.id)[0]

    def refund():
        with http_db.unit_of_work() as session:
            amounts = Amounts.of("EUR", (7200, 800, 1500, 500))
            return service.refund(session, payment_id=payment.id, subject=part.subject, amounts=amounts, reason="x", bearer="coop",
                                  actor=system("t"), now=NOW)  # fmt: skip

    made = [result for result in at_once(real_app, refund, refund, refund) if not isinstance(result, DomainError)]
    assert len(made) == 1

    def send():
        return service.send_refund(http_db.unit_of_work, cards, refund_id=made[0].id, now=NOW)

    server.control("faults", kind="drop_after", path="/v1/refunds", count=1)
    at_once(real_app, send, send, send)
    send()
    given = [effect for effect in server.effects("refund") if effect["metadata"]["refund_id"] == str(made[0].id)]
    assert [effect["amount"] for effect in given] == [10000]
    with http_db.unit_of_work() as session:
        assert queries.refund(session, made[0].id).state == "paid"
        assert balances(session, coop) == {"card_clearing": 10000, "refund_payable": 10000}


def test_opening_for_one_order_at_once_makes_one_payment(real_app):
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        with http_db.unit_of_work() as session:
            part = make_part(make_coop(session))

        def open_one():
            with http_db.unit_of_work() as session:
                return make_payment(session, parts=[part], subject_id=part.subject)

        results = at_once(real_app, *[open_one] * 5)
        assert len({result.id for result in results if not isinstance(result, DomainError)}) == 1


def test_closing_while_the_buyer_pays_ends_in_exactly_one_truth(real_app, cards, server):
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        for _ in range(5):
            with http_db.unit_of_work() as session:
                coop = make_coop(session)
                payment = make_payment(session, parts=[make_part(coop)], now=NOW, expires_at=NOW + timedelta(hours=1))
            opened = service.start_checkout(
                http_db.unit_of_work, cards, payment_id=payment.id, return_url="http://r", cancel_url="http://c", now=NOW
            )

            def close(one=payment):
                return service.close(http_db.unit_of_work, cards, payment_id=one.id, now=NOW)

            def pay(url=opened.checkout_url):
                return server.submit(url, test="4242424242424242")[0]

            closed, answer = at_once(real_app, close, pay)
            charged = [e for e in server.effects("charge") if e["metadata"]["payment_id"] == str(payment.id)]
            assert closed.state in (State.SUCCEEDED, State.EXPIRED)
            assert (closed.state is State.SUCCEEDED) == (answer == 303) == bool(charged)
            with http_db.unit_of_work() as session:
                assert balances(session, coop).get("card_clearing", 0) == sum(e["amount"] for e in charged)


def test_the_whole_statement_by_book_ends_at_zero(real_app, cards, server, paid_page):
    coop, payment = paid_page
    service.refresh(http_db.unit_of_work, cards, payment_id=payment.id, now=NOW)
    at_once(real_app, *[lambda: service.sync_balance(http_db.unit_of_work, cards, now=NOW)] * 3)
    with http_db.unit_of_work() as session:
        assert balances(session, coop)["stripe:1"] == 9825
    made = server.control("payouts")["payouts"]
    assert made
    service.sync_balance(http_db.unit_of_work, cards, now=NOW)
    at_once(real_app, *[lambda: service.sync_bank_payouts(http_db.unit_of_work, cards)] * 3)
    with http_db.unit_of_work() as session:
        after = balances(session, coop)
        assert after["sweep_transit"] == 9825
        assert not {"stripe:1", "suspense:s", "card_clearing"} & after.keys()
        assert queries.unexplained_lines(session) == []


@contextmanager
def hurried():
    """A unit of work that waits for a lock as long as a test can."""
    with http_db.unit_of_work() as session:
        session.execute(text("SET LOCAL lock_timeout = '30ms'"))
        yield session


def asked_at(ids):
    """When each payment was last asked about, or announced again."""
    with http_db.unit_of_work() as session:
        return [session.get_one(Payment, one).asked_at for one in ids]


def test_rows_in_somebody_elses_hand_stop_no_sweep(real_app):
    cards, later = MemoryCards(), NOW + timedelta(minutes=10)
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        with http_db.unit_of_work() as session:
            coop = make_coop(session)
            ids = [
                make_payment(session, parts=[make_part(coop)], now=NOW, expires_at=NOW + timedelta(hours=1)).id for _ in range(3)
            ]
        pages = {"return_url": "http://r", "cancel_url": "http://c", "now": NOW}
        opened = [service.start_checkout(http_db.unit_of_work, cards, payment_id=one, **pages) for one in ids]
        cards.pay(opened[0].checkout_id)
        service.refresh(http_db.unit_of_work, cards, payment_id=ids[0], now=NOW)
        taken = text("SELECT 1 FROM payment WHERE id = ANY (:ids) FOR UPDATE")
        with http_db.db.engine.begin() as other:
            other.execute(taken, {"ids": ids[:2]})
            service.sweep(hurried, cards, now=later)
        assert asked_at(ids) == [NOW, NOW, later], "what is in hand is left alone, the rest is done"
        service.sweep(http_db.unit_of_work, cards, now=later)
        assert asked_at(ids) == [later, later, later], "the next sweep does what this one left"
