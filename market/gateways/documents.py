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

from market.kernel import languages
from market.kernel.formats import day_text, money_text, short_day
from market.kernel.languages import tell
from market.kernel.money import Money
from market.kernel.references import grouped
from market.kernel.uow import gateway
from market.kernel.words import N_
from market.payouts.ports import PayeeStatement

TEMPLATES = Path(__file__).parent / "typst"
_WORDS = {
    "title": N_("Payment statement"),
    "to": N_("Paid to"),
    "day": N_("Day"),
    "number": N_("Number"),
    "what": N_("What"),
    "quantity": N_("Quantity"),
    "price": N_("Price"),
    "amount": N_("Amount"),
    "gross": N_("Earned"),
    "less": N_("Kept back"),
    "left": N_("still owed"),
    "paid": N_("Paid to you"),
    "reference": N_("Reference"),
    "payout": N_("Payout"),
    "by": N_("Sent by"),
    "member": N_("Member"),
    "wrong": N_("Is something wrong? Tell your co-op, and name the reference. The money is yours until it is right."),
}
_RAILS = {"sepa": N_("bank transfer"), "stripe": N_("Stripe transfer"), "cash": N_("cash")}


@gateway
class TypstDocuments:
    """The `Documents` port of payouts."""

    def payee_statement(self, statement: PayeeStatement) -> bytes:
        """Return the statement as PDF in the payee's language."""
        language = languages.best(statement.language)
        facts = _formatted(asdict(statement), statement, language)
        return _pdf("statement", facts, datetime.combine(statement.paid_on, time(), UTC))


def _formatted(facts: dict[str, Any], statement: PayeeStatement, language: str) -> dict[str, Any]:
    def own(text: str) -> str:
        """Keep the direction of a text that somebody typed, inside a line that runs the other way."""
        return f"\u2068{text}\u2069" if direction == "rtl" and text else text

    def money(value: Money, sign: str = "") -> str:
        return own(sign + money_text(value, language))

    direction = languages.locale(language).text_direction

    return facts | {
        "language": language,
        "direction": direction,
        "coop_address": [own(line) for line in statement.coop_address],
        "payee_name": own(statement.payee_name),
        "paid_to": own(statement.paid_to),
        "words": {name: tell(text, language) for name, text in _WORDS.items()},
        "rail": tell(_RAILS[statement.rail], language),
        "paid_on": day_text(statement.paid_on, language),
        "reference_shown": own(grouped(statement.reference)),
        "gross": money(statement.gross),
        "paid": money(statement.paid),
        "lines": [
            {
                "on": short_day(line.on, language),
                "number": line.number,
                "text": own(line.text),
                "quantity": own(line.quantity or ""),
                "unit_price": own(line.unit_price or ""),
                "money": money(line.money),
            }
            for line in statement.lines
        ],
        "deductions": [
            {"text": own(row.text), "money": money(row.money, "−"), "still_owed": money(row.still_owed)}
            for row in statement.deductions
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
