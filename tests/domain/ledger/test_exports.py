"""Foreign double-entry checkers accept our books and refuse a tampered copy: bean-check, and hledger where it is installed.

hledger is a program of its own (`apt-get install hledger`); where there is none its cases are not collected.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from market.kernel.money import Money
from market.ledger import exports, service
from market.ledger.rules import Entry, Leg
from tests.conftest import NOW
from tests.factories.producers import make_coop

CHECKERS = {"beancount": [str(Path(sys.executable).with_name("bean-check"))], "hledger": ["hledger", "check", "-f"]}
INSTALLED = [form for form, command in CHECKERS.items() if shutil.which(command[0])]


def _accepts(form: str, path: Path, text: str) -> subprocess.CompletedProcess[str]:
    path.write_text(text)
    return subprocess.run([*CHECKERS[form], path], capture_output=True, text=True, check=False)


@pytest.fixture(params=INSTALLED)
def export(session, request) -> tuple[str, str]:
    """The name of a format and our books in it."""
    book = service.book_of(session, make_coop(session, currency="RWF").id)
    moves = [
        ("payment:1:paid", "card_clearing", "held:goods", Money(7200, "EUR")),
        ("payment:2:paid", "card_clearing", "held:goods", Money(12345, "RWF")),
        ("release:1", "held:goods", "payable:m-1", Money(7200, "EUR")),
        ('odd "key"\\', "card_clearing", "held:tax", Money(1, "KWD")),
    ]
    entries = [Entry(book, "test", key, NOW.date(), "t", (Leg(debit, credit, money),)) for key, debit, credit, money in moves]
    service.post(session, entries)
    return request.param, "".join(exports.export(session, request.param, book_ids=[book], since=None, until=None))


def test_a_foreign_checker_accepts_our_books(export, tmp_path):
    form, text = export
    result = _accepts(form, tmp_path / f"books.{form}", text)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("tampering", ["changed", "deleted", "doubled"])
def test_a_foreign_checker_refuses_a_tampered_copy(export, tmp_path, tampering):
    form, text = export
    start = text.index("2026-11-25 *")
    end = text.index("2026-11-25 *", start + 1)
    posting = text[start:end]
    assert "payment:1" in posting
    assert "72.00" in posting
    replaced = {"changed": posting.replace("72.00", "71.00"), "deleted": "", "doubled": posting * 2}[tampering]
    assert _accepts(form, tmp_path / f"books.{form}", text[:start] + replaced + text[end:]).returncode != 0


def test_csv_escapes_what_a_spreadsheet_would_run(session):
    book = service.book_of(session, make_coop(session).id)
    service.post(session, [Entry(book, "=cmd()", "key:1", NOW.date(), "t", (Leg("bank:1", "opening", Money(5, "EUR")),))])
    lines = list(exports.export(session, "csv", book_ids=[book], since=None, until=None))
    assert "'=cmd()" in lines[1]
    assert lines[0].startswith("book,transaction,n")
