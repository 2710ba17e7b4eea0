"""Documents as PDF, set by typst: tagged (PDF/UA-1), with the fonts inside the wheel, the same bytes each time.

The date of a document is the day it speaks of, not the clock: a statement printed again is the same file.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from segno import helpers

from market.invoices.ports import Paper, TaxLine, TransferBox
from market.kernel import languages
from market.kernel.formats import day_text, format_quarter, money_text, short_day
from market.kernel.languages import tell
from market.kernel.money import Money
from market.kernel.references import grouped
from market.kernel.uow import gateway
from market.kernel.words import N_
from market.payouts.ports import PayeeStatement, PayeeYear, StatementLine, YearLine

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
    "came_back": N_("This payment came back to your co-op. What it was for is owed to you again."),
    "reference": N_("Reference"),
    "payout": N_("Payout"),
    "by": N_("Sent by"),
    "member": N_("Member"),
    "wrong": N_("Is something wrong? Tell your co-op, and name the reference. The money is yours until it is right."),
}
_YEAR_WORDS = {
    "title": N_("Summary of the year"),
    "to": N_("Member"),
    "what": N_("What"),
    "year": N_("Year"),
    "earned": N_("Earned"),
    "kept": N_("Kept back"),
    "paid": N_("Paid"),
    "note": N_("Earned is counted on the day on which it was earned, paid on the day on which the bank has shown it."),
}
_INVOICE_TITLES = {"invoice": N_("Invoice"), "credit_note": N_("Credit note"), "request": N_("Request to pay")}
_INVOICE_WORDS = {
    "number": N_("Number"),
    "day": N_("Day"),
    "order": N_("Order"),
    "corrects": N_("Corrects invoice"),
    "why": N_("Reason"),
    "to": N_("To"),
    "what": N_("What"),
    "quantity": N_("Quantity"),
    "unit_net": N_("Price without tax"),
    "net": N_("Without tax"),
    "tax": N_("Tax"),
    "amount": N_("Amount"),
    "rate": N_("Tax rate"),
    "on": N_("Tax by rate"),
    "holder": N_("To"),
    "reference": N_("Reference"),
    "pay": N_("Please transfer"),
    "code": N_("Code of this transfer for banking apps"),
    "inside": N_("The tax is part of the prices."),
}
_TOTALS = {"invoice": N_("Total"), "credit_note": N_("Credited"), "request": N_("To pay")}
_SUPPLIES = {
    "goods": N_("Goods"),
    "premium": N_("Fair-trade premium"),
    "charges": N_("Fees of co-op, transport and payment"),
}
_RAILS = {
    "sepa": N_("bank transfer"),
    "stripe": N_("Stripe transfer"),
    "momo": N_("mobile money"),
    "cash": N_("cash"),
    "cheque": N_("cheque"),
}


@gateway
class TypstDocuments:
    """The `Documents` port: statements of payouts, invoices."""

    def payee_statement(self, statement: PayeeStatement) -> bytes:
        """Return the statement as PDF in the payee's language."""
        language = languages.best(statement.language)
        facts = _formatted(asdict(statement), statement, language)
        return _pdf("statement", facts, datetime.combine(statement.paid_on, time(), UTC))

    def payee_year(self, year: PayeeYear) -> bytes:
        """Return the summary of a payee's year as PDF in their language; its date is the last day of the year."""
        language = languages.best(year.language)
        return _pdf("year", _year_facts(year, language), datetime(year.year, 12, 31, tzinfo=UTC))

    def invoice(self, paper: Paper) -> bytes:
        """Return an invoice, credit note or request to pay as PDF in the buyer's language."""
        language = languages.best(paper.language)
        return _pdf("invoice", _invoice_facts(paper, language), datetime.combine(paper.day, time(), UTC))


def _own(text: str, language: str) -> str:
    """Keep the direction of a text that somebody typed, inside a line that runs the other way."""
    return f"\u2068{text}\u2069" if languages.locale(language).text_direction == "rtl" and text else text


def _year_facts(year: PayeeYear, language: str) -> dict[str, Any]:
    def row(line: YearLine) -> list[str]:
        amounts = (*line.quarters, line.total)
        return [tell(line.text, language), *(_own(money_text(amount, language), language) for amount in amounts)]

    return {
        "language": language,
        "direction": languages.locale(language).text_direction,
        "words": {name: tell(text, language) for name, text in _YEAR_WORDS.items()},
        "year": f"{year.year}",
        "coop_name": _own(year.coop_name, language),
        "coop_address": [_own(line, language) for line in year.coop_address],
        "payee": _own(year.payee_name, language),
        "number": year.payee_number or "",
        "quarters": [format_quarter(number, language) for number in (1, 2, 3, 4)],
        "sections": [
            {
                "currency": each.currency,
                "earned": [row(line) for line in each.earned],
                "kept": [row(line) for line in each.kept],
                "paid": row(each.paid),
            }
            for each in year.sections
        ],
    }


def _invoice_facts(paper: Paper, language: str) -> dict[str, Any]:
    def own(text: str) -> str:
        return _own(text, language)

    def money(minor: int) -> str:
        return own(money_text(Money(minor, paper.currency), language))

    def tax(line: TaxLine) -> dict[str, str]:
        what = tell(_SUPPLIES[line.supply], language)
        rate = own(f"{languages.fact(Decimal(line.rate), language)} %")
        return {"what": what, "rate": rate, "net": money(line.net_minor), "tax": money(line.tax_minor)}

    def address(lines: tuple[str, ...]) -> list[str]:
        country = languages.locale(language).territories.get(lines[-1], lines[-1])
        return [own(line) for line in (*lines[:-1], country)]

    return {
        "language": language,
        "direction": languages.locale(language).text_direction,
        "words": {name: tell(text, language) for name, text in _INVOICE_WORDS.items()},
        "title": tell(_INVOICE_TITLES[paper.kind], language),
        "total_word": tell(_TOTALS[paper.kind], language),
        "kind": paper.kind,
        "number": paper.number,
        "corrects": paper.corrects,
        "reason": own(tell(paper.reason, language)),
        "day": day_text(paper.day, language),
        "order": paper.order_number,
        "issuer": own(paper.issuer),
        "issuer_address": address(paper.issuer_address),
        "buyer": own(paper.buyer),
        "buyer_address": address(paper.buyer_address),
        "lines": [
            {
                "what": own(line.title) or tell(_SUPPLIES[line.supply], language),
                "quantity": own(_quantity(Decimal(line.quantity), line.unit, language)) if line.quantity else "",
                "unit_net": own(languages.fact(Decimal(line.unit_net), language)) if line.unit_net else "",
                "net": money(line.net_minor),
                "tax": money(line.tax_minor),
                "amount": money(line.net_minor + line.tax_minor),
            }
            for line in paper.lines
        ],
        "taxes": [tax(line) for line in paper.taxes],
        "net": money(paper.net_minor),
        "tax": money(paper.tax_minor),
        "total": money(paper.total_minor),
        "transfer": paper.transfer and _transfer(paper.transfer, paper.currency, money(paper.transfer.amount_minor)),
    }


def _transfer(box: TransferBox, currency: str, amount: str) -> dict[str, str]:
    """Return what a bank form asks for, with the EPC069-12 code where the standard allows it (euro alone)."""
    code = ""
    if currency == "EUR":
        due = Money(box.amount_minor, currency).decimal
        made = helpers.make_epc_qr(name=box.holder[:70], iban=box.iban, amount=due, reference=box.reference, bic=box.bic)
        drawn = BytesIO()
        made.save(drawn, kind="svg", border=4, xmldecl=False)
        code = drawn.getvalue().decode()
    return {
        "holder": box.holder,
        "iban": grouped(box.iban),
        "bic": box.bic or "",
        "reference": grouped(box.reference),
        "amount": amount,
        "code": code,
    }


def _formatted(facts: dict[str, Any], statement: PayeeStatement, language: str) -> dict[str, Any]:
    def own(text: str) -> str:
        return _own(text, language)

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
                "text": own(languages.fact(line.text, language)),
                "quantity": own(_quantity(line.quantity, line.unit, language)) if line.quantity else "",
                "unit_price": own(_unit_price(line, language)),
                "money": money(line.money),
            }
            for line in statement.lines
        ],
        "deductions": [
            {"text": own(languages.fact(row.text, language)), "money": money(row.money, "−"), "still_owed": money(row.still_owed)}
            for row in statement.deductions
        ],
    }


def _quantity(value: Decimal, unit: str, language: str) -> str:
    return f"{languages.number(value, language)} {languages.unit(unit, language, value)}"


def _unit_price(line: StatementLine, language: str) -> str:
    if line.unit_price is None:
        return ""
    price = languages.unit_price(line.unit_price, line.money.currency, language)
    return f"{price} / {languages.unit(line.unit, language, 1)}"


@cache
def _template(name: str) -> bytes:
    return (TEMPLATES / f"{name}.typ").read_bytes()


def _pdf(name: str, facts: dict[str, Any], made_at: datetime) -> bytes:
    # It loads with the first document that a process makes: most make none, and it takes 7 MB of each.
    import typst

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
