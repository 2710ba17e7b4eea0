"""Documents as PDF, set by typst: tagged (PDF/UA-1), with the fonts inside the wheel, the same bytes each time.

The date of a document is the day it speaks of, not the clock: a statement printed again is the same file.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import typst
from babel.dates import format_date

from market.kernel.formats import money_text
from market.kernel.money import Money
from market.kernel.references import grouped
from market.kernel.uow import gateway
from market.payouts.ports import PayeeStatement

TEMPLATES = Path(__file__).parent / "typst"
LANGUAGES = ("en", "es", "fr")


@gateway
class TypstDocuments:
    """The `Documents` port of payouts."""

    def payee_statement(self, statement: PayeeStatement) -> bytes:
        """Return the statement as PDF, in English, Spanish or French; other languages are printed in English."""
        language = statement.language[:2] if statement.language[:2] in LANGUAGES else "en"
        facts = _formatted(asdict(statement), statement, language)
        return _pdf("statement", facts, datetime.combine(statement.paid_on, time(), UTC))


def _formatted(facts: dict[str, Any], statement: PayeeStatement, language: str) -> dict[str, Any]:
    def money(value: Money) -> str:
        return money_text(value, language)

    return facts | {
        "language": language,
        "paid_on": format_date(statement.paid_on, "long", locale=language),
        "reference_shown": grouped(statement.reference),
        "gross": money(statement.gross),
        "paid": money(statement.paid),
        "lines": [
            {
                "on": format_date(line.on, "short", locale=language),
                "number": line.number,
                "text": line.text,
                "quantity": line.quantity or "",
                "unit_price": line.unit_price or "",
                "money": money(line.money),
            }
            for line in statement.lines
        ],
        "deductions": [
            {"text": row.text, "money": money(row.money), "still_owed": money(row.still_owed)} for row in statement.deductions
        ],
    }


@cache
def _template(name: str) -> bytes:
    return (TEMPLATES / f"{name}.typ").read_bytes()


def _pdf(name: str, facts: dict[str, Any], made_at: datetime) -> bytes:
    result = typst.compile(
        _template(name),
        sys_inputs={"data": json.dumps(facts, ensure_ascii=False)},
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
        timestamp=made_at,
    )
    if not isinstance(result, bytes):
        raise TypeError("typst answered with several pages as files where one document was asked for")
    return result
