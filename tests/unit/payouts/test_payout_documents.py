"""The payee's statement as PDF: what stands on it, in the payee's language, the same bytes each time."""

import shutil
import subprocess
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from market.gateways.documents import TypstDocuments
from market.kernel.money import Money
from market.payouts.ports import PayeeStatement, StatementDeduction, StatementLine

STATEMENT = PayeeStatement(
    language="en",
    coop_name="Cooperativa Ñandú",
    coop_address=("Calle Mayor 1", "28013 Madrid, ES"),
    payee_name='María #emph[Quispe] "& $x$',
    payee_number="17",
    paid_to="ES91 … 1332",
    rail="sepa",
    number="PO-000000471",
    reference="RF982000000471",
    paid_on=date(2026, 11, 25),
    lines=(
        StatementLine(date(2026, 11, 1), "Washed arabica", "SO-3", Money(7200, "EUR"), Decimal(10), "kg", Decimal("7.20")),
        StatementLine(date(2026, 11, 2), "Καφές, жито", "SO-4", Money(100, "EUR")),
    ),
    deductions=(StatementDeduction("Refund of SO-1", Money(720, "EUR"), Money(30, "EUR")),),
    gross=Money(7300, "EUR"),
    paid=Money(6580, "EUR"),
)


def text_of(document: bytes, folder: Path) -> str:
    (folder / "statement.pdf").write_bytes(document)
    command = ["pdftotext", "-layout", str(folder / "statement.pdf"), "-"]
    return " ".join(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def test_equal_statements_are_equal_tagged_files() -> None:
    first, second = (TypstDocuments().payee_statement(STATEMENT) for _ in range(2))
    assert first == second
    assert first.startswith(b"%PDF-1.7")
    assert b"/StructTreeRoot" in first


@pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed: the text of the PDF is not read"
)
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Payment statement|Paid to you €65.80|Kept back: Refund of SO-1 (still owed: €0.30) −€7.20|25 November 2026"),
        ("en-GB", "25 November 2026|1 Nov 2026"),
        ("es", "Liquidación de pago|Pagado a usted 65,80 €|25 de noviembre de 2026"),
        ("fr-BE", "Relevé de paiement|Payé à vous 65,80 €|25 novembre 2026"),
        ("sw", "Taarifa ya malipo|25 Novemba 2026"),
    ],
)
def test_the_statement_says_what_was_paid_and_why(language: str, words: str, tmp_path: Path) -> None:
    text = text_of(TypstDocuments().payee_statement(replace(STATEMENT, language=language)), tmp_path)
    for phrase in words.split("|"):
        assert phrase in text
    assert "RF98 2000 0004 71" in text
    assert 'María #emph[Quispe] "& $x$ (' in text, "what a person typed is printed, never evaluated"
    assert "Καφές, жито" in text


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
def test_the_statement_of_what_came_back_says_so(tmp_path: Path) -> None:
    text = text_of(TypstDocuments().payee_statement(replace(STATEMENT, came_back=True)), tmp_path)
    assert "This payment came back to your co-op. What it was for is owed to you again." in text
    assert "Amount €65.80" in text
    assert "Paid to you" not in text


@pytest.mark.parametrize(
    ("currency", "minor", "shown"), [("RWF", 18600, "18,600"), ("KWD", 1250, "1.250"), ("MGA", 100000, "1,000.00")]
)
def test_amounts_have_the_digits_of_iso_4217(currency: str, minor: int, shown: str, tmp_path: Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    money = Money(minor, currency)
    statement = replace(STATEMENT, lines=(), deductions=(), gross=money, paid=money)
    assert shown in text_of(TypstDocuments().payee_statement(statement), tmp_path)
