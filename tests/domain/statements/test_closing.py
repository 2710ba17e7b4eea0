"""A period closes at zero or with every difference explained, by two persons, and then nothing posts into it (8.5)."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from market.kernel.errors import DomainError
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.models import LedgerPeriod, LedgerTransaction
from market.ledger.rules import Entry, legs
from market.producers.models import Coop
from market.statements import queries, service
from market.statements.match_models import StatementMatch
from tests.conftest import NOW
from tests.domain.statements.test_import import balance, lines_of
from tests.domain.statements.test_matching import sent_payout
from tests.factories.payouts import APPROVER, PREPARER
from tests.factories.statements import DAY, import_lines, line, make_account

END = DAY


def prepare(session, account, explanations=None, **options):
    values = {"ends_on": END, "explanations": explanations or {}, "actor": PREPARER, "now": NOW} | options
    return service.prepare_close(session, coop_id=account.coop_id, **values)


def book(session, row, code: str = "bank_charges") -> None:
    service.book_line(session, line_id=row.id, account_code=code, reason="monthly fee", actor=PREPARER, now=NOW)


def test_a_period_closes_at_zero_by_two_persons_and_stays_closed(session) -> None:
    account = make_account(session)
    import_lines(session, account, [line(-12, ref="A")])
    (row,) = lines_of(session, account)
    assert queries.check(session) == []
    book(session, row)
    assert queries.check(session) == []
    close = prepare(session, account)
    assert (close.items, close.starts_on) == ([], date(2026, 1, 1))
    later = legs(("cash", "reserve", Money(500, "EUR")))  # of a day after the period: neither in its protocol nor in its way
    ledger.post(session, [Entry(ledger.book_of(session, account.coop_id), "test", "later:1", NOW.date(), "system", later)])
    assert close.trial_balance == [
        {"code": "bank:1", "minor": -12, "currency": "EUR"},
        {"code": "bank_charges", "minor": 12, "currency": "EUR"},
    ]
    with pytest.raises(DomainError) as refusal:
        service.close_period(session, close_id=close.id, actor=PREPARER, now=NOW)
    assert refusal.value.code == "statements.second_person_needed"
    assert service.close_period(session, close_id=close.id, actor=APPROVER, now=NOW).state == "closed"
    late = import_lines(session, account, [line(-5, ref="B")], number=2, opening=-12)
    assert late.new_lines == 1  # a late line posts on the first open day, with its own day in the note
    (said,) = late.findings  # and whoever imports it is told
    assert (said["code"], said["hold"], f"{END + timedelta(days=1)}" in said["text"]) == ("shut_days", False, True)
    assert balance(session, account, "suspense:1") == 5
    book(session, next(each for each in lines_of(session, account) if each.amount_minor == -5))
    assert balance(session, account, "suspense:1") == 0  # what comes late is worked off in the open period
    with pytest.raises(DomainError, match="closed already"):
        service.close_period(session, close_id=close.id, actor=APPROVER, now=NOW)
    with pytest.raises(DomainError, match="closed through"):
        prepare(session, account)


def test_an_unexplained_line_keeps_the_period_open_until_it_is_explained(session) -> None:
    account = make_account(session)
    import_lines(session, account, [line(3_333, ref="A", name="Unknown Sender")])
    (row,) = lines_of(session, account)
    with pytest.raises(DomainError, match="Unknown Sender") as refusal:
        prepare(session, account)
    key = refusal.value.facts["key"]
    assert key == f"line:{row.id}"
    close = prepare(session, account, {key: "asked the bank on 24 November"})
    assert [(each["minor"], each["explanation"]) for each in close.items] == [(3_333, "asked the bank on 24 November")]
    service.close_period(session, close_id=close.id, actor=APPROVER, now=NOW)
    assert queries.closes(session, coop_id=account.coop_id)[0].state == "closed"


def test_a_close_that_moved_since_it_was_prepared_is_refused(session) -> None:
    account = make_account(session)
    import_lines(session, account, [line(3_333, ref="A")])
    (row,) = lines_of(session, account)
    close = prepare(session, account, {f"line:{row.id}": "asked the bank on 24 November"})
    book(session, row, "unidentified")
    with pytest.raises(DomainError) as refusal:
        service.close_period(session, close_id=close.id, actor=APPROVER, now=NOW)
    assert refusal.value.code == "statements.close_outdated"


def post(session, account, key: str, on: date, **options) -> None:
    moved = legs(("cash", "reserve", Money(500, "EUR")))
    ledger.post(session, [Entry(ledger.book_of(session, account.coop_id), "test", key, on, "system", moved)], **options)


def periods(session, account) -> list[tuple[date, str]]:
    rows = session.execute(
        select(LedgerPeriod.ends_on, LedgerPeriod.state)
        .where(LedgerPeriod.book_id == ledger.book_of(session, account.coop_id), LedgerPeriod.ends_on < date(2027, 1, 1))
        .order_by(LedgerPeriod.starts_on)
    )
    return [(ends_on, state) for ends_on, state in rows if ends_on.year == 2026]


def test_nothing_posts_into_days_that_are_being_closed_until_they_are_opened_again(session) -> None:
    account = make_account(session)
    import_lines(session, account, [line(-12, ref="A")])
    book(session, lines_of(session, account)[0])
    earlier, close = prepare(session, account, ends_on=END - timedelta(days=20)), prepare(session, account)
    assert periods(session, account) == [
        (END - timedelta(days=20), "closing"), (END, "closing"), (date(2026, 12, 31), "open"),
    ]  # fmt: skip
    with pytest.raises(DomainError, match="No open period") as refusal, session.begin_nested():
        post(session, account, "refused:1", END)
    assert refusal.value.code == "ledger.period_closed"
    post(session, account, "late:1", END, late=True)  # a fact that nobody can be asked about goes to the day after
    service.take_back_close(session, close_id=close.id, actor=PREPARER, now=NOW)
    assert [state for _, state in periods(session, account)] == ["closing", "open", "open"]
    with pytest.raises(DomainError, match="taken back"):
        service.close_period(session, close_id=close.id, actor=APPROVER, now=NOW)
    post(session, account, "correction:1", END)
    service.close_period(session, close_id=earlier.id, actor=APPROVER, now=NOW)
    again = prepare(session, account)
    assert (again.id, again.starts_on) == (close.id, earlier.ends_on + timedelta(days=1))
    assert service.close_period(session, close_id=again.id, actor=APPROVER, now=NOW).state == "closed"
    assert [state for _, state in periods(session, account)] == ["closed", "closed", "open"]
    assert queries.check(session) == []
    with pytest.raises(DomainError, match="closed already"):
        service.take_back_close(session, close_id=again.id, actor=PREPARER, now=NOW)


def test_what_is_being_closed_takes_no_posting_and_a_new_period_begins_after_what_is_closed(session) -> None:
    account = make_account(session)
    import_lines(session, account, [line(-12, ref="A")])
    book(session, lines_of(session, account)[0])
    first, book_id = END - timedelta(days=20), ledger.book_of(session, account.coop_id)
    assert books.shut_days(session, [book_id]) == {book_id: books.ShutDays(None, None)}
    service.close_period(session, close_id=prepare(session, account, ends_on=first).id, actor=APPROVER, now=NOW)
    prepare(session, account)
    assert books.shut_days(session, [book_id]) == {book_id: books.ShutDays(closed=first, held=END)}
    assert prepare(session, account, ends_on=END - timedelta(days=1)).starts_on == first + timedelta(days=1)
    (match,) = session.scalars(select(StatementMatch))
    on_the_last_day = NOW - (NOW.date() - END)  # taken back on a day that is being closed: on the first open one, its own noted
    service.undo_match(session, match_id=match.id, reason="not that one", actor=PREPARER, now=on_the_last_day)
    undone = session.scalars(select(LedgerTransaction).where(LedgerTransaction.kind == "statement_match_undone")).one()
    assert (undone.effective_on, undone.note) == (END + timedelta(days=1), {"happened_on": END.isoformat()})


@pytest.mark.parametrize(("days", "said"), [(6, False), (7, True)])
def test_a_payout_that_is_on_no_statement_after_a_week_is_a_difference(session, days, said) -> None:
    account = make_account(session)
    payout, _ = sent_payout(session, session.get_one(Coop, account.coop_id))
    found = service.differences(session, coop_id=account.coop_id, ends_on=NOW.date() + timedelta(days=days))
    assert (f"in_transit:{payout.id}" in [each.key for each in found]) is said


def test_missing_statements_gaps_and_drafts_are_differences(session) -> None:
    account = make_account(session)
    options = {"coop_id": account.coop_id, "ends_on": END + timedelta(days=3)}
    assert [each.key for each in service.differences(session, **options)] == [f"missing:{account.id}"]
    import_lines(session, account, [line(-12, ref="A")])
    book(session, lines_of(session, account)[0])
    a_day_short = service.differences(session, coop_id=account.coop_id, ends_on=END + timedelta(days=1))
    assert [each.key for each in a_day_short] == [f"missing:{account.id}"]
    later = DAY + timedelta(days=2)
    import_lines(session, account, [line(-1, ref="B", day=later)], number=2, opening=500, on=later)
    found = {each.key.partition(":")[0]: each for each in service.differences(session, **options)}
    assert set(found) == {"missing", "draft"}
    assert not found["draft"].explainable
    with pytest.raises(DomainError, match="put right first"):
        prepare(session, account, {f"missing:{account.id}": "the bank was closed on Sunday"}, ends_on=END + timedelta(days=3))


def test_a_statement_that_was_confirmed_though_it_does_not_close_is_shown_with_its_difference(session) -> None:
    from tests.factories.statements import import_bytes, make_file

    account = make_account(session)
    content = make_file(account, [line(-12, ref="A")]).replace(b'<Amt Ccy="EUR">0.12</Amt>', b'<Amt Ccy="EUR">0.13</Amt>', 1)
    assert import_bytes(session, account, content, confirmed=True).outcome == "imported"
    found = {
        each.key.partition(":")[0]: each.minor for each in service.differences(session, coop_id=account.coop_id, ends_on=END)
    }
    assert found["sum"] == -1
    assert found["mirror"] == 1


def test_a_close_compares_books_and_bank_at_the_end_of_its_last_day(session) -> None:
    account = make_account(session)
    day = [END + timedelta(days=n) for n in range(-1, 4)]
    import_lines(session, account, [line(-12, ref="A")])
    later = [line(-5, ref="B", day=day[2]), line(-7, ref="C", day=day[4])]  # one statement, in which the days of a close end
    import_lines(session, account, later, number=2, opening=-12, on=day[4])
    said = [balance_differences(session, account, on) for on in day]
    assert said == [[]] * 5
    wrong = legs(("cash", "bank:1", Money(500, "EUR")))
    ledger.post(session, [Entry(ledger.book_of(session, account.coop_id), "test", "wrong:1", day[3], "system", wrong)])
    *before, on_the_day, _ = [balance_differences(session, account, on) for on in day]
    assert before == [[]] * 3  # what went wrong later is no difference of an earlier close
    assert [(each.minor, each.text) for each in on_the_day] == [
        (-500, f"at the end of {day[3]} our books have -5.17 EUR on Current account, and its statement has -0.17 EUR")
    ]


def balance_differences(session, account, on):
    found = service.differences(session, coop_id=account.coop_id, ends_on=on)
    return [each for each in found if each.key.startswith("mirror")]


def test_a_period_is_not_closed_before_it_is_over(session) -> None:
    account = make_account(session)
    with pytest.raises(DomainError, match="once its last day is over"):
        prepare(session, account, ends_on=NOW.date())
    with pytest.raises(DomainError, match="The books begin on"):
        prepare(session, account, ends_on=date(1, 1, 1))


def test_figures_show_mirror_closing_suspense_and_difference(session) -> None:
    account = make_account(session)
    import_lines(session, account, [line(3_333, ref="A"), line(-33, ref="B")])
    shown = queries.figures(session, account.id)
    assert (shown.mirror, shown.closing, shown.difference.minor, shown.suspense.minor) == (shown.closing, shown.mirror, 0, -3_300)
    assert (shown.open_lines, shown.closing_on) == (2, DAY)


def test_lines_are_paged_by_keyset_and_filtered(session) -> None:
    account = make_account(session)
    import_lines(session, account, [line(n, ref=f"R{n}") for n in range(1, 8)])
    book(session, lines_of(session, account)[0], "unidentified")
    first = queries.lines(session, account.id, limit=4)
    second = queries.lines(session, account.id, limit=4, cursor=first.next_cursor)
    assert sorted(each.money.minor for each in (*first.items, *second.items)) == [2, 3, 4, 5, 6, 7]
    assert second.next_cursor is None
    assert [each.money.minor for each in queries.lines(session, account.id, show="matched").items] == [1]
    with pytest.raises(DomainError):
        queries.lines(session, account.id, cursor="bm9uc2Vuc2U")
