"""Runs: planned set-based, approved by another person, posted, and never paying a payable twice."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry, legs
from market.payables import queries as payables
from market.payouts import queries, service
from market.payouts.errors import DayRefused, NothingToPay, RunChanged, SamePerson, StepRefused
from market.payouts.models import PayoutItem
from tests.conftest import NOW
from tests.factories.payouts import APPROVER, PREPARER, approved_run, make_run, only_payout, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer

EUR = "EUR"


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def payee(session, coop):
    producer = make_producer(session, coop=coop)
    make_payee_account(session, producer=producer)
    return producer


def balance(session, coop, code: str, currency: str = EUR) -> int:
    return books.balance(session, ledger.book_of(session, coop.id), code, currency).minor


def books_agree(session, coop) -> None:
    """Open rows = payable accounts, open payouts = in transit, and the ledger's own proof (money.md 1.6)."""
    session.flush()
    assert queries.check(session) == []
    assert books.check(session) == []


def test_the_check_finds_a_row_without_its_posting_and_a_posting_without_its_row(session, coop, payee):
    owe(session, payee, 100)
    session.execute(text("UPDATE payable SET state = 'refunded' WHERE payee_id = :id"), {"id": payee.id})
    (finding,) = queries.check(session)
    assert (finding.law, finding.detail) == ("open payables = payable:*", "rows say 0, books 100")


def test_a_run_pays_each_payee_once_per_currency(session, coop, payee):
    owe(session, payee, 6480)
    owe(session, payee, 20)
    run = make_run(session, coop.id)
    row = only_payout(session, run)
    assert (row.money, row.state, row.rail) == (Money(6500, EUR), "draft", "sepa")
    assert run.totals == (queries.Total("sepa", 1, Money(6500, EUR)),)
    assert len(queries.items(session, row.id)) == 2
    books_agree(session, coop)


def test_a_run_is_of_the_day_of_the_co_op(session, coop, payee):
    coop.time_zone = "Pacific/Auckland"  # where it is tomorrow already
    owe(session, payee)
    row = only_payout(session, approved_run(session, coop.id))
    tomorrow = NOW.date() + timedelta(days=1)
    assert queries.run(session, row.run_id).execute_on == tomorrow
    assert books.booked(session, ledger.book_of(session, coop.id), f"payout:{row.id}:scheduled").on == tomorrow


def test_a_payee_without_an_account_stays_owed_and_is_named(session, coop, payee):
    owe(session, payee)
    other = make_producer(session, coop=coop)
    owe(session, other, 99)
    run = make_run(session, coop.id)
    assert [(one.payee_id, one.money.minor) for one in run.skipped] == [(other.id, 99)]
    assert payables.owed_to(session, other.id)[0].open == Money(99, EUR)
    books_agree(session, coop)


@pytest.mark.parametrize(("field", "text"), [("town", "الدار البيضاء"), ("street", 71 * "x"), ("building", "1 2 3 4 5 6 7 8 9")])
def test_a_run_whose_file_could_not_be_written_is_not_made(session, coop, payee, field, text):
    """Approved, it would wait for ever: nothing of the co-op's own address may be left out of a bank file."""
    owe(session, payee)
    setattr(coop, field, text)
    session.flush()
    with pytest.raises(NothingToPay, match=r"The co-op's own details cannot stand in a bank file"):
        make_run(session, coop.id)


def test_nothing_due_makes_no_run(session, coop, payee):
    with pytest.raises(NothingToPay):
        make_run(session, coop.id)
    owe(session, payee)
    with pytest.raises(DayRefused, match="Check the year"):
        service.plan_run(session, actor=PREPARER, coop_id=coop.id, due_by=NOW.date().replace(year=2028), now=NOW)
    make_run(session, coop.id)
    with pytest.raises(NothingToPay):
        make_run(session, coop.id)


def test_approval_needs_another_person_and_the_list_that_was_shown(session, coop, payee):
    owe(session, payee)
    run = make_run(session, coop.id)
    with pytest.raises(SamePerson):
        service.approve_run(session, actor=PREPARER, run_id=run.id, list_sha256=run.list_sha256, now=NOW)
    with pytest.raises(RunChanged):
        service.approve_run(session, actor=APPROVER, run_id=run.id, list_sha256="0" * 64, now=NOW)
    service.approve_run(session, actor=APPROVER, run_id=run.id, list_sha256=run.list_sha256, now=NOW)
    assert only_payout(session, run).state == "queued"
    assert balance(session, coop, "in_transit:sepa") == 6480
    with pytest.raises(StepRefused):
        service.approve_run(session, actor=APPROVER, run_id=run.id, list_sha256=run.list_sha256, now=NOW)
    books_agree(session, coop)


def test_an_account_changed_after_planning_stops_the_approval(session, coop, payee):
    owe(session, payee)
    run = make_run(session, coop.id)
    session.execute(text("UPDATE payee_account SET iban = 'DE89370400440532013000' WHERE producer_id = :id"), {"id": payee.id})
    with pytest.raises(RunChanged, match="accounts were changed"):
        service.approve_run(session, actor=APPROVER, run_id=run.id, list_sha256=run.list_sha256, now=NOW)


def test_the_database_itself_refuses_the_preparer_as_approver(session, coop, payee):
    owe(session, payee)
    run = make_run(session, coop.id)
    session.flush()
    sql = "UPDATE payout_run SET state = 'approved', approved_by = prepared_by, approved_at = now() WHERE id = :id"
    with pytest.raises(IntegrityError, match="four_eyes"), session.begin_nested():
        session.execute(text(sql), {"id": run.id})


def test_the_database_itself_refuses_a_second_live_payout_of_a_payable(session, coop, payee):
    owe(session, payee)
    run = make_run(session, coop.id)
    session.flush()
    item = session.execute(select(PayoutItem)).scalar_one()
    other = make_run_of_another(session, coop)
    doubled = PayoutItem(payout_id=only_payout(session, other).id, payable_id=item.payable_id, coop_id=coop.id, amount_minor=1)
    with pytest.raises(IntegrityError, match="payout_item_live"), session.begin_nested():
        session.add(doubled)
    assert run.id != other.id


def make_run_of_another(session, coop):
    other = make_producer(session, coop=coop)
    make_payee_account(session, producer=other)
    owe(session, other)
    return make_run(session, coop.id)


@pytest.mark.parametrize(
    "column", ["amount_minor = 1, gross_minor = 1", "reference = 'x'", "id = gen_random_uuid()", "details = '{}'"]
)
def test_what_was_approved_never_changes(session, coop, payee, column):
    owe(session, payee)
    approved_run(session, coop.id)
    session.flush()
    with pytest.raises(DBAPIError, match="refused"), session.begin_nested():
        session.execute(text(f"UPDATE payout SET {column}"))


def test_a_discarded_run_frees_everything(session, coop, payee):
    owe(session, payee)
    run = make_run(session, coop.id)
    assert service.discard_run(session, actor=PREPARER, run_id=run.id, now=NOW).state == "cancelled"
    assert payables.owed_to(session, payee.id)[0].open == Money(6480, EUR)
    assert make_run(session, coop.id).totals == run.totals
    books_agree(session, coop)


def test_a_claim_is_netted_once_and_comes_back_when_the_payout_fails(session, coop, payee):
    owe(session, payee, 1000)
    claim(session, coop, payee, 720)
    run = approved_run(session, coop.id)
    row = only_payout(session, run)
    assert (row.gross.minor, row.deducted.minor, row.money.minor) == (1000, 500, 500)
    assert balance(session, coop, f"claim:{payee.id}") == 220
    books_agree(session, coop)
    service.cancel_payout(session, payout_id=row.id, reason="wrong month", actor=APPROVER, now=NOW)
    assert balance(session, coop, f"claim:{payee.id}") == 720
    assert balance(session, coop, f"payable:{payee.id}") == 1000
    books_agree(session, coop)


def claim(session, coop, payee, minor):
    moves = legs((f"claim:{payee.id}", "refund_payable", Money(minor, EUR)))
    entry = Entry(ledger.book_of(session, coop.id), "refund", f"refund:{new_id()}", NOW.date(), "system", moves)
    ledger.post(session, [entry])


def test_a_co_op_without_an_iban_cannot_pay_by_bank(session):
    coop = make_coop(session, iban=None)
    producer = make_producer(session, coop=coop)
    make_payee_account(session, producer=producer)
    owe(session, producer)
    with pytest.raises(NothingToPay):
        make_run(session, coop.id)
