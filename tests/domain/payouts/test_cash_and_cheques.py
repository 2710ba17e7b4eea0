"""Cash bags: issued = paid + returned + missing, by the books too. Cheques: issued, cashed, or voided by a second person."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.errors import LimitExceeded
from market.payables import queries as payables
from market.payouts import queries, service
from market.payouts.errors import BagRefused, ChequeRefused, ReceiptRefused, SamePerson, StepRefused
from market.payouts.rules.cash import Receipt, Signed
from market.producers.errors import NotYoursToChange
from market.statements import service as statements
from market.statements.match_models import StatementSuggestion
from market.statements.models import StatementLine
from tests.conftest import NOW
from tests.domain.payouts.test_runs import books_agree
from tests.factories.payouts import APPROVER, PREPARER, approved_run, make_run, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer
from tests.factories.statements import import_lines, line, make_account

TODAY = NOW.date()


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


@pytest.fixture
def coop(session):
    return make_coop(session)


def payouts_by(session, coop, rail, *minors):
    for n, minor in enumerate(minors):
        producer = make_producer(session, coop=coop, name=f"Payee {n}")
        make_payee_account(session, producer=producer, rail=rail, iban=None, bic=None)
        owe(session, producer, minor)
    run = approved_run(session, coop.id)
    return run, queries.payouts_of_run(session, run.id).items


@pytest.fixture
def cash(session, coop):
    """A run of 4,200.00 and 1,000.00 in cash, and a full box."""
    run, rows = payouts_by(session, coop, "cash", 420_000, 100_000)
    service.fill_cash_box(session, actor=PREPARER, coop_id=coop.id, money=euros(900_000), on=TODAY, slip="W1", now=NOW)
    return run, rows


def issue(session, run, minor=500_000, **more):
    values = {"officer": "Claudine", "money": euros(minor), "on": TODAY, "now": NOW} | more
    return service.issue_bag(session, actor=PREPARER, run_id=run.id, **values)


def close(session, bag_id, minor, explanation="", actor=PREPARER):
    facts = {"bag_id": bag_id, "returned": euros(minor), "on": TODAY, "explanation": explanation, "now": NOW}
    return service.close_bag(session, actor=actor, **facts)


def pay(session, payout, bag_id, number="R-1", **more):
    made = Receipt(number, TODAY, payout.money, "Claudine", payout.holder, Signed.THUMB, witness="Béatrice")
    service.record_receipt(session, actor=PREPARER, payout_id=payout.id, receipt=replace(made, **more), bag_id=bag_id, now=NOW)


def balance(session, coop, code) -> int:
    return books.balance(session, ledger.book_of(session, coop.id), code, "EUR").minor


def test_the_worked_example_of_a_bag(session, coop, cash):
    run, (first, absent) = cash
    bag_id = issue(session, run)
    assert (balance(session, coop, "cash:1"), balance(session, coop, "cash_bag:1")) == (400_000, 500_000)
    pay(session, first, bag_id)
    books_agree(session, coop)
    with pytest.raises(NotYoursToChange):
        close(session, bag_id, 79_000, "lost on the road")
    with pytest.raises(BagRefused, match="missing"):
        close(session, bag_id, 79_000, actor=APPROVER)
    assert close(session, bag_id, 79_000, "lost on the road", actor=APPROVER) == euros(1_000)
    (row,) = queries.bags_of_run(session, run.id)
    assert row.issued == row.paid + row.returned + row.missing
    assert balance(session, coop, "cash_bag:1") == 0
    assert balance(session, coop, "claim:bag-1") == 1_000, "named until somebody owns it"
    assert balance(session, coop, "cash:1") == 479_000
    books_agree(session, coop)
    lines = queries.cash_list(session, run.id)
    assert [(line.holder, line.receipt, line.signed, line.witness) for line in lines] == [
        ("Payee 0", "R-1", "thumb", "Béatrice"),
        ("Payee 1", None, None, None),
    ]
    service.cancel_payout(session, payout_id=absent.id, reason="was absent", actor=PREPARER, now=NOW)
    assert payables.owed_to(session, absent.payee_id)[0].open == absent.money


def test_a_bag_that_is_whole_is_closed_by_anybody_and_then_stands(session, coop, cash):
    run, (first, _) = cash
    bag_id = issue(session, run)
    pay(session, first, bag_id)
    with pytest.raises(BagRefused, match="Count again"):
        close(session, bag_id, 80_001)
    assert close(session, bag_id, 80_000) == euros(0)
    with pytest.raises(StepRefused):
        close(session, bag_id, 80_000)
    with pytest.raises(DBAPIError, match="refused"), session.begin_nested():
        session.execute(text("UPDATE cash_bag SET returned_minor = 0"))
    assert balance(session, coop, "claim:bag-1") == 0


def test_nobody_hands_out_what_is_not_there_or_for_a_run_that_is_not_approved(session, coop, cash):
    run, _ = cash
    with pytest.raises(LimitExceeded), session.begin_nested():
        issue(session, run, 900_001)
    for wrong in ({"officer": " "}, {"money": euros(0)}, {"on": TODAY + timedelta(days=1)}, {"on": TODAY - timedelta(days=1)}):
        with pytest.raises(BagRefused):
            issue(session, run, **wrong)
    producer = make_producer(session, coop=coop)
    make_payee_account(session, producer=producer, rail="cash", iban=None, bic=None)
    owe(session, producer)
    with pytest.raises(StepRefused):
        issue(session, make_run(session, coop.id))


def test_nothing_happens_to_a_bag_before_it_was_handed_out(session, coop, cash):
    run, (first, _) = cash
    bag_id = issue(session, run)
    session.execute(text("UPDATE payout_run SET approved_at = approved_at - interval '2 days'"))
    late = {"actor": PREPARER, "bag_id": bag_id, "now": NOW}
    made = Receipt("R-1", TODAY - timedelta(days=1), first.money, "Claudine", first.holder, Signed.SIGNATURE)
    with pytest.raises(ReceiptRefused, match="handed out after"):
        service.record_receipt(session, payout_id=first.id, receipt=made, **late)
    with pytest.raises(BagRefused, match="handed out or later"):
        service.close_bag(session, returned=euros(500_000), on=TODAY - timedelta(days=1), explanation="", **late)


def test_a_withdrawal_slip_is_booked_once_whatever_letters_are_capitals(session, coop):
    slip = {"actor": PREPARER, "coop_id": coop.id, "money": euros(100), "on": TODAY, "now": NOW}
    said = [service.fill_cash_box(session, slip=typed, **slip) for typed in ("w-7", " W-7", "W-8", "W-8 a", "w-8  A")]
    assert (said, balance(session, coop, "cash:1")) == ([True, False, True, True, False], 300)


def test_a_receipt_is_paid_from_an_open_bag_of_its_run_that_holds_the_money(session, coop, cash):
    run, (first, second) = cash
    small = issue(session, run, 100)
    with pytest.raises(LimitExceeded), session.begin_nested():
        pay(session, first, small)
    close(session, small, 100)
    with pytest.raises(ReceiptRefused):
        pay(session, second, small)
    other, _ = payouts_by(session, coop, "cash", 500)
    with pytest.raises(ReceiptRefused):
        pay(session, second, issue(session, other, 200_000))
    service.fill_cash_box(session, actor=PREPARER, coop_id=coop.id, money=Money(5, "RWF"), on=TODAY, slip="W2", now=NOW)
    with pytest.raises(ReceiptRefused):
        pay(session, second, issue(session, run, money=Money(5, "RWF")))


def test_paper_of_a_closed_day_is_booked_on_the_first_open_one(session, coop, cash):
    run, (first, absent) = cash
    bag_id = issue(session, run)
    ledger.close_days(session, ledger.book_of(session, coop.id), through=TODAY, actor="t", now=NOW)
    late = {"actor": PREPARER, "now": NOW + timedelta(days=1)}
    made = Receipt("R-1", TODAY, first.money, "Claudine", first.holder, Signed.SIGNATURE)
    service.record_receipt(session, payout_id=first.id, receipt=made, bag_id=bag_id, **late)
    assert queries.payout(session, first.id).settled_on == TODAY
    service.cancel_payout(session, payout_id=absent.id, reason="not at home", **late)
    service.close_bag(session, bag_id=bag_id, returned=euros(80_000), on=TODAY, explanation="", **late)
    wrong = {"coop_id": coop.id, "money": euros(1), "on": TODAY + timedelta(days=2), "slip": "W9"}
    with pytest.raises(ReceiptRefused, match="after today"):
        service.fill_cash_box(session, **wrong, **late)
    known = "SELECT kind FROM ledger_transaction WHERE effective_on > :day AND note ->> 'happened_on' = :said ORDER BY kind"
    booked = session.execute(text(known), {"day": TODAY, "said": TODAY.isoformat()}).scalars().all()
    assert booked == ["cash_bag_returned", "cash_paid"]
    books_agree(session, coop)


@pytest.fixture
def cheque(session, coop):
    return payouts_by(session, coop, "cheque", 6480)[1][0]


def cheque_facts(cheque, **more):
    return {"payout_id": cheque.id, "number": "000123", "on": TODAY, "now": NOW} | more


def test_a_receipt_that_was_wrong_is_taken_back_by_a_second_person(session, coop, cash):
    run, (large, small) = cash
    bag_id = issue(session, run)
    pay(session, large, bag_id)
    pay(session, small, None, number="R-2")
    with pytest.raises(SamePerson):
        service.take_back_receipt(session, actor=PREPARER, payout_id=large.id, reason="wrong member", now=NOW)
    with pytest.raises(ReceiptRefused):
        service.take_back_receipt(session, actor=APPROVER, payout_id=large.id, reason="?", now=NOW)
    for row in (large, small):
        service.take_back_receipt(session, actor=APPROVER, payout_id=row.id, reason="wrong member", now=NOW)
        assert queries.payout(session, row.id).state == "returned"
        assert payables.owed_to(session, row.payee_id)[0].open == row.money
    assert (balance(session, coop, "cash_bag:1"), balance(session, coop, "cash:1")) == (500_000, 400_000)
    with pytest.raises(StepRefused):
        service.take_back_receipt(session, actor=APPROVER, payout_id=large.id, reason="wrong member", now=NOW)
    assert not close(session, bag_id, 500_000)
    books_agree(session, coop)


def test_a_receipt_taken_back_after_its_bag_was_counted_puts_the_money_into_the_box(session, coop, cash):
    run, (large, _) = cash
    bag_id = issue(session, run)
    pay(session, large, bag_id)
    assert not close(session, bag_id, 80_000)
    service.take_back_receipt(session, actor=APPROVER, payout_id=large.id, reason="wrong member", now=NOW)
    assert (balance(session, coop, "cash_bag:1"), balance(session, coop, "cash:1")) == (0, 900_000)
    (row,) = queries.bags_of_run(session, run.id)
    assert row.issued == row.paid + row.returned + row.missing
    books_agree(session, coop)


def test_a_cheque_is_sent_when_issued_and_cashed_when_a_statement_shows_it(session, coop, cheque):
    service.issue_cheque(session, actor=PREPARER, **cheque_facts(cheque))
    assert queries.payout(session, cheque.id).state == "sent"
    assert queries.cheque_of(session, cheque.id) == "000123"
    with pytest.raises(StepRefused):
        service.issue_cheque(session, actor=PREPARER, **cheque_facts(cheque, number="000124"))
    service.settle(session, payout_id=cheque.id, money=cheque.money, booked_on=TODAY, suspense="suspense:1", now=NOW)
    session.expire_all()
    assert [row.state for row in queries.cheques(session, coop_id=coop.id, on=TODAY)] == ["cashed"]
    with pytest.raises(StepRefused):
        service.void_cheque(session, actor=APPROVER, payout_id=cheque.id, reason="too late", now=NOW)


def test_the_banks_line_is_matched_by_the_cheques_number(session, coop, cheque):
    service.issue_cheque(session, actor=PREPARER, **cheque_facts(cheque))
    account = make_account(session, coop=coop)
    paid = line(-6480, day=TODAY, ref="a", text="CHQ PAID", end_to_end="123")
    import_lines(session, account, [paid, line(-6480, day=TODAY, ref="b", text="RENT 124")], on=TODAY)
    statements.run_matching(session, money_account_id=account.id, actor=PREPARER, now=NOW)
    session.expire_all()
    assert queries.payout(session, cheque.id).state == "settled"
    assert [row.state for row in session.query(StatementLine).order_by(StatementLine.text)] == ["matched", "new"]
    books_agree(session, coop)


def test_a_stale_cheque_is_said_and_voided_by_a_second_person(session, coop, cheque):
    service.issue_cheque(session, actor=PREPARER, **cheque_facts(cheque))
    late = TODAY + timedelta(days=181)
    assert [row.stale for row in queries.cheques(session, coop_id=coop.id, on=TODAY + timedelta(days=180))] == [False]
    assert [row.stale for row in queries.cheques(session, coop_id=coop.id, on=late)] == [True]
    assert queries.alarms(session, now=NOW + timedelta(days=30), coop_id=coop.id) == [], "a cheque may take its time"
    void = {"payout_id": cheque.id, "reason": "lost, bank told", "now": NOW}
    with pytest.raises(SamePerson):
        service.void_cheque(session, actor=PREPARER, **void)
    service.void_cheque(session, actor=APPROVER, **void)
    assert queries.payout(session, cheque.id).state == "failed"
    assert payables.owed_to(session, cheque.payee_id)[0].open == cheque.money
    account = make_account(session, coop=coop)  # and somebody cashes it all the same
    import_lines(session, account, [line(-6480, day=TODAY, ref="a", text="CHQ 123")], on=TODAY)
    statements.run_matching(session, money_account_id=account.id, actor=PREPARER, now=NOW)
    alarm = session.query(StatementSuggestion).one()
    assert (alarm.kind, alarm.target_id) == ("alarm", cheque.id)
    statements.paid_twice(session, line_id=alarm.line_id, reference=cheque.reference, actor=PREPARER, now=NOW)
    assert balance(session, coop, f"claim:{cheque.payee_id}") == 6480
    books_agree(session, coop)


def test_a_cheque_number_is_used_once_and_the_day_is_possible(session, coop, cheque):
    service.issue_cheque(session, actor=PREPARER, **cheque_facts(cheque))
    second = payouts_by(session, coop, "cheque", 100)[1][0]
    for wrong in (
        {},
        {"number": "?"},
        {"number": "7", "on": TODAY + timedelta(days=1)},
        {"number": "7", "on": TODAY - timedelta(days=1)},
    ):
        with pytest.raises(ChequeRefused):
            service.issue_cheque(session, actor=PREPARER, **cheque_facts(second, **wrong))
