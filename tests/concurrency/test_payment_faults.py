"""A bad hour at the processor: calls lost before and after their effect, broken, slow and refused, at random but repeatable.

The simulator's effect log is the oracle: whatever our tables say must be what happened there, once.
"""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from market.app import create_app
from market.gateways.stripe_cards import StripeCards
from market.http import db as http_db
from market.http.db import unit_of_work
from market.kernel import tenancy
from market.kernel.actor import system
from market.kernel.errors import DomainError
from market.kernel.ids import new_id
from market.ledger import queries as books
from market.payments import queries, service
from market.payments.ports import ProcessorUnsure
from market.payments.rules import Amounts, State
from market.ports import Ports
from tests.concurrency.test_payments import at_once
from tests.conftest import settings_for
from tests.domain.payments.reading import balances
from tests.factories.payments import make_part, make_payment
from tests.factories.producers import make_coop
from tests.stripe_server import KEY, SECRET, StripeServer

NOW = datetime.now(UTC)
MANY = 40
TROUBLE = {"drop_before": 0.10, "drop_after": 0.15, "500_after": 0.07, "500_before": 0.03, "409": 0.05, "429": 0.05}


@pytest.fixture
def server(tmp_path):
    running = StripeServer(tmp_path)
    yield running
    running.stop()


@pytest.fixture
def app(make_database, servers, server):
    cards = StripeCards(key=KEY, webhook_secret=SECRET, api_base=server.url, retries=0, timeout=3)
    app = create_app(settings_for(make_database("faults"), servers["REDIS_URL"]), ports=Ports(cards=cards))
    with app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        yield app
        for engine in http_db.db.engines.values():
            engine.dispose()


def trouble(server, *, seed: int) -> None:
    for number, (kind, probability) in enumerate(TROUBLE.items()):
        for method in ("POST", "GET") if kind.startswith("drop") else ("POST",):
            server.control("faults", kind=kind, path="/v1/.*", method=method, probability=probability, seed=seed + number)


def opened(cards, payment):
    for _ in range(5):
        try:
            return service.start_checkout(
                unit_of_work, cards, payment_id=payment.id, return_url="http://r", cancel_url="http://c", now=NOW
            )
        except DomainError:
            continue
    return None


def test_after_a_bad_hour_every_cent_is_where_the_effect_log_says(app, server):
    cards = app.extensions["ports"].cards
    with unit_of_work() as session:
        coop = make_coop(session)
        payments = [
            make_payment(session, parts=[make_part(coop)], now=NOW, expires_at=NOW + timedelta(hours=2)) for _ in range(MANY)
        ]
    trouble(server, seed=1)
    pages = [(payment, page) for payment in payments if (page := opened(cards, payment))]
    for number, (_, page) in enumerate(pages):
        if number % 5:  # every fifth buyer walks away
            server.pay(page.checkout_url)
    at_once(app, *[lambda minutes=minutes: swept(cards, minutes) for minutes in (5, 6, 7)])
    for minutes in (8, 12, 16):
        swept(cards, minutes)
    paid = [payment for payment, _ in pages if state_of(payment) is State.SUCCEEDED]
    for payment in paid[::2]:
        decide(payment)
    at_once(app, *[lambda minutes=minutes: swept(cards, minutes) for minutes in (20, 21, 22)])
    server.control("faults/clear")
    server.control("forget_keys")  # a day later the processor remembers none of them
    for hours in (24, 25):
        swept(cards, hours * 60)
    agree(server, coop, payments, cards)


def swept(cards, minutes: int) -> None:
    service.sweep(unit_of_work, cards, now=NOW + timedelta(minutes=minutes))


def state_of(payment) -> State:
    with unit_of_work() as session:
        return queries.payment(session, payment.id).state


def decide(payment) -> None:
    with unit_of_work() as session:
        part = queries.parts(session, payment.id)[0]
        service.refund(session, payment_id=payment.id, subject=part.subject, amounts=Amounts.of("EUR", (720, 80, 150, 50)),
                       reason="x", bearer="coop", actor=system("t"), now=NOW)  # fmt: skip


def agree(server, coop, payments, cards) -> None:
    """Our tables, the effect log and the books tell the same story."""
    charges = Counter(effect["metadata"]["payment_id"] for effect in server.effects("charge"))
    given = Counter(effect["metadata"]["refund_id"] for effect in server.effects("refund"))
    assert set(charges.values()) <= {1}
    assert set(given.values()) <= {1}
    with unit_of_work() as session:
        found = [queries.payment(session, payment.id) for payment in payments]
        assert {str(payment.id) for payment in found if payment.is_paid} == set(charges)
        assert not [payment for payment in found if payment.is_open]
        refunds = [refund for payment in found for refund in queries.refunds_of(session, payment_id=payment.id)]
        assert {str(refund.id) for refund in refunds if refund.state == "paid"} == set(given)
        assert {refund.state for refund in refunds} <= {"paid", "needs_person"}
        assert len(charges) > MANY / 2
        assert len(given) > MANY / 8
    service.sync_balance(unit_of_work, cards, now=NOW)
    with unit_of_work() as session:
        after = balances(session, coop)
        held = sum(minor for code, minor in after.items() if code.startswith("held:"))
        waiting = sum(refund.money.minor for refund in refunds if refund.state != "paid")
        assert held == len(charges) * 10000 - len(refunds) * 1000
        assert after.get("refund_payable", 0) == waiting
        assert after["stripe:1"] == len(charges) * 9825 - len(given) * 1000
        assert not {"card_clearing", "suspense:s"} & after.keys()
        assert books.check(session) == []


class NewKeyEachTime(StripeCards):
    """What this design avoids: a new key for each attempt."""

    def refund(self, order):
        return super().refund(replace(order, key=f"naive-{new_id()}"))


def test_with_a_new_key_for_each_attempt_the_same_hour_refunds_twice(app, server):
    """If this did not fail, the storm would prove nothing."""
    cards = NewKeyEachTime(key=KEY, webhook_secret=SECRET, api_base=server.url, retries=0, timeout=3)
    with unit_of_work() as session:
        coop = make_coop(session)
        payments = [
            make_payment(session, parts=[make_part(coop)], now=NOW, expires_at=NOW + timedelta(hours=2)) for _ in range(12)
        ]
    for payment in payments:
        server.pay(opened(cards, payment).checkout_url)
        service.refresh(unit_of_work, cards, payment_id=payment.id, now=NOW)
        decide(payment)
    trouble(server, seed=1)
    for minutes in range(1, 30, 3):
        swept(cards, minutes)
    given = Counter(effect["metadata"]["refund_id"] for effect in server.effects("refund"))
    assert max(given.values()) > 1


def test_a_processor_that_is_gone_changes_nothing(app, server):
    cards = app.extensions["ports"].cards
    with unit_of_work() as session:
        payment = make_payment(session, parts=[make_part(make_coop(session))], now=NOW, expires_at=NOW + timedelta(hours=2))
    page = opened(cards, payment)
    server.pay(page.checkout_url)
    server.stop()
    with pytest.raises(ProcessorUnsure):
        cards.checkout(page.checkout_id)
    swept(cards, 5)
    assert state_of(payment) is State.REQUIRES_ACTION
