"""Reports say what the books say, for any days, and hold no report in memory."""

import tracemalloc
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market.kernel.money import Money
from market.ledger import queries, reports
from market.ledger.rules import Entry, legs
from market.ledger.service import book_of, post
from tests.factories.producers import make_coop

FIRST = date(2026, 1, 1)


@pytest.fixture
def book(session):
    return book_of(session, make_coop(session).id)


def eur(minor):
    return Money(minor, "EUR")


def pay(session, book, key, on, minor, debit="bank:1", credit="goods_sales"):
    post(session, [Entry(book, "test", f"report:{key}", on, "system", legs((debit, credit, eur(minor))))])


def test_a_trial_balance_splits_before_and_within_the_days(session, book):
    pay(session, book, "a", FIRST, 500)
    pay(session, book, "b", FIRST + timedelta(days=10), 300)
    pay(session, book, "c", FIRST + timedelta(days=20), 50, debit="bank_charges", credit="bank:1")
    pay(session, book, "d", FIRST + timedelta(days=40), 7)
    rows = {row.code: row for row in reports.trial_balance(session, book, since=date(2026, 1, 5), until=date(2026, 1, 31))}
    assert (rows["bank:1"].opening, rows["bank:1"].debits, rows["bank:1"].credits) == (eur(500), eur(300), eur(50))
    assert rows["bank:1"].closing == eur(750)
    assert rows["goods_sales"].closing == eur(800)
    assert rows["bank_charges"].opening == eur(0)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(moves=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 10**6), st.sampled_from(["bank:1", "cash:1"])), max_size=12))
def test_trial_balance_statement_and_cache_agree(session, moves):
    with session.begin_nested() as point:
        book = book_of(session, make_coop(session).id)
        for number, (day, minor, debit) in enumerate(moves):
            pay(session, book, f"{number}", FIRST + timedelta(days=day), minor, debit=debit)
        until = FIRST + timedelta(days=90)
        rows = reports.trial_balance(session, book, since=FIRST, until=until)
        assert sum(row.debits.minor for row in rows) == sum(row.credits.minor for row in rows)
        cache = {one.code: one.money for one in queries.balances(session, book) if one.money}
        assert {row.code: row.closing for row in rows if row.closing} == cache
        for row in rows:
            lines = list(reports.account_statement(session, book, row.code, since=FIRST, until=until))
            assert lines[-1].balance == row.closing
            assert sum(line.debit.minor - line.credit.minor for line in lines) == row.debits.minor - row.credits.minor
        point.rollback()


def test_a_statement_begins_with_what_was_before_its_days(session, book):
    pay(session, book, "a", FIRST, 500)
    pay(session, book, "b", FIRST + timedelta(days=10), 300)
    (line,) = reports.account_statement(session, book, "bank:1", since=date(2026, 1, 5), until=date(2026, 1, 31))
    assert (line.balance, line.debit, line.other) == (eur(800), eur(300), "goods_sales")


def test_the_general_ledger_of_many_postings_stays_small(session, book):
    entries = [
        Entry(book, "test", f"many:{n}", FIRST + timedelta(days=n % 300), "system", legs(("bank:1", "goods_sales", eur(1 + n))))
        for n in range(2000)
    ]
    post(session, entries)
    session.expire_all()
    tracemalloc.start()
    count = sum(1 for _ in reports.general_ledger(session, book, since=FIRST, until=date(2026, 12, 31)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 4_000
    assert peak < 6 * 2**20
