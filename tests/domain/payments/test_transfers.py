"""Bank transfers in: the states, the receipts, and the legs for the statement's match."""

from contextlib import contextmanager
from datetime import date, timedelta

import pytest

from market.kernel.actor import system
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry, legs
from market.payments import queries, service
from market.payments.errors import (
    LaterTransfer,
    NothingToRefund,
    PaymentNotOpen,
    TransferAlreadyUsed,
    TransferEarned,
    TransferGivenBack,
    WrongCurrency,
)
from market.payments.rules import Amounts, State
from tests.conftest import NOW
from tests.domain.payments.reading import balances, topics
from tests.factories.payments import make_part, make_payment
from tests.factories.producers import make_coop

DAY = date(2026, 11, 25)


@pytest.fixture
def coop(session):
    return make_coop(session)


def arrive(session, payment, minor, *, line=None, currency="EUR", now=NOW):
    """Import a line, match it, as the statements do."""
    line = line or new_id()
    money = Money(minor, currency)
    result = service.record_transfer(session, payment_id=payment.id, line_subject=line, amount=money, booked_on=DAY, now=now)
    book = ledger.book_of(session, result.coop_id)
    imported = Entry(book, "import", f"import:{line}", DAY, "t", legs(("bank:1", "suspense:1", money)))
    ledger.post(session, [imported, Entry(book, "match", f"match:{line}", DAY, "t", result.legs)])
    return result.payment


def test_an_exact_transfer_pays(session, coop):
    payment = make_payment(session, parts=[make_part(coop)], method="transfer")
    assert (payment.state, payment.due.minor) == (State.AWAITING_TRANSFER, 10000)
    assert queries.payment_by_reference(session, payment.reference.lower()).id == payment.id
    assert [found.id for found in queries.awaited_transfers(session, coop_id=coop.id, currency="EUR")] == [payment.id]
    assert arrive(session, payment, 10000).is_paid
    assert queries.awaited_transfers(session, coop_id=coop.id, currency="EUR") == []
    assert balances(session, coop) == {
        "bank:1": 10000, "held:goods": 7200, "held:premium": 800, "held:charges": 1500, "held:tax": 500,
    }  # fmt: skip
    assert topics(session) == ["payments.paid"]


def test_a_small_shortage_is_written_off_and_never_given_back(session, coop):
    part = make_part(coop)
    payment = make_payment(session, parts=[part], method="transfer")
    assert arrive(session, payment, 9970).is_paid
    assert balances(session, coop)["write_off"] == 30
    left = queries.refundable(session, payment_id=payment.id, subject=part.subject)
    assert (left.total.minor, left.charges.minor) == (9970, 1470)


def test_two_transfers_complete_an_order(session, coop):
    payment = make_payment(session, parts=[make_part(coop)], method="transfer")
    half = arrive(session, payment, 6000)
    assert (half.state, half.due.minor) == (State.PART_PAID, 4000)
    assert balances(session, coop) == {"bank:1": 6000, f"buyer_credit:{payment.id}": 6000}
    assert arrive(session, payment, 4000).is_paid
    assert balances(session, coop)["held:goods"] == 7200
    assert f"buyer_credit:{payment.id}" not in balances(session, coop)


def test_a_part_payment_whose_rest_never_comes_is_given_back_after_the_coops_days(session, coop):
    coop.part_paid_days = 3
    session.flush()
    payment = make_payment(session, parts=[make_part(coop)], method="transfer")
    arrive(session, payment, 6000)
    ends = payment.expires_at + timedelta(days=3)
    assert queries.waiting_too_long(session, now=ends - timedelta(seconds=1)) == []
    assert queries.waiting_too_long(session, now=ends) == [payment.id]

    @contextmanager
    def units():
        yield session

    assert service.sweep(units, None, now=ends)["given_back"] == 1
    assert queries.payment(session, payment.id).state == State.CANCELLED
    assert balances(session, coop) == {"bank:1": 6000, "refund_payable": 6000}
    assert {"payments.closed", "payments.refund_decided"} <= set(topics(session))
    assert service.sweep(units, None, now=ends)["given_back"] == 0


def test_too_much_and_twice_is_the_buyers_credit(session, coop):
    payment = make_payment(session, parts=[make_part(coop)], method="transfer")
    assert arrive(session, payment, 10250).is_paid
    assert arrive(session, payment, 10000).is_paid
    assert balances(session, coop)[f"buyer_credit:{payment.id}"] == 10250
    assert topics(session) == ["payments.paid", "payments.surplus", "payments.surplus"]


def test_money_after_the_end_is_a_surplus(session, coop):
    payment = make_payment(session, parts=[make_part(coop)], method="transfer")
    service.expire(session, payment_id=payment.id, now=NOW)
    assert arrive(session, payment, 10000).state is State.SURPLUS
    assert balances(session, coop) == {"bank:1": 10000, f"buyer_credit:{payment.id}": 10000}
    assert topics(session) == ["payments.closed", "payments.surplus"]


def test_a_line_counts_once_and_only_in_its_currency(session, coop):
    payment = make_payment(session, parts=[make_part(coop)], method="transfer")
    line = new_id()
    arrive(session, payment, 100, line=line)
    with pytest.raises(TransferAlreadyUsed):
        service.record_transfer(session, payment_id=payment.id, line_subject=line, amount=Money(1, "EUR"), booked_on=DAY, now=NOW)
    with pytest.raises(WrongCurrency):
        service.record_transfer(
            session, payment_id=payment.id, line_subject=new_id(), amount=Money(1, "CHF"), booked_on=DAY, now=NOW
        )
    card = make_payment(session)
    with pytest.raises(PaymentNotOpen):
        service.record_transfer(
            session, payment_id=card.id, line_subject=new_id(), amount=Money(1, "EUR"), booked_on=DAY, now=NOW
        )


UNTIL = NOW + timedelta(days=5)


def undo(session, line):
    """Take a line from its payment and mirror its match, as the statements do."""
    taken = service.undo_transfer(session, line_subject=line, until=UNTIL, now=NOW)
    coop_id = queries.parts(session, taken.payment.id)[0].coop_id
    book = ledger.book_of(session, coop_id)
    booked = books.transaction_id(session, book, f"match:{line}")
    mirror = tuple(leg.mirrored() for leg in books.legs_of(session, book, booked))
    ledger.post(session, [Entry(book, "undone", f"match:{line}:undo", DAY, "t", mirror, reverses=booked)])
    return taken


def test_a_part_payment_can_be_undone_once(session, coop):
    payment, line = make_payment(session, parts=[make_part(coop)], method="transfer"), new_id()
    arrive(session, payment, 100, line=line)
    taken = undo(session, line)
    assert (taken.payment.state, taken.unpaid) == (State.AWAITING_TRANSFER, False)
    with pytest.raises(PaymentNotOpen):  # once: what it counted is gone
        undo(session, line)
    again = service.record_transfer(
        session, payment_id=payment.id, line_subject=line, amount=Money(300, "EUR"), booked_on=DAY, now=NOW
    )
    assert (again.payment.state, again.payment.received.minor) == (State.PART_PAID, 300)
    assert service.undo_transfer(session, line_subject=line, until=UNTIL, now=NOW).payment.received.minor == 0


@pytest.mark.parametrize("minor", [10000, 9970, 10250])
def test_what_completed_a_payment_is_taken_back_to_the_cent(session, coop, minor):
    part, line = make_part(coop), new_id()
    payment = make_payment(session, parts=[part], method="transfer")
    arrive(session, payment, minor, line=line)
    service.acknowledge(session, payment_id=payment.id, now=NOW)
    taken = undo(session, line)
    assert taken.unpaid
    assert (taken.payment.state, taken.payment.received.minor) == (State.AWAITING_TRANSFER, 0)
    assert (taken.payment.paid_at, taken.payment.expires_at) == (None, UNTIL)
    assert balances(session, coop) == {"bank:1": minor, "suspense:1": -minor}
    assert arrive(session, payment, 10000).is_paid, "it can be paid again"
    assert [one.id for one in queries.unacknowledged(session)] == [payment.id], "and is told again"
    left = queries.refundable(session, payment_id=payment.id, subject=part.subject)
    assert left.total.minor == 10000, "nothing is written off any more"


def test_of_two_transfers_the_one_that_completed_it_goes_first(session, coop):
    payment, first, last = make_payment(session, parts=[make_part(coop)], method="transfer"), new_id(), new_id()
    arrive(session, payment, 6000, line=first)
    arrive(session, payment, 4000, line=last)
    with pytest.raises(LaterTransfer):
        undo(session, first)
    taken = undo(session, last)
    assert (taken.payment.state, taken.payment.due.minor, taken.unpaid) == (State.PART_PAID, 4000, True)
    assert balances(session, coop) == {"bank:1": 10000, "suspense:1": -4000, f"buyer_credit:{payment.id}": 6000}
    assert undo(session, first).payment.state is State.AWAITING_TRANSFER
    assert balances(session, coop) == {"bank:1": 10000, "suspense:1": -10000}


def test_what_came_twice_is_taken_back_before_what_paid(session, coop):
    payment, wrong, own = make_payment(session, parts=[make_part(coop)], method="transfer"), new_id(), new_id()
    arrive(session, payment, 10000, line=wrong)
    arrive(session, payment, 10000, line=own)
    with pytest.raises(LaterTransfer):
        undo(session, wrong)
    taken = undo(session, own)
    assert (taken.payment.state, taken.unpaid) == (State.SUCCEEDED, False)
    assert undo(session, wrong).unpaid
    assert balances(session, coop) == {"bank:1": 20000, "suspense:1": -20000}


def test_money_of_an_ended_payment_is_taken_back_until_it_goes_back(session, coop):
    payment, line, given = make_payment(session, parts=[make_part(coop)], method="transfer"), new_id(), new_id()
    service.expire(session, payment_id=payment.id, now=NOW)
    arrive(session, payment, 10000, line=line)
    taken = undo(session, line)
    assert (taken.payment.state, taken.payment.received.minor, taken.unpaid) == (State.EXPIRED, 0, False)
    assert balances(session, coop) == {"bank:1": 10000, "suspense:1": -10000}
    arrive(session, payment, 10000, line=given)
    service.give_back_credit(session, payment_id=payment.id, actor=system("test"), now=NOW)
    with pytest.raises(TransferGivenBack):
        undo(session, given)


def test_a_payment_of_which_something_was_given_back_stays(session, coop):
    part, line, more = make_part(coop), new_id(), new_id()
    payment = make_payment(session, parts=[part], method="transfer")
    arrive(session, payment, 10000, line=line)
    arrive(session, payment, 10000, line=more)
    service.give_back_credit(session, payment_id=payment.id, actor=system("test"), now=NOW)
    with pytest.raises(TransferGivenBack):
        undo(session, more)
    with pytest.raises(LaterTransfer):
        undo(session, line)
    other, line = make_payment(session, parts=[part], method="transfer"), new_id()
    arrive(session, other, 10000, line=line)
    one = Amounts.of("EUR", (100, 0, 0, 0))
    service.refund(
        session, payment_id=other.id, subject=part.subject, amounts=one, reason="r", bearer="coop", actor=system("t"), now=NOW
    )
    with pytest.raises(TransferGivenBack):
        undo(session, line)
    assert queries.payment(session, other.id).is_paid


def test_what_was_earned_stays(session, coop):
    part, line = make_part(coop), new_id()
    payment = make_payment(session, parts=[part], method="transfer")
    arrive(session, payment, 10000, line=line)
    earned = legs(("held:goods", "payable:x", Money(1, "EUR")), subject=part.subject)
    ledger.post(session, [Entry(ledger.book_of(session, coop.id), "release", "release", DAY, "t", earned)])
    with pytest.raises(TransferEarned):
        undo(session, line)


def test_what_only_became_credit_can_be_undone_until_it_is_given_back(session, coop):
    late, twice = (make_payment(session, parts=[make_part(coop)], method="transfer") for _ in range(2))
    one, two, three = new_id(), new_id(), new_id()
    service.expire(session, payment_id=late.id, now=NOW)
    arrive(session, late, 10000, line=one)
    undone = service.undo_transfer(session, line_subject=one, until=UNTIL, now=NOW).payment
    assert (undone.state, undone.received.minor, undone.paid_at) == (State.EXPIRED, 0, None)

    arrive(session, twice, 10000, line=two)
    arrive(session, twice, 10000, line=three, now=NOW + timedelta(days=1))
    undone = service.undo_transfer(session, line_subject=three, until=UNTIL, now=NOW + timedelta(days=1)).payment
    assert (undone.state, undone.received.minor) == (State.SUCCEEDED, 10000)

    other = make_payment(session, parts=[make_part(coop)], method="transfer")
    service.expire(session, payment_id=other.id, now=NOW)
    four = new_id()
    arrive(session, other, 10000, line=four)
    service.give_back_credit(session, payment_id=other.id, actor=system("t"), now=NOW)
    with pytest.raises(TransferGivenBack):
        service.undo_transfer(session, line_subject=four, until=UNTIL, now=NOW)


def test_staff_give_a_buyers_credit_back_by_bank(session, coop):
    late, half, exact = (make_payment(session, parts=[make_part(coop)], method="transfer") for _ in range(3))
    service.expire(session, payment_id=late.id, now=NOW)
    arrive(session, late, 10000)
    arrive(session, half, 6000)
    arrive(session, exact, 10000)
    for payment, minor in ((late, 10000), (half, 6000)):
        refund = service.give_back_credit(session, payment_id=payment.id, actor=system("test"), now=NOW)
        assert (refund.money.minor, refund.method, refund.kind) == (minor, "transfer", "surplus")
    assert balances(session, coop)["refund_payable"] == 16000
    assert queries.payment(session, half.id).state is State.CANCELLED
    for payment in (late, exact):
        with pytest.raises(NothingToRefund):
            service.give_back_credit(session, payment_id=payment.id, actor=system("test"), now=NOW)
    assert len(queries.refunds_to_transfer(session, coop_id=coop.id, currency="EUR")) == 2
