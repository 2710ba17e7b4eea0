"""A foreign double-entry checker accepts our books and refuses a tampered copy."""

import subprocess
import sys
from pathlib import Path

import pytest

from market.kernel.money import Money
from market.ledger import exports, service
from market.ledger.rules import Entry, Leg
from tests.conftest import NOW
from tests.factories.producers import make_coop

BEAN_CHECK = Path(sys.executable).with_name("bean-check")


def _bean_check(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BEAN_CHECK, path], capture_output=True, text=True, check=False)


@pytest.fixture
def export(session) -> list[str]:
    book = service.book_of(session, make_coop(session, currency="RWF").id)
    moves = [
        ("payment:1:paid", "card_clearing", "held:goods", Money(7200, "EUR")),
        ("payment:2:paid", "card_clearing", "held:goods", Money(12345, "RWF")),
        ("release:1", "held:goods", "payable:m-1", Money(7200, "EUR")),
        ('odd "key"\\', "card_clearing", "held:tax", Money(1, "KWD")),
    ]
    entries = [Entry(book, "test", key, NOW.date(), "t", (Leg(debit, credit, money),)) for key, debit, credit, money in moves]
    service.post(session, entries)
    return list(exports.export(session, "beancount", book_ids=[book], since=None, until=None))


def test_bean_check_accepts_our_books(export, tmp_path):
    path = tmp_path / "books.beancount"
    path.write_text("".join(export))
    result = _bean_check(path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("tampering", ["changed", "deleted", "doubled"])
def test_bean_check_refuses_a_tampered_copy(export, tmp_path, tampering):
    text = "".join(export)
    start = text.index('\n2026-11-25 * "test" "payment:1')
    end = text.index("\n2026-11-25 * ", start + 1)
    posting = text[start:end]
    replaced = {"changed": posting.replace("72.00", "71.00", 1), "deleted": "", "doubled": posting * 2}[tampering]
    path = tmp_path / "books.beancount"
    path.write_text(text[:start] + replaced + text[end:])
    assert _bean_check(path).returncode != 0


def test_csv_escapes_what_a_spreadsheet_would_run(session):
    book = service.book_of(session, make_coop(session).id)
    service.post(session, [Entry(book, "=cmd()", "key:1", NOW.date(), "t", (Leg("bank:1", "opening", Money(5, "EUR")),))])
    lines = list(exports.export(session, "csv", book_ids=[book], since=None, until=None))
    assert "'=cmd()" in lines[1]
    assert lines[0].startswith("book,transaction,n")
