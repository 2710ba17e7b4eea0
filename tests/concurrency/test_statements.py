"""Statements with real commits: the same file twice at once, two people on one line, matching that runs twice."""

import io
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from market.app import create_app
from market.gateways import memory
from market.http import db as http_db
from market.http.db import unit_of_work
from market.kernel import tenancy
from market.kernel.clock import FixedClock
from market.kernel.errors import DomainError
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry, legs
from market.payables.errors import MovedOn
from market.payouts import queries as payout_queries
from market.payouts import service as payouts
from market.payouts.errors import NothingToPay
from market.statements import queries, service
from market.statements.errors import CloseOutdated, LineExplained, MatchUndone, NothingProposed
from market.statements.models import Statement
from market.statements.service import exact
from tests.conftest import NOW, settings_for
from tests.domain.statements.test_matching import paid_line, sent_payout
from tests.factories.payouts import APPROVER, PREPARER
from tests.factories.producers import make_coop
from tests.factories.statements import CLERK, DAY, import_bytes, import_lines, line, make_account, make_file
from workers.base import side_by_side


@pytest.fixture(scope="module")
def real_app(make_database, servers):
    settings = settings_for(make_database("statements"), servers["REDIS_URL"])
    app = create_app(settings, ports=memory.ports(), clock=FixedClock(NOW))
    yield app
    with app.app_context():
        for engine in http_db.db.engines.values():
            engine.dispose()


def at_once(app, *calls: Callable[[], object], times: int = 4) -> list[object]:
    """Run calls at the same moment, each in its own thread and transaction; a single one several times."""
    calls = calls if len(calls) > 1 else calls * times
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number: int) -> None:
        with app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
            barrier.wait()
            try:
                results[number] = calls[number]()
            except DomainError as error:
                results[number] = type(error)
            http_db.db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def account(real_app):
    """A committed bank account of a new co-op."""
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        with unit_of_work() as session:
            made = make_account(session, coop=make_coop(session))
        yield made


def suspense(account) -> int:
    with unit_of_work() as session:
        assert books.check(session) == []
        return books.balance(session, ledger.book_of(session, account.coop_id), "suspense:1", "EUR").minor


def test_the_same_file_at_the_same_moment_is_imported_once(real_app, account):
    content = make_file(account, [line(n, ref=f"R{n}") for n in range(1, 21)])

    def upload():
        stream = io.BytesIO(content)
        options = {"money_account_id": account.id, "stream": stream, "name": "a.xml", "actor": CLERK, "now": NOW}
        return service.take_file(unit_of_work, **options).outcome

    assert Counter(at_once(real_app, upload)) == {"imported": 1, "known": 3}
    assert suspense(account) == -210


def test_two_files_of_one_account_at_the_same_moment_end_as_in_their_order(real_app, account):
    files = [make_file(account, [line(n)], number=n, opening=n * (n - 1) // 2) for n in (1, 2, 3, 4)]
    with unit_of_work() as session:
        import_bytes(session, account, files[0])
    ids = []
    for number in (3, 2, 1):
        options = {"stream": io.BytesIO(files[number]), "name": f"{number}.xml", "actor": CLERK, "now": NOW}
        ids.append(service.receive_file(unit_of_work, money_account_id=account.id, **options))

    def read(file_id):
        found = service.read_file(unit_of_work, file_id=file_id, now=NOW)
        return found and found.outcome

    at_once(real_app, *[lambda one=one: read(one) for one in ids])
    for _ in ids:  # as the worker is asked to when what was missing has come
        for file_id in ids:
            read(file_id)
    with unit_of_work() as session:
        outcomes = [queries.file(session, file_id).outcome for file_id in ids]
        assert outcomes == ["imported"] * 3
        chain = select(Statement.number, Statement.continues).where(Statement.money_account_id == account.id)
        found = [(row.number[-1], row.continues) for row in session.execute(chain.order_by(Statement.position))]
        assert found == [(n, True) for n in "1234"]
    assert suspense(account) == -10


def test_a_period_does_not_close_beside_an_import_that_has_not_ended(real_app, account):
    """A file that is being taken may end as a draft, over which no period closes: the close waits for it and looks again."""
    with unit_of_work() as session:
        import_lines(session, account, [line(0, ref="A")])
    who = {"coop_id": account.coop_id, "ends_on": DAY, "explanations": {}, "now": NOW}
    with unit_of_work() as session:
        close_id = service.prepare_close(session, actor=PREPARER, **who).id

    def close():
        with unit_of_work() as session:
            session.execute(text("SET LOCAL lock_timeout = '100ms'"))
            try:
                return service.close_period(session, close_id=close_id, actor=APPROVER, now=NOW).state
            except OperationalError:
                session.rollback()
                return "waits"

    with unit_of_work() as session:
        gap = make_file(account, [line(1, ref="B")], number=2, opening=500)
        assert import_bytes(session, account, gap).outcome == "draft"
        assert at_once(real_app, close, times=1) == ["waits"]
    assert at_once(real_app, close, times=1) == [CloseOutdated]


def test_a_period_is_opened_again_once_and_not_beside_a_posting_that_has_not_ended(real_app, account):
    """What is in flight has been told which days are open; two who agree at once open it once."""
    with unit_of_work() as session:
        import_lines(session, account, [line(0, ref="A")])
        who = {"coop_id": account.coop_id, "ends_on": DAY, "explanations": {}, "now": NOW}
        close_id = service.prepare_close(session, actor=PREPARER, **who).id
        service.close_period(session, close_id=close_id, actor=APPROVER, now=NOW)
        service.propose_reopening(session, close_id=close_id, reason="the rent is missing", actor=PREPARER, now=NOW)

    def agree():
        with unit_of_work() as session:
            session.execute(text("SET LOCAL lock_timeout = '30s'" if free else "SET LOCAL lock_timeout = '100ms'"))
            try:
                return service.decide_reopening(session, close_id=close_id, agreed=True, actor=APPROVER, now=NOW).state
            except OperationalError:
                session.rollback()
                return "waits"

    free = False
    with unit_of_work() as session:
        moved = legs(("cash", "reserve", Money(5, "EUR")))
        ledger.post(session, [Entry(ledger.book_of(session, account.coop_id), "test", "flying:1", NOW.date(), "t", moved)])
        assert at_once(real_app, agree, times=1) == ["waits"]
    free = True
    assert sorted(map(str, at_once(real_app, agree, times=2))) == sorted([str(NothingProposed), "opened"])


def test_two_periods_that_are_closed_at_once_are_closed_one_after_the_other(real_app, account):
    """Either the earlier one is closed first, or the later one overtakes it: never is one left waiting behind a closed one."""
    with unit_of_work() as session:
        import_lines(session, account, [line(0, ref="A")])
        who = {"coop_id": account.coop_id, "explanations": {}, "actor": PREPARER, "now": NOW}
        earlier, later = (service.prepare_close(session, ends_on=day, **who).id for day in (DAY - timedelta(days=1), DAY))

    def close(close_id):
        with unit_of_work() as session:
            return service.close_period(session, close_id=close_id, actor=APPROVER, now=NOW).state

    ended = at_once(real_app, lambda: close(earlier), lambda: close(later))
    assert ended in (["closed", "closed"], [CloseOutdated, "closed"])
    with unit_of_work() as session:
        states = [each.state for each in queries.closes(session, coop_id=account.coop_id)]
    assert states == ["closed", "closed" if ended[0] == "closed" else "overtaken"]


def test_two_people_explain_one_line_once(real_app, account):
    with unit_of_work() as session:
        import_lines(session, account, [line(-1_912, ref="A")])
    with unit_of_work() as session:
        (row,) = queries.lines(session, account.id).items

    def book():
        with unit_of_work() as session:
            options = {"line_id": row.id, "account_code": "bank_charges", "reason": "fee", "actor": APPROVER, "now": NOW}
            return bool(service.book_line(session, amount_minor=1_912, **options))

    assert Counter(at_once(real_app, book)) == {True: 1, LineExplained: 3}
    assert suspense(account) == 0
    with unit_of_work() as session:
        (match,) = queries.line(session, row.id).matches

    def undo():
        with unit_of_work() as session:
            return service.undo_match(session, match_id=match.id, reason="wrong", actor=PREPARER, now=NOW)

    assert Counter(at_once(real_app, undo)) == {None: 1, MatchUndone: 3}
    assert suspense(account) == 1_912


def test_matching_waits_for_whoever_decides_about_a_line(real_app, account):
    """Whoever decides holds the line before its suggestions: the other way round each would wait for the other."""
    with unit_of_work() as session:
        import_lines(session, account, [line(-1_912, ref="A")])

    def match():
        with unit_of_work() as session:
            session.execute(text("SET LOCAL lock_timeout = '100ms'"))
            try:
                return service.run_matching(session, money_account_id=account.id, actor=CLERK, now=NOW)
            except OperationalError:
                session.rollback()
                return "waits"

    with unit_of_work() as session:
        (row,) = queries.lines(session, account.id).items
        service.park_line(session, line_id=row.id, question="whose is it?", actor=PREPARER, now=NOW)
        assert at_once(real_app, match, times=1) == ["waits"]


def test_matching_at_the_same_moment_settles_each_payout_once(real_app, account):
    with unit_of_work() as session:
        coop = session.get(type(make_coop(session)), account.coop_id)
        sent = [sent_payout(session, coop, 1_000 + n)[0] for n in range(4)]
        import_lines(session, account, [paid_line(each) for each in sent])

    def match():
        with unit_of_work() as session:
            return service.run_matching(session, money_account_id=account.id, actor=CLERK, now=NOW).matched

    assert sum(at_once(real_app, match, times=3)) == 4
    assert suspense(account) == 0
    with unit_of_work() as session:
        assert {payout_queries.payout(session, each.id).state for each in sent} == {"settled"}


def test_portions_made_side_by_side_settle_each_payout_once(real_app, account, monkeypatch):
    monkeypatch.setattr(exact, "PORTION", 2)
    with unit_of_work() as session:
        coop = session.get(type(make_coop(session)), account.coop_id)
        sent = [sent_payout(session, coop, 2_000 + n)[0] for n in range(7)]
        import_lines(session, account, [paid_line(each) for each in sent] + [line(3_333, ref="U")])

    done = service.match_lines(unit_of_work, money_account_id=account.id, actor=CLERK, now=NOW, side_by_side=side_by_side)
    assert (done.matched, done.left) == (7, 1)
    assert suspense(account) == -3_333
    with unit_of_work() as session:
        assert {payout_queries.payout(session, each.id).state for each in sent} == {"settled"}
        assert books.check(session) == []


def test_what_came_back_stays_paid_or_is_paid_again_and_never_both(real_app, account):
    with unit_of_work() as session:
        coop = session.get(type(make_coop(session)), account.coop_id)
        sent, _ = sent_payout(session, coop, 5_000)
        import_lines(session, account, [paid_line(sent), paid_line(sent, 5_000, return_reason="MS03")])
        service.run_matching(session, money_account_id=account.id, actor=CLERK, now=NOW)
    with unit_of_work() as session:
        (came_back,) = (one for one in queries.lines(session, account.id, show="all").items if one.money.minor > 0)
        (match,) = came_back.matches

    def undo():
        with unit_of_work() as session:
            return service.undo_match(session, match_id=match.id, reason="the rent", actor=PREPARER, now=NOW)

    def pay_again():
        with unit_of_work() as session:
            due = {"coop_id": account.coop_id, "due_by": NOW.date(), "now": NOW}
            return payouts.plan_run(session, actor=PREPARER, **due).state

    assert at_once(real_app, undo, pay_again) in ([None, NothingToPay], [MovedOn, "draft"])
    with unit_of_work() as session:
        assert [*books.check(session), *payout_queries.check(session)] == []
