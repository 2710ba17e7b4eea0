"""Transfers that do not fit: each ends in a rule or before a person, and none in limbo (money.md 5)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from market.payments import queries as payments
from market.payments import service as payment_service
from market.payments.models import Payment
from market.payments.rules import State
from market.reports.queries import tasks
from market.reports.queries.lists import Viewer
from market.statements import service
from market.statements.errors import SuggestionGone
from tests.conftest import NOW
from tests.domain.statements.test_matching import LATER, awaited_payment, balance, lines_of, matches, run, suggestions
from tests.factories.payouts import PREPARER
from tests.factories.producers import make_coop
from tests.factories.statements import import_bytes, import_lines, line, make_account, make_file


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def account(session, coop):
    return make_account(session, coop=coop)


def waiting(session, account) -> dict[str, int]:
    """What the staff's first page counts."""
    return tasks.counts(session, Viewer(account.coop_id, "EUR", "UTC", now=NOW))


def test_one_transfer_that_names_two_orders_and_is_their_sum_pays_both(session, coop, account) -> None:
    one, other = awaited_payment(session, coop, 10_000), awaited_payment(session, coop, 6_000)
    import_lines(session, account, [line(16_000, day=LATER, ref="A", text=f"{one.reference} and {other.reference}")])
    assert run(session, account).matched == 1
    assert all(payments.payment(session, each.id).is_paid for each in (one, other))
    assert balance(session, account, "suspense:1") == 0


def test_an_order_of_the_evening_may_be_paid_on_that_day_where_the_co_op_is(session) -> None:
    coop = make_coop(session, time_zone="America/Lima")
    account, awaited = make_account(session, coop=coop), awaited_payment(session, coop)
    session.get_one(Payment, awaited.id).opened_at = datetime(2026, 11, 26, 1, tzinfo=UTC)
    import_lines(session, account, [line(10_000, day=date(2026, 11, 25), ref="A")])
    run(session, account)
    assert [each.target_id for each in suggestions(session)] == [awaited.id]


def test_one_transfer_for_two_orders_that_it_does_not_name_is_put_before_a_person_who_splits_it(session, coop, account) -> None:
    one, other = awaited_payment(session, coop, 10_000), awaited_payment(session, coop, 6_000)
    import_lines(session, account, [line(16_000, day=LATER, ref="A", text="for both orders")])
    assert run(session, account).matched == 0
    assert {payments.payment(session, each.id).state for each in (one, other)} == {State.AWAITING_TRANSFER}
    assert balance(session, account, "suspense:1") == -16_000
    assert waiting(session, account)["lines"] == 1
    (row,) = lines_of(session, account)
    pieces = [service.Piece(each.due.minor, reference=each.reference) for each in (one, other)]
    service.split_or_propose(session, line_id=row.id, pieces=pieces, actor=PREPARER, now=NOW)
    assert all(payments.payment(session, each.id).is_paid for each in (one, other))
    assert balance(session, account, "suspense:1") == 0
    assert "lines" not in waiting(session, account)


@pytest.mark.parametrize("named", ["RF26 1000 0047 12", "order of Ana", ""])
def test_a_wrong_or_missing_reference_is_suggested_and_never_taken_by_itself(session, coop, account, named) -> None:
    payment = awaited_payment(session, coop)
    import_lines(session, account, [line(10_000, day=LATER, ref="A", text=named)])
    assert run(session, account).matched == 0
    assert not payments.payment(session, payment.id).is_paid
    assert waiting(session, account)["lines"] == 1
    (found,) = suggestions(session)
    assert found.target_id == payment.id
    service.accept_suggestion(session, suggestion_id=found.id, line_id=found.line_id, actor=PREPARER, now=NOW)
    assert payments.payment(session, payment.id).is_paid


def test_the_reference_of_another_open_order_does_not_pay_it_with_the_wrong_amount(session, coop, account) -> None:
    meant, named = awaited_payment(session, coop, 10_000), awaited_payment(session, coop, 6_000)
    import_lines(session, account, [line(10_000, day=LATER, ref="A", reference=named.reference)])
    assert run(session, account).matched == 0
    assert {payments.payment(session, each.id).state for each in (meant, named)} == {State.AWAITING_TRANSFER}
    assert waiting(session, account)["lines"] == 1


def test_money_for_a_cancelled_order_becomes_the_buyers_credit_and_goes_back(session, coop, account) -> None:  # E09
    payment = awaited_payment(session, coop)
    payment_service.cancel_unsent(session, payment_id=payment.id, now=NOW)
    import_lines(session, account, [line(10_000, day=LATER, ref="A", reference=payment.reference)])
    matched = run(session, account)
    if not matched.matched:
        (found,) = suggestions(session)
        service.accept_suggestion(session, suggestion_id=found.id, line_id=found.line_id, actor=PREPARER, now=NOW)
    assert balance(session, account, "suspense:1") == 0
    assert balance(session, account, f"buyer_credit:{payment.id}") == 10_000
    (credit,) = payments.buyer_credits(session, coop_id=account.coop_id)
    assert credit.payment.id == payment.id
    payment_service.give_back_credit(session, payment_id=payment.id, actor=PREPARER, now=NOW + timedelta(days=1))
    assert (balance(session, account, f"buyer_credit:{payment.id}"), balance(session, account, "refund_payable")) == (0, 10_000)
    assert waiting(session, account)["refund_by_bank"] == 1


def test_the_same_order_paid_twice_keeps_the_second_for_the_buyer(session, coop, account) -> None:
    payment = awaited_payment(session, coop)
    paid = [line(10_000, day=LATER, ref=each, reference=payment.reference) for each in ("A", "B")]
    import_lines(session, account, paid)
    run(session, account)
    for found in suggestions(session):
        service.accept_suggestion(session, suggestion_id=found.id, line_id=found.line_id, actor=PREPARER, now=NOW)
    assert payments.payment(session, payment.id).is_paid
    assert len(matches(session)) == 2
    assert (balance(session, account, "suspense:1"), balance(session, account, f"buyer_credit:{payment.id}")) == (0, 10_000)


def test_the_rest_of_a_payment_that_was_too_much_is_asked_about_without_what_was_taken(session, coop, account) -> None:
    payment = awaited_payment(session, coop)
    import_lines(session, account, [line(12_000, day=LATER, ref="A", reference=payment.reference)])
    run(session, account)
    (found,) = suggestions(session)
    service.accept_suggestion(session, suggestion_id=found.id, line_id=found.line_id, actor=PREPARER, now=NOW)
    assert payments.payment(session, payment.id).is_paid
    assert suggestions(session) == []


def test_a_wrong_match_with_a_cancelled_order_is_undone_alone_and_the_line_is_open_again(session, coop, account) -> None:
    payment = awaited_payment(session, coop)
    payment_service.cancel_unsent(session, payment_id=payment.id, now=NOW)
    import_lines(session, account, [line(10_000, day=LATER, ref="A", text=payment.reference)])
    run(session, account)
    (found,) = suggestions(session)
    service.accept_suggestion(session, suggestion_id=found.id, line_id=found.line_id, actor=PREPARER, now=NOW)
    assert balance(session, account, f"buyer_credit:{payment.id}") == 10_000
    (made,) = matches(session)
    service.undo_match(session, match_id=made.id, reason="another Ana", actor=PREPARER, now=NOW)
    (row,) = lines_of(session, account)
    assert (row.state, row.matched_minor, payments.payment(session, payment.id).state) == ("new", 0, State.CANCELLED)
    assert (balance(session, account, f"buyer_credit:{payment.id}"), balance(session, account, "suspense:1")) == (0, -10_000)


def given_back(session, coop, account):
    """A refund by bank of 100.00 that waits to be sent, and a debit of as much that names nothing."""
    payment = awaited_payment(session, coop)
    payment_service.cancel_unsent(session, payment_id=payment.id, now=NOW)
    came = line(10_000, day=LATER, ref="A", reference=payment.reference)
    import_lines(session, account, [came, line(-10_000, day=LATER, ref="B", text="transfer")])
    run(session, account)
    found = next(each for each in suggestions(session) if each.target_id == payment.id)
    service.accept_suggestion(session, suggestion_id=found.id, line_id=found.line_id, actor=PREPARER, now=NOW)
    refund = payment_service.give_back_credit(session, payment_id=payment.id, actor=PREPARER, now=NOW)
    return refund, next(each for each in lines_of(session, account) if each.amount_minor < 0)


def test_a_debit_is_matched_with_the_refund_whose_reference_a_person_knows_and_taken_back_alone(session, coop, account) -> None:
    refund, debit = given_back(session, coop, account)
    made = service.match_reference(session, line_id=debit.id, reference=refund.reference, actor=PREPARER, now=NOW)
    assert payments.refund(session, refund.id).state == "paid"
    assert (balance(session, account, "suspense:1"), balance(session, account, "refund_payable")) == (0, 0)
    service.undo_match(session, match_id=made, reason="that was the rent", actor=PREPARER, now=NOW)
    assert payments.refund(session, refund.id).state == "decided"
    assert (balance(session, account, "suspense:1"), balance(session, account, "refund_payable")) == (10_000, 10_000)
    assert waiting(session, account)["refund_by_bank"] == 1
    pieces = [service.Piece(10_000, reference=refund.reference)]
    service.split_or_propose(session, line_id=debit.id, pieces=pieces, actor=PREPARER, now=NOW)
    assert payments.refund(session, refund.id).state == "paid"


def test_a_refund_that_does_not_wait_is_no_answer_to_a_line(session, coop, account) -> None:
    refund, debit = given_back(session, coop, account)
    service.match_reference(session, line_id=debit.id, reference=refund.reference, actor=PREPARER, now=NOW)
    more = make_file(account, [line(-10_000, day=LATER, ref="C")], number=2)
    import_bytes(session, account, more, confirmed=True)  # the day came to nothing until then: is it the same statement again?
    again = next(each for each in lines_of(session, account) if each.state == "new")
    with pytest.raises(SuggestionGone, match="No refund"):
        service.match_reference(session, line_id=again.id, reference=refund.reference, actor=PREPARER, now=NOW)
