"""The staff's reports of the books: a page for each, and files that say the same."""

import csv
import io
import re
from datetime import date
from pathlib import Path

import pytest

import market
from market.console import account_words
from market.console.books import REPORTS
from market.kernel.money import Money
from market.ledger.rules import CHART, Entry, legs
from market.ledger.service import book_of, post
from market.reports.queries import lists
from market.reports.queries.lists import Computed
from tests.console.conftest import Desk
from tests.factories.payouts import owe
from tests.factories.producers import make_coop, make_producer


@pytest.fixture
def desk(client, session):
    coop = make_coop(session)
    owe(session, make_producer(session, coop=coop, name="Ana Quispe"), 6480)
    return Desk(client, session, coop)


@pytest.mark.parametrize("name", list(REPORTS))
def test_each_report_is_a_page_and_two_files(desk, name):
    address = f"/console/books?report={name}&from=2026-01-01&to=2026-12-31&account=held:goods"
    page = desk.get(desk.preparer, address)
    assert page.status_code == 200
    sheet = desk.client.get(f"{address}&format=csv")
    rows = list(csv.reader(io.StringIO(sheet.text.removeprefix("\ufeff"))))
    assert sheet.headers["Cache-Control"] == "private, no-store"
    assert rows[0][-1] == "Currency"
    assert (len(rows) > 1) == ("<table" in page.text)
    assert desk.client.get(f"{address}&format=xlsx").data.startswith(b"PK")


def test_the_trial_balance_says_what_was_posted(desk):
    rows = csv.reader(io.StringIO(desk.get(desk.preparer, "/console/books?from=2026-01-01&to=2026-12-31&format=csv").text))
    found = {row[0]: row[1:] for row in rows}
    assert found["Paid by buyers, not yet earned: goods"] == ["held:goods", "0.00", "64.80", "0.00", "-64.80", "EUR"]
    payable = next(words for words, (code, *_) in found.items() if code.startswith("payable:"))
    assert payable == "Owed to a producer: Ana Quispe"


def test_every_account_and_every_kind_of_fact_has_words():
    assert set(account_words.ACCOUNTS) == set(CHART)
    inside = r"(?:[^\"=()]|\([^()]*\))*"
    facts = re.compile(rf'\b(?:Entry\({inside}(?:\bkind=)?|(?:un)?book\(session, row, )"([a-z_.]+)"')
    folders = ("service", "ledger")
    paths = (path for path in Path(market.__file__).parent.rglob("*.py") if path.parent.name in folders)
    written = {kind for path in paths for kind in facts.findall(path.read_text())}
    assert len(written) > 30
    assert written - set(account_words.FACTS) == set()


def test_what_cannot_be_read_is_said_and_the_report_stays(desk):
    page = desk.get(desk.preparer, "/console/books?report=none&from=yesterday&q=nobody")
    assert "Please choose one of the list." in page.text
    assert "Please enter a day" in page.text
    assert "Nothing fits these filters" in page.text


def test_a_span_that_ends_before_it_begins_is_said_and_shows_what_came_after_its_first_day(desk):
    page = desk.get(desk.preparer, "/console/books?from=2026-11-01&to=2026-10-01")
    assert "The last day lies before the first." in page.text
    lines = desk.get(desk.preparer, "/console/books/lines?from=2026-11-21&to=2026-11-01")
    assert "The last day lies before the first." in lines.text
    file = desk.get(desk.preparer, "/console/books?from=2026-01-01&to=2025-01-01&format=csv").text
    assert "64.80" in file


def test_a_report_goes_on_after_the_last_row_seen(desk, monkeypatch):
    monkeypatch.setitem(Computed.page.__kwdefaults__, "limit", 1)
    first = desk.get(desk.preparer, "/console/books?from=2026-01-01&to=2026-12-31").text
    link = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = desk.client.get(link).text
    assert ("held:goods" in first, "held:goods" in second) == (True, False)
    assert "Ana Quispe" in second
    kept = desk.client.get("/console/books?report=payables&q=quispe").text
    assert "Save this view" in kept


@pytest.mark.parametrize(("order", "balances"), [("newest", (60, 50, 30)), ("oldest", (30, 50, 60))])
def test_of_one_account_the_lines_carry_the_balance_after_each(client, session, monkeypatch, order, balances):
    monkeypatch.setitem(lists.page.__kwdefaults__, "limit", 2)
    coop = make_coop(session)
    book = book_of(session, coop.id)
    for number, minor in enumerate((30, 20, 10)):
        moved = legs(("bank:1", "goods_sales", Money(minor, "EUR")))
        post(session, [Entry(book, "test", f"balance:{number}", date(2026, 11, 1), "system", moved)])
    desk = Desk(client, session, coop)
    first = desk.get(desk.preparer, f"/console/books/lines?account=bank:1&sort={order}").text
    second = desk.client.get(first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")).text
    shown = [re.findall(r'data-label="Balance after"[^>]*>€0.(\d\d)<', page) for page in (first, second)]
    assert tuple(int(each) for page in shown for each in page) == balances
    files = desk.client.get("/console/books?report=account&account=bank:1&from=2026-01-01")
    assert files.location == "/console/books/lines?account=bank:1&from=2026-01-01"
