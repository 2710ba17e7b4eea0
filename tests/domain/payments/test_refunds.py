"""Refunds: never more than was paid, of no component; sent once; proven by the statement."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from market.gateways.memory_stripe import MemoryCards
from market.http.db import unit_of_work
from market.kernel.actor import system
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger.rules import Leg
from market.payments import queries, service
from market.payments.errors import NothingToRefund, PaymentDisputed, RefundTooLarge, RefundUnderWay, WrongCurrency
from market.payments.ports import BalanceLine, DisputeAnswer, RefundAnswer
from market.payments.rules import Amounts
from tests.conftest import NOW
from tests.domain.payments.reading import balances, topics
from tests.factories.payments import make_part, make_payment
from tests.factories.producers import make_coop

ONE_OF_TEN = Amounts.of("EUR", (720, 80, 150, 50))
EVERYTHING = Amounts.of("EUR", (7200, 800, 1500, 500))


@pytest.fixture
def cards():
    return MemoryCards()


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def paid(session, cards, coop):
    """A paid seller order: payment and part."""
    part = make_part(coop)
    payment = make_payment(session, parts=[part])
    session.commit()
    opened = service.start_checkout(
        unit_of_work, cards, payment_id=payment.id, return_url="http://r", cancel_url="http://c", now=NOW
    )
    cards.pay(opened.checkout_id)
    return service.refresh(unit_of_work, cards, payment_id=payment.id, now=NOW), part


def decide(paid, amounts, **more):
    payment, part = paid
    values = {"reason": "Broken jar", "bearer": "coop", "actor": system("test"), "now": NOW}
    with unit_of_work() as unit:
        return service.refund(unit, payment_id=payment.id, subject=part.subject, amounts=amounts, **(values | more))


def test_e16_one_unit_of_ten_then_the_rest(session, cards, coop, paid):
    first = decide(paid, ONE_OF_TEN)
    assert balances(session, coop)["refund_payable"] == 1000
    assert balances(session, coop)["held:goods"] == 6480
    left = queries.refundable(session, payment_id=paid[0].id, subject=paid[1].subject)
    second = decide(paid, left)
    for refund in (first, second):
        assert service.send_refund(unit_of_work, cards, refund_id=refund.id, now=NOW).state == "paid"
    service.sync_balance(unit_of_work, cards, now=NOW)
    assert balances(session, coop) == {"payment_cost": 150, "stripe:1": -150}
    assert topics(session) == ["payments.paid", *["payments.refund_decided"] * 2, *["payments.refunded"] * 2]
    assert books.check(session) == []


@pytest.mark.parametrize(
    "amounts", [(7201, 0, 0, 0), (0, 801, 0, 0), (0, 0, 1501, 0), (0, 0, 0, 501), (-1, 2, 0, 0), (0, 0, 0, 0)]
)
def test_no_component_gives_back_more_than_it_got(session, paid, amounts):
    with pytest.raises(RefundTooLarge):
        decide(paid, Amounts.of("EUR", amounts))


def test_an_unpaid_payment_has_nothing_to_give_back(session, coop):
    part = make_part(coop)
    payment = make_payment(session, parts=[part])
    session.commit()
    with pytest.raises(NothingToRefund):
        decide((payment, part), ONE_OF_TEN)


INSERT = """
INSERT INTO refund (id, payment_id, coop_id, subject_id, kind, method, state, currency, amount_minor, goods_minor, reason, bearer,
                    decided_by, decided_at, idem_key)
VALUES (:id, :payment, :coop, :subject, :kind, 'card', 'decided', 'EUR', :minor, :goods, 'x', 'coop', 'x', now(), :key)"""


@pytest.mark.parametrize(
    ("kind", "minor", "goods", "own_part"),
    [
        ("part", 7201, 7201, True),
        ("part", 100, 99, True),
        ("surplus", 10001, 0, True),
        ("part", 1, 1, False),
        ("part", -1, -1, True),
    ],
)
def test_the_database_itself_refuses_too_much(session, coop, paid, kind, minor, goods, own_part):
    refund_id = new_id()
    values = {
        "id": refund_id, "payment": paid[0].id, "coop": coop.id, "subject": paid[1].subject if own_part else new_id(), "kind": kind,
        "minor": minor, "goods": goods, "key": str(refund_id),
    }  # fmt: skip
    with pytest.raises(DBAPIError, match=r"check|not paid"), session.begin_nested():
        session.execute(text(INSERT), values)


@pytest.mark.parametrize("statement", ["UPDATE refund SET amount_minor = 1", "DELETE FROM refund"])
def test_a_decided_refund_is_fixed(session, paid, statement):
    decide(paid, ONE_OF_TEN)
    with pytest.raises(DBAPIError, match="fixed"), session.begin_nested():
        session.execute(text(statement))


def test_a_lost_answer_refunds_once(session, cards, paid):
    refund = decide(paid, EVERYTHING)
    cards.trouble = ["after", "before"]
    assert service.send_refund(unit_of_work, cards, refund_id=refund.id, now=NOW).state == "unsure"
    assert queries.refunds_to_send(session, now=NOW) == []
    assert queries.refunds_to_send(session, now=NOW + timedelta(minutes=1)) == [refund.id]
    assert service.send_refund(unit_of_work, cards, refund_id=refund.id, now=NOW).state == "unsure"
    assert service.send_refund(unit_of_work, cards, refund_id=refund.id, now=NOW).state == "paid"
    assert service.send_refund(unit_of_work, cards, refund_id=refund.id, now=NOW) is None
    assert len(cards._refunds) == 1


def test_after_23_hours_only_questions_are_asked(session, cards, paid):
    lost, known = decide(paid, ONE_OF_TEN), decide(paid, ONE_OF_TEN)
    cards.trouble = ["before", "after"]
    for refund in (lost, known):
        service.send_refund(unit_of_work, cards, refund_id=refund.id, now=NOW)
    late = NOW + timedelta(hours=24)
    assert service.send_refund(unit_of_work, cards, refund_id=known.id, now=late).state == "paid"
    assert service.send_refund(unit_of_work, cards, refund_id=lost.id, now=late).state == "needs_person"
    assert len(cards._refunds) == 1


def test_after_release_the_caller_says_where_the_money_comes_from(session, coop, paid):
    subject = paid[1].subject
    amounts = Amounts.of("EUR", (720, 0, 0, 0))
    with pytest.raises(ValueError, match="the legs owe"):
        decide(paid, amounts, legs=[Leg("held:goods", "refund_payable", Money(719, "EUR"), subject)])
    decide(paid, amounts, legs=[Leg("refund_cost", "refund_payable", Money(720, "EUR"), subject)])
    assert balances(session, coop)["refund_cost"] == 720
    assert balances(session, coop)["held:goods"] == 7200


def test_a_refund_made_elsewhere_is_a_fact_like_ours(session, cards, coop, paid):
    intent = cards.checkout(paid[0].checkout_id).intent_id
    answer = RefundAnswer("re_dashboard", "succeeded", Money(1000, "EUR"), intent_id=intent)
    for _ in range(2):
        with unit_of_work() as unit:
            service.record_refund_elsewhere(unit, intent_id=intent, answer=answer, now=NOW)
    (refund,) = queries.refunds_of(session, subject=paid[1].subject)
    assert (refund.kind, refund.state, [money.minor for _, money in refund.amounts.components()]) == (
        "elsewhere",
        "paid",
        [720, 80, 150, 50],
    )
    assert balances(session, coop)["refund_payable"] == 1000
    other = RefundAnswer("re_other", "succeeded", Money(100, "USD"), intent_id=intent)
    with pytest.raises(WrongCurrency):
        service.record_refund_elsewhere(session, intent_id=intent, answer=other, now=NOW)


def test_a_transfer_is_given_back_by_the_bank(session, coop):
    part = make_part(coop)
    payment = make_payment(session, parts=[part], method="transfer")
    service.record_transfer(
        session, payment_id=payment.id, line_subject=new_id(), amount=payment.money, booked_on=NOW.date(), now=NOW
    )
    session.commit()
    refund = decide((payment, part), ONE_OF_TEN)
    assert [found.id for found in queries.refunds_to_transfer(session, coop_id=coop.id, currency="EUR")] == [refund.id]
    assert queries.refund_by_reference(session, refund.reference).id == refund.id
    assert queries.refunds_to_send(session, now=NOW + timedelta(days=1)) == []
    with pytest.raises(RefundTooLarge):
        service.record_bank_refund(session, refund_id=refund.id, amount=Money(999, "EUR"), suspense="suspense:1", now=NOW)
    legs = service.record_bank_refund(session, refund_id=refund.id, amount=Money(1000, "EUR"), suspense="suspense:1", now=NOW)
    assert [(leg.debit, leg.credit, leg.money.minor) for leg in legs] == [("refund_payable", "suspense:1", 1000)]


def test_what_the_card_says_late_never_opens_a_refund_that_went_by_bank(session, cards, coop, paid):
    refund = decide(paid, ONE_OF_TEN)
    with pytest.raises(RefundUnderWay):  # the card may still take it
        service.refund_by_bank(session, refund_id=refund.id, evidence="too early", actor=system("test"), now=NOW)
    failed = RefundAnswer("re_1", "failed", refund.money, intent_id="pi_1", refund_id=refund.id)
    service.record_refund(session, refund_id=refund.id, answer=failed, now=NOW)
    service.refund_by_bank(session, refund_id=refund.id, evidence="seen in the dashboard", actor=system("test"), now=NOW)
    service.record_refund(session, refund_id=refund.id, answer=failed, now=NOW)
    assert [row.id for row in queries.refunds_to_transfer(session, coop_id=coop.id, currency="EUR")] == [refund.id]
    taken = service.record_refund(session, refund_id=refund.id, answer=replace(failed, state="succeeded"), now=NOW)
    assert (taken.state, taken.problem[:18]) == ("decided", "The card processor")
    service.record_bank_refund(session, refund_id=refund.id, amount=refund.money, suspense="suspense:1", now=NOW)
    line = BalanceLine(
        line_id="txn_1", kind="refund_failure", source="re_1", gross=refund.money, fee=Money(0, "EUR"), net=refund.money,
        booked_at=NOW, payment_id=None, refund_id=str(refund.id), payout_id=None, bank_payout=None,
    )  # fmt: skip
    service.store_lines(session, [line])
    service.match_new_lines(session, now=NOW)
    service.record_refund(session, refund_id=refund.id, answer=failed, now=NOW)
    assert queries.refund(session, refund.id).state == "paid"
    with pytest.raises(RefundUnderWay):
        service.refund_by_bank(session, refund_id=refund.id, evidence="once more", actor=system("test"), now=NOW)
    with pytest.raises(RefundUnderWay):  # a second debit is not explained by a refund that was paid
        service.record_bank_refund(session, refund_id=refund.id, amount=refund.money, suspense="suspense:1", now=NOW)


def test_no_refund_goes_by_bank_while_the_buyers_bank_has_taken_the_payment_back(session, cards, coop, paid):
    refund = decide(paid, ONE_OF_TEN)
    service.record_refund_outcome(session, refund_id=refund.id, state="needs_person", problem="disputed")
    intent = session.execute(text("SELECT intent_id FROM payment WHERE id = :id"), {"id": paid[0].id}).scalar_one()
    taken = DisputeAnswer("dp_1", "needs_response", "fraudulent", paid[0].money, intent, NOW, None)
    service.record_dispute(session, answer=taken, now=NOW)
    with pytest.raises(PaymentDisputed):
        service.refund_by_bank(session, refund_id=refund.id, evidence="nothing came", actor=system("test"), now=NOW)
    with pytest.raises(PaymentDisputed):
        decide(paid, ONE_OF_TEN)


@pytest.mark.parametrize(("decision", "state"), [("won", "decided"), ("lost", "paid")])
def test_a_refund_by_bank_waits_for_a_dispute_that_opens_after_it(session, cards, coop, paid, decision, state):
    refund = decide(paid, ONE_OF_TEN)
    failed = RefundAnswer("re_1", "failed", refund.money, intent_id="pi_1", refund_id=refund.id)
    service.record_refund(session, refund_id=refund.id, answer=failed, now=NOW)
    service.refund_by_bank(session, refund_id=refund.id, evidence="seen in the dashboard", actor=system("test"), now=NOW)
    intent = session.execute(text("SELECT intent_id FROM payment WHERE id = :id"), {"id": paid[0].id}).scalar_one()
    for said in ("needs_response", decision):
        answer = DisputeAnswer("dp_1", said, "fraudulent", paid[0].money, intent, NOW, None)
        service.record_dispute(session, answer=answer, now=NOW)
        if said == "needs_response":
            held = queries.refund(session, refund.id)
            assert (held.state, held.problem[:16]) == ("needs_person", "The buyer's bank")
    for late in ("under_review", {"won": "lost", "lost": "won"}[decision]):  # what is decided stays so, whatever comes late
        answer = DisputeAnswer("dp_1", late, "fraudulent", paid[0].money, intent, NOW, None)
        service.record_dispute(session, answer=answer, now=NOW)
    assert queries.refund(session, refund.id).state == state
    owed = 0 if decision == "lost" else 1000
    assert balances(session, coop).get("refund_payable", 0) == owed
    if decision == "lost":
        assert balances(session, coop)["dispute_loss"] == 10000 - 1000
    assert books.check(session) == []


def test_what_a_lost_dispute_has_met_stays_met_when_the_card_says_late_that_it_failed(session, cards, coop, paid):
    refund = decide(paid, ONE_OF_TEN)
    failed = RefundAnswer("re_1", "failed", refund.money, intent_id="pi_1", refund_id=refund.id)
    service.record_refund(session, refund_id=refund.id, answer=failed, now=NOW)
    intent = session.execute(text("SELECT intent_id FROM payment WHERE id = :id"), {"id": paid[0].id}).scalar_one()
    lost = DisputeAnswer("dp_1", "lost", "fraudulent", paid[0].money, intent, NOW, None)
    service.record_dispute(session, answer=lost, now=NOW)
    service.record_refund(session, refund_id=refund.id, answer=failed, now=NOW)
    assert queries.refund(session, refund.id).state == "paid"
    assert balances(session, coop).get("refund_payable", 0) == 0


def test_what_a_lost_dispute_left_of_a_payment_can_still_go_back_by_bank(session, cards, coop, paid):
    refund = decide(paid, ONE_OF_TEN)
    service.record_refund_outcome(session, refund_id=refund.id, state="needs_person", problem="the card said no")
    intent = session.execute(text("SELECT intent_id FROM payment WHERE id = :id"), {"id": paid[0].id}).scalar_one()
    by_bank = {"refund_id": refund.id, "evidence": "nothing came", "actor": system("test"), "now": NOW}
    first = DisputeAnswer("dp_1", "needs_response", "fraudulent", Money(999, "EUR"), intent, NOW, None)
    service.record_dispute(session, answer=first, now=NOW)
    with pytest.raises(PaymentDisputed):
        service.refund_by_bank(session, **by_bank)
    service.record_dispute(session, answer=replace(first, state="lost"), now=NOW)
    service.refund_by_bank(session, **by_bank)
    service.record_bank_refund(session, refund_id=refund.id, amount=refund.money, suspense="suspense:1", now=NOW)
    second = replace(first, provider_ref="dp_2", state="lost", money=Money(8002, "EUR"))
    service.record_dispute(session, answer=second, now=NOW)
    with pytest.raises(PaymentDisputed):  # 10000 came, 1000 went back, 9001 were lost: nothing is left to go back again
        service.undo_bank_refund(session, refund_id=refund.id)
    assert books.check(session) == []
