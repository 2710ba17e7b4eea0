"""Read what Stripe gives as CSV: reports in major units, and tables of a data pipeline in minor units (money.md 4.5).

Which of both it is the header says: a report has `gross`, a table `amount`. Balance transactions have a fee and a net amount,
and these must add up. The statement itself comes from Stripe's API; a report is what it is compared with.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from market.statements.rules.shapes import MAX_MINOR, Unreadable
from market.statements.rules.values import signed_minor

from .source import MAX_LINES, Lines, Source

_KEYS = ("balance_transaction_id", "id")
_KINDS = ("reporting_category", "type")
_PAYOUTS = ("automatic_payout_id", "payout_id")
_WHOLE = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class StripeRow:
    """A row with its amounts in minor units; None for what the table has not. `id` is the balance transaction's, else its own."""

    id: str
    amount_minor: int | None
    fee_minor: int | None
    net_minor: int | None
    currency: str
    kind: str
    status: str
    payout: str


def read_stripe(source: Source) -> Iterator[StripeRow]:
    """Yield each row. Raises Unreadable for the whole file: no table of Stripe's, or a row that does not add up."""
    lines = Lines(source)
    rows = csv.reader(iter(lines))
    header = [cell.strip() for cell in next(rows, [])]
    if not {"balance_transaction_id", "id"} & set(header):
        raise Unreadable("this is no table of Stripe's: it names no balance transaction", "statements.unknown_kind")
    own = "id" in header and "balance_transaction_id" in header
    try:
        for number, cells in enumerate(rows, start=1):
            if number > MAX_LINES:
                raise Unreadable(f"the file has more than {MAX_LINES:,} rows", "statements.too_many_lines")
            if len(cells) != len(header):
                text = f"row {number}: {len(cells)} columns, the header has {len(header)}"
                raise Unreadable(text, "statements.bad_line")
            yield _row(dict(zip(header, map(str.strip, cells), strict=True)), f"row {number}", own=own)
    except csv.Error as error:
        raise Unreadable(f"line {lines.number}: {error}", "statements.bad_line") from error


def _row(cells: dict[str, str], where: str, *, own: bool) -> StripeRow:
    currency = cells.get("currency", "").upper()
    major = "gross" in cells
    amounts = {
        name: _minor(cells[name], currency, where, major=major)
        for name in ("gross" if major else "amount", "fee", "net")
        if cells.get(name)
    }
    amount, fee, net = amounts.get("gross" if major else "amount"), amounts.get("fee"), amounts.get("net")
    if amount is not None and fee is not None and net is not None and amount - fee != net:
        raise Unreadable(f"{where}: {amount} less the fee of {fee} is not {net}", "statements.bad_amount")
    key = "id" if own else next(name for name in _KEYS if name in cells)
    return StripeRow(
        id=cells[key],
        amount_minor=amount,
        fee_minor=fee,
        net_minor=net,
        currency=currency,
        kind=next((cells[name] for name in _KINDS if name in cells), ""),
        status=cells.get("status", ""),
        payout=next((cells[name] for name in _PAYOUTS if name in cells), ""),
    )


def _minor(text: str, currency: str, where: str, *, major: bool) -> int:
    if major:
        return signed_minor(text, currency, where)
    if not _WHOLE.fullmatch(text) or abs(int(text)) > MAX_MINOR:
        raise Unreadable(f"{where}: {text[:40]!r} is no whole number of minor units", "statements.bad_amount")
    return int(text)
