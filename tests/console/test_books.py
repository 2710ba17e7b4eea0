"""The staff's reports of the books: a page for each, and files that say the same."""

import csv
import io
import re
from pathlib import Path

import pytest

import market
from market.console import account_words
from market.console.books import REPORTS
from market.ledger.rules import CHART
from tests.console.test_payouts import Desk
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


def test_a_report_that_is_none_is_said_beside_the_field(desk):
    page = desk.get(desk.preparer, "/console/books?report=none&from=yesterday")
    assert page.status_code == 200
    assert "Please choose one of the list." in page.text
    assert "Please enter a day" in page.text
