"""Card payments on PostgreSQL with the processor in memory: what is posted, and that it is posted once."""

from datetime import timedelta

import pytest

from market.gateways.memory_stripe import MemoryCards
from market.http.db import unit_of_work
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.payments import queries, service
from market.payments.errors import PaymentAlreadyOpen, ProcessorUnavailable, SeveralCoopsByTransfer
from market.payments.rules import State
from tests.conftest import NOW
from tests.domain.payments.reading import balances, topics
from tests.factories.payments import make_part, make_payment
from tests.factories.producers import make_coop

URLS = {"return_url": "http://shop/paid?s={CHECKOUT_SESSION_ID}", "cancel_url": "http://shop/order"}


@pytest.fixture
def cards():
    return MemoryCards()


def start(cards, payment):
    return service.start_checkout(unit_of_work, cards, payment_id=payment.id, now=NOW, **URLS)


def test_a_paid_card_posts_e02_and_says_so_once(session, cards):
    coop = make_coop(session)
    payment = make_payment(session, parts=[make_part(coop)])
    session.commit()
    opened = start(cards, payment)
    assert opened.state is State.REQUIRES_ACTION
    assert start(cards, payment).checkout_url == opened.checkout_url
    cards.pay(opened.checkout_id)
    for _ in range(3):
        result = service.refresh(unit_of_work, cards, payment_id=payment.id, now=NOW + timedelta(minutes=5))
    assert result.is_paid
    assert result.paid_at == NOW
    assert balances(session, coop) == {
        "card_clearing": 10000, "held:goods": 7200, "held:premium": 800, "held:charges": 1500, "held:tax": 500,
    }  # fmt: skip
    assert topics(session) == ["payments.paid"]
    assert books.check(session) == []


def test_every_co_op_has_its_part_in_its_own_book(session, cards):
    first, second = make_coop(session), make_coop(session)
    parts = [make_part(first), make_part(second, goods=100, premium=0, charges=0, tax=0), make_part(first, goods=50, premium=1)]
    payment = make_payment(session, parts=parts)
    session.commit()
    cards.pay(start(cards, payment).checkout_id)
    service.refresh(unit_of_work, cards, payment_id=payment.id, now=NOW)
    assert balances(session, first)["held:goods"] == 7250
    assert balances(session, second) == {"card_clearing": 100, "held:goods": 100}
    held = books.subject_balance(session, ledger.book_of(session, first.id), "held:premium", parts[2].subject)
    assert [row.money.minor for row in held] == [1]


def test_a_lost_answer_opens_the_same_page(session, cards):
    payment = make_payment(session)
    session.commit()
    cards.trouble = ["after", "before"]
    for _ in range(2):
        with pytest.raises(ProcessorUnavailable):
            start(cards, payment)
    assert start(cards, payment).checkout_url is not None
    assert len(cards._checkouts) == 1


def test_after_23_hours_a_lost_page_gets_a_new_key(session, cards):
    payment = make_payment(session)
    first = service.prepare_checkout(session, payment_id=payment.id, now=NOW, **URLS)
    again = service.prepare_checkout(session, payment_id=payment.id, now=NOW + timedelta(hours=22), **URLS)
    late = service.prepare_checkout(session, payment_id=payment.id, now=NOW + timedelta(hours=24), **URLS)
    assert first.key == again.key == f"pay-{payment.id}-v1"
    assert late.key == f"pay-{payment.id}-v2"


def test_one_live_payment_per_thing(session):
    coop = make_coop(session)
    part = make_part(coop)
    first = make_payment(session, parts=[part])
    again = make_payment(session, parts=[part], subject_id=first.subject_id)
    assert again.id == first.id
    with pytest.raises(PaymentAlreadyOpen):
        make_payment(session, parts=[make_part(coop, goods=1)], subject_id=first.subject_id)
    service.cancel_unsent(session, payment_id=first.id, now=NOW)
    assert make_payment(session, parts=[part], subject_id=first.subject_id).id != first.id


def test_a_transfer_pays_one_co_op_only(session):
    with pytest.raises(SeveralCoopsByTransfer):
        make_payment(session, parts=[make_part(make_coop(session)), make_part(make_coop(session))], method="transfer")


def test_a_debit_waits_and_may_fail(session, cards):
    coop = make_coop(session)
    payment = make_payment(session, parts=[make_part(coop)])
    session.commit()
    checkout_id = start(cards, payment).checkout_id
    cards.start_debit(checkout_id)
    assert service.refresh(unit_of_work, cards, payment_id=payment.id, now=NOW).state is State.PROCESSING
    assert queries.overdue(session, now=NOW + timedelta(days=2)) == []
    cards.refuse_debit(checkout_id)
    result = service.refresh(unit_of_work, cards, payment_id=payment.id, now=NOW)
    assert (result.state, result.problem) == (State.FAILED, "The customer's bank refused the debit.")
    assert topics(session) == ["payments.closed"]
    assert balances(session, coop) == {}


def test_closing_an_unpaid_page_ends_it_and_a_paid_one_is_paid(session, cards):
    unpaid, paid = make_payment(session), make_payment(session)
    session.commit()
    start(cards, unpaid)
    cards.pay(start(cards, paid).checkout_id)
    assert service.close(unit_of_work, cards, payment_id=unpaid.id, now=NOW).state is State.EXPIRED
    assert service.close(unit_of_work, cards, payment_id=paid.id, now=NOW).is_paid
    never_sent = make_payment(session)
    session.commit()
    assert service.close(unit_of_work, cards, payment_id=never_sent.id, now=NOW).state is State.EXPIRED


@pytest.mark.parametrize("came", [Money(9999, "EUR"), Money(10_001, "EUR"), Money(10_000, "USD")])
def test_another_sum_or_currency_pays_no_order(session, cards, came):
    payment = make_payment(session)
    session.commit()
    cards._see(start(cards, payment).checkout_id, state="succeeded", paid=came)
    assert service.refresh(unit_of_work, cards, payment_id=payment.id, now=NOW).state is State.SURPLUS
    assert "payments.paid" not in topics(session)


def test_money_for_a_closed_payment_goes_back(session, cards):
    first, second = make_coop(session), make_coop(session)
    payment = make_payment(session, parts=[make_part(first), make_part(second, goods=100, premium=0, charges=0, tax=0)])
    session.commit()
    checkout_id = start(cards, payment).checkout_id
    cards.start_debit(checkout_id)
    failed = cards.checkout(checkout_id).__class__(checkout_id, "failed", None)
    with unit_of_work() as unit:
        service.apply(unit, payment_id=payment.id, seen=failed, now=NOW)
    seen = cards.pay(checkout_id)
    with unit_of_work() as unit:
        assert service.apply(unit, payment_id=payment.id, seen=seen, now=NOW).state is State.SURPLUS
    assert balances(session, first) == {"card_clearing": 10000, "refund_payable": 10000}
    assert balances(session, second) == {"card_clearing": 100, "refund_payable": 100}
    for refund in queries.refunds_of(session, payment_id=payment.id):
        assert service.send_refund(unit_of_work, cards, refund_id=refund.id, now=NOW).state == "paid"
    service.sync_balance(unit_of_work, cards, now=NOW)
    assert balances(session, second) == {"payment_cost": 2, "stripe:1": -2}
    assert books.check(session) == []


def test_paid_without_order_is_said_again_until_somebody_takes_note(session, cards):
    payment = make_payment(session)
    session.commit()
    cards.pay(start(cards, payment).checkout_id)
    service.refresh(unit_of_work, cards, payment_id=payment.id, now=NOW)
    later = NOW + timedelta(minutes=10)
    lost = queries.unacknowledged(session, before=later)
    assert [found.id for found in lost] == [payment.id]
    service.announce_again(session, lost, now=later)
    session.flush()
    assert queries.unacknowledged(session, before=later) == []
    service.acknowledge(session, payment_id=payment.id, now=later)
    session.flush()
    assert queries.unacknowledged(session, before=later + timedelta(days=1)) == []


def test_what_the_processor_does_not_answer_changes_nothing(session, cards):
    payment = make_payment(session)
    session.commit()
    cards.pay(start(cards, payment).checkout_id)
    cards.trouble = ["before"]
    assert service.refresh(unit_of_work, cards, payment_id=payment.id, now=NOW).state is State.REQUIRES_ACTION
    assert queries.to_refresh(session, before=NOW) == []
    assert queries.to_refresh(session, before=NOW + timedelta(minutes=1)) == [payment.id]


def test_the_processors_statement_empties_the_clearing_by_book(session, cards):
    first, second = make_coop(session), make_coop(session)
    payment = make_payment(session, parts=[make_part(first), make_part(second, goods=100, premium=0, charges=0, tax=0)])
    session.commit()
    cards.pay(start(cards, payment).checkout_id)
    service.refresh(unit_of_work, cards, payment_id=payment.id, now=NOW)
    assert service.sync_balance(unit_of_work, cards, now=NOW) == 1
    assert service.sync_balance(unit_of_work, cards, now=NOW) == 0
    one, two = balances(session, first), balances(session, second)
    assert (one["stripe:1"], one["payment_cost"]) == (9850, 150)  # 152 of 10100: 150.495 and 1.505
    assert (two["stripe:1"], two["payment_cost"]) == (98, 2)
    assert not {"card_clearing", "suspense:s"} & (one.keys() | two.keys())
    assert one["held:goods"] == Money(7200, "EUR").minor
