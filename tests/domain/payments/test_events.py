"""Events of the processor: hints that are looked up, in any order, any number of times, or never delivered."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from market.gateways.memory_stripe import MemoryCards
from market.http.db import unit_of_work
from market.kernel.ids import new_id, new_token
from market.kernel.inbox import InboxRow
from market.payments import queries, service
from market.payments.ports import ProcessorUnsure, ProviderEvent
from market.payments.rules import Amounts, State
from market.payments.service import record_checkout
from tests.conftest import NOW
from tests.domain.payments.reading import balances, topics
from tests.factories.payments import make_part, make_payment
from tests.factories.producers import make_coop

URLS = {"return_url": "http://r", "cancel_url": "http://c"}


@pytest.fixture
def cards():
    return MemoryCards()


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def opened(session, cards, coop):
    payment = make_payment(session, parts=[make_part(coop)])
    session.commit()
    return service.start_checkout(unit_of_work, cards, payment_id=payment.id, now=NOW, **URLS)


def take(session, kind, **ids) -> int:
    event = ProviderEvent(f"evt_{new_token(8)}", kind, ids.pop("object_id", "x"), NOW, **{k: str(v) for k, v in ids.items()})
    with unit_of_work() as unit:
        stored = service.store_event(unit, event=event, now=NOW)
        assert service.store_event(unit, event=event, now=NOW) is None
    return stored


def handle(cards, row_id):
    return service.handle_event(unit_of_work, cards, inbox_id=row_id, now=NOW)


@pytest.mark.parametrize("kind", ["payment_intent.succeeded", "checkout.session.completed", "payment_intent.created"])
def test_any_event_about_a_payment_makes_us_look(session, cards, coop, opened, kind):
    row_id = take(session, kind, payment_id=opened.id, object_id=opened.checkout_id)
    cards.pay(opened.checkout_id)
    assert handle(cards, row_id) == "applied"
    assert handle(cards, row_id) is None
    assert queries.payment(session, opened.id).is_paid
    assert balances(session, coop)["card_clearing"] == 10000
    assert topics(session).count("payments.paid") == 1


def test_an_event_that_says_succeeded_is_not_believed(session, cards, opened):
    assert handle(cards, take(session, "payment_intent.succeeded", payment_id=opened.id)) == "applied"
    assert queries.payment(session, opened.id).state is State.REQUIRES_ACTION


def test_an_event_may_come_before_we_noted_the_page(session, cards):
    payment = make_payment(session)
    order = service.prepare_checkout(session, payment_id=payment.id, now=NOW, **URLS)
    session.commit()
    page = cards.open_checkout(order)
    cards.pay(page.checkout_id)
    row_id = take(session, "checkout.session.completed", payment_id=payment.id, object_id=page.checkout_id)
    assert handle(cards, row_id) == "applied"
    assert queries.payment(session, payment.id).is_paid
    with unit_of_work() as unit:
        assert record_checkout(unit, payment_id=payment.id, seen=page, now=NOW).is_paid


def test_events_about_other_things_are_kept_and_left(session, cards):
    assert handle(cards, take(session, "customer.created")) == "not about payments"
    assert handle(cards, take(session, "payment_intent.succeeded", payment_id=new_id())).startswith("refused")
    assert session.scalars(select(InboxRow.outcome)).all()[0] == "not about payments"


def test_without_an_answer_the_event_waits_for_the_sweep(session, cards, opened):
    row_id = take(session, "payment_intent.succeeded", payment_id=opened.id)
    cards.pay(opened.checkout_id)
    cards.trouble = ["before"]
    with pytest.raises(ProcessorUnsure):
        handle(cards, row_id)
    done = service.sweep(unit_of_work, cards, now=NOW)
    assert done == {
        "events": 1,
        "running_out": 0,
        "authorisations": 0,
        "given_back": 0,
        "closed": 0,
        "asked": 0,
        "refunds": 0,
        "announced": 0,
    }
    assert queries.payment(session, opened.id).is_paid


def test_a_refund_event_settles_ours_and_records_theirs(session, cards, coop, opened):
    cards.pay(opened.checkout_id)
    paid = service.refresh(unit_of_work, cards, payment_id=opened.id, now=NOW)
    part = queries.parts(session, paid.id)[0]
    amounts = Amounts.of("EUR", (720, 80, 150, 50))
    with unit_of_work() as unit:
        refund = service.refund(
            unit, payment_id=paid.id, subject=part.subject, amounts=amounts, reason="x", bearer="coop", actor=_staff(), now=NOW
        )
    cards.trouble = ["after"]
    service.send_refund(unit_of_work, cards, refund_id=refund.id, now=NOW)
    intent = cards.checkout(opened.checkout_id).intent_id
    row_id = take(session, "refund.created", intent_id=intent, refund_id=refund.id)
    assert handle(cards, row_id) == "applied"
    assert queries.refund(session, refund.id).state == "paid"
    assert balances(session, coop)["refund_payable"] == 1000


def _staff():
    from market.kernel.actor import system

    return system("test")


def test_the_sweep_closes_what_is_over_and_asks_about_what_is_silent(session, cards, opened):
    assert service.sweep(unit_of_work, cards, now=NOW + timedelta(minutes=1))["asked"] == 0
    assert service.sweep(unit_of_work, cards, now=NOW + timedelta(minutes=5))["asked"] == 1
    assert service.sweep(unit_of_work, cards, now=NOW + timedelta(hours=2))["closed"] == 1
    assert queries.payment(session, opened.id).state is State.EXPIRED


def test_the_sweep_finds_a_payment_whose_buyer_closed_the_browser(session, cards, opened):
    cards.pay(opened.checkout_id)
    later = NOW + timedelta(minutes=5)
    assert service.sweep(unit_of_work, cards, now=later)["asked"] == 1
    assert queries.payment(session, opened.id).is_paid
    assert service.sweep(unit_of_work, cards, now=later + timedelta(minutes=5))["announced"] == 1


def test_one_step_that_fails_stops_nobody_else(session, cards):
    payments = [make_payment(session) for _ in range(2)]
    session.commit()
    for payment in payments:
        service.start_checkout(unit_of_work, cards, payment_id=payment.id, now=NOW, **URLS)
    cards._checkouts.pop(next(iter(cards._checkouts)))
    assert service.sweep(unit_of_work, cards, now=NOW + timedelta(minutes=5))["asked"] == 2
    assert sorted(row.state for row in map(lambda p: queries.payment(session, p.id), payments)) == ["requires_action"] * 2


def test_events_that_were_never_delivered_are_found(session, cards, opened):
    cards.pay(opened.checkout_id)
    assert service.compare_events(unit_of_work, cards, now=NOW) == 1
    assert service.compare_events(unit_of_work, cards, now=NOW) == 0
    assert service.sweep(unit_of_work, cards, now=NOW)["events"] == 1
    assert queries.payment(session, opened.id).is_paid
