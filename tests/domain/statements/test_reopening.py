"""The last closed period is opened again by two persons with a reason; its protocol stays, and it is closed anew (1.4)."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from market.kernel.audit import AuditEntry
from market.kernel.errors import DomainError
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.models import LedgerTransaction
from market.statements import queries, service
from tests.conftest import NOW
from tests.domain.statements.test_closing import END, book, periods, post, prepare
from tests.domain.statements.test_import import lines_of
from tests.factories.payouts import APPROVER, PREPARER
from tests.factories.statements import import_lines, line, make_account

WHY = "the rent of July was booked as wages"
FIRST = END - timedelta(days=20)


@pytest.fixture
def account(session):
    made = make_account(session)
    import_lines(session, made, [line(-12, ref="A")])
    book(session, lines_of(session, made)[0])
    return made


def closed(session, account, ends_on=END, now=NOW):
    return service.close_period(session, close_id=prepare(session, account, ends_on=ends_on, now=now).id, actor=APPROVER, now=now)


def propose(session, close, reason=WHY):
    return service.propose_reopening(session, close_id=close.id, reason=reason, actor=PREPARER, now=NOW)


def decide(session, close, agreed=True, actor=APPROVER):
    return service.decide_reopening(session, close_id=close.id, agreed=agreed, actor=actor, now=NOW)


def withdraw(session, close, actor=PREPARER):
    return service.withdraw_reopening(session, close_id=close.id, actor=actor, now=NOW)


def refused(code: str, command, *given, match: str | None = None, **options) -> None:
    with pytest.raises(DomainError, match=match) as refusal:
        command(*given, **options)
    assert refusal.value.code == code


def test_the_last_closed_period_is_opened_again_by_two_persons_and_closed_anew(session, account) -> None:
    book_id = ledger.book_of(session, account.coop_id)
    earlier, close = closed(session, account, FIRST), closed(session, account)
    offered = [queries.next_close(session, account.coop_id, on=END + timedelta(days=days)) for days in (5, 40)]
    assert offered == [END + timedelta(days=4), (END + timedelta(days=40)).replace(day=1) - timedelta(days=1)]
    post(session, account, "late:1", END, late=True)
    propose(session, close)
    assert [state for _, state in periods(session, account)] == ["closed", "closed", "open"]  # a proposal opens nothing
    refused("statements.second_person_needed", decide, session, close, actor=PREPARER)
    decide(session, close)
    session.flush()
    assert [state for _, state in periods(session, account)] == ["closed", "open", "open"]
    assert books.shut_days(session, [book_id])[book_id] == books.ShutDays(FIRST, FIRST)
    post(session, account, "correction:1", END)
    refused("statements.close_outdated", service.close_period, session, close_id=close.id, actor=APPROVER, now=NOW)
    again = closed(session, account, now=NOW + timedelta(hours=1))
    assert (again.id != close.id, again.starts_on, again.state, close.state) == (True, close.starts_on, "closed", "reopened")
    assert {"code": "cash", "minor": 500, "currency": "EUR"} in again.trial_balance
    first, kept, _ = queries.closes(session, coop_id=account.coop_id)
    assert (kept.state, kept.reopening.reason, kept.reopening.decided_by) == ("reopened", WHY, APPROVER.label)
    assert (kept.trial_balance, kept.closed_by, first.reopening) == (close.trial_balance, APPROVER.label, None)
    late = session.scalars(select(LedgerTransaction).where(LedgerTransaction.idem_key == "late:1")).one()
    assert (late.effective_on, late.note) == (END + timedelta(days=1), {"happened_on": END.isoformat()})  # it stays where it is
    noted = session.scalars(select(AuditEntry).where(AuditEntry.subject_id == str(close.id)).order_by(AuditEntry.id))
    assert [each.action for each in noted][-2:] == ["statements.reopening_proposed", "statements.period_reopened"]
    assert (queries.check(session), books.check(session)) == ([], [])
    propose(session, again)  # and once more, though never the one before it
    decide(session, again)
    propose(session, earlier)
    assert decide(session, earlier).state == "opened"
    assert [state for _, state in periods(session, account)] == ["open", "open", "open"]


def test_what_cannot_be_opened_again_is_refused_in_words(session, account) -> None:
    earlier, close = closed(session, account, FIRST), prepare(session, account)
    refused("statements.reopening_refused", propose, session, close, match="Only a period that is closed")
    refused("statements.reopening_refused", propose, session, earlier, match="is being closed")
    service.close_period(session, close_id=close.id, actor=APPROVER, now=NOW)
    refused("statements.reopening_refused", propose, session, earlier, match="Only the last closed period")
    assert [service.may_be_reopened(session, each.id) for each in (earlier, close)] == [False, True]
    refused("statements.reason_needed", propose, session, close, "wrong")
    refused("statements.nothing_proposed", decide, session, close)
    propose(session, close)
    refused("statements.reopening_refused", propose, session, close, match="proposed already")
    refused("statements.not_yours", withdraw, session, close, actor=APPROVER)
    assert (withdraw(session, close).state, close.state) == ("withdrawn", "closed")
    for command in (withdraw, decide):
        refused("statements.nothing_proposed", command, session, close)
    propose(session, close)
    assert decide(session, close, agreed=False).state == "declined"
    assert (close.state, propose(session, close).state) == ("closed", "proposed")  # a no is not for good
    later = prepare(session, account, {f"missing:{account.id}": "the bank was closed"}, ends_on=END + timedelta(days=1))
    refused("statements.reopening_refused", decide, session, close, match="is being closed")
    service.take_back_close(session, close_id=later.id, actor=PREPARER, now=NOW)
    assert decide(session, close).state == "opened"


def test_what_waits_to_be_opened_again_is_over_when_a_later_period_closes(session, account) -> None:
    earlier = closed(session, account)
    row = propose(session, earlier)
    later = prepare(session, account, {f"missing:{account.id}": "the bank was closed"}, ends_on=END + timedelta(days=1))
    service.close_period(session, close_id=later.id, actor=APPROVER, now=NOW)
    assert (row.state, row.decided_by) == ("declined", "system:closing")
    noted = session.scalars(select(AuditEntry).where(AuditEntry.action == "statements.reopening_declined")).one()
    assert (noted.subject_id, noted.new["closed_through"]) == (str(earlier.id), later.ends_on.isoformat())


def test_a_close_that_a_later_one_overtook_is_over_and_stands_in_no_way(session, account) -> None:
    earlier, close = prepare(session, account, ends_on=FIRST), prepare(session, account)
    service.close_period(session, close_id=close.id, actor=APPROVER, now=NOW)
    assert (earlier.state, close.state) == ("overtaken", "closed")
    for command in (service.close_period, service.take_back_close):
        refused("statements.close_outdated", command, session, close_id=earlier.id, actor=APPROVER, now=NOW, match="later period")
    noted = session.scalars(select(AuditEntry).where(AuditEntry.action == "statements.close_overtaken")).one()
    assert (noted.subject_id, noted.new["closed_through"]) == (str(earlier.id), END.isoformat())
    propose(session, close)
    assert decide(session, close).state == "opened"
    assert (prepare(session, account, ends_on=FIRST).id, earlier.state) == (earlier.id, "prepared")  # its days are open again


def test_the_database_itself_wants_two_persons_and_the_last_days(session, account) -> None:
    earlier, close = closed(session, account, FIRST), closed(session, account)
    book_id = ledger.book_of(session, account.coop_id)
    propose(session, close)
    session.flush()
    alone = text("UPDATE period_reopening SET state = 'opened', decided_by = proposed_by, decided_at = now()")
    with pytest.raises(IntegrityError, match="four_eyes"), session.begin_nested():
        session.execute(alone)
    for last in (earlier.ends_on, END + timedelta(days=1)):
        with session.begin_nested() as part:
            refused("ledger.not_the_last_days", ledger.reopen_days, session, book_id, since=None, through=last)
            part.rollback()
    ledger.closing_days(session, book_id, through=END + timedelta(days=2))
    with session.begin_nested() as part:
        refused("ledger.not_the_last_days", ledger.reopen_days, session, book_id, since=None, through=END)
        part.rollback()
