"""A first proposal of how to read a CSV, for a person to correct and confirm; nothing is imported by a guess."""

from __future__ import annotations

import contextlib
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from market.kernel.text import fold

from .delimited import CsvMapping
from .source import Source, mark_of

DELIMITERS = (";", ",", "\t", "|")
ROWS = 8
"""So many rows are shown with the form."""

# What banks call their columns, folded; the first that fits wins.
_NAMES = {
    "date": r"(booking|posting|entry|completion|transaction|trans)?\s*(date|time|day)|buchungstag|buchung|datum|date op.*|"
    r"fecha.*|data.*",
    "value_date": r"value.*|valuta.*|wertstellung.*|date valeur|fecha valor",
    "amount": r"amount.*|betrag.*|montant.*|importe.*|valor|bedrag.*",
    "debit": r"debit.*|withdrawn|paid out|money out|soll|cargo|out",
    "credit": r"credit.*|paid in|money in|haben|abono|in",
    "indicator": r"(dr/?cr|cr/?dr|debit/credit|type|af bij|soll/haben|s/h)",
    "currency": r"ccy|currency|wahrung|devise|moneda|moeda|valuta",
    "balance": r"(running )?balance.*|saldo.*|solde.*",
    "text": r"details?|description.*|text|verwendungszweck.*|libelle.*|memo|narrative|concepto.*|reference text|omschrijving.*",
    "counterparty": r"name|payee|counterparty|beguns?tigter.*|auftraggeber.*|other party.*|beneficiario|tegenrekening naam",
    "counterparty_account": r"iban|account.*|kontonummer.*|counterparty account|gegenkonto.*|tegenrekening",
    "reference": r".*(end.?to.?end|e2e).*|(customer|payment|creditor|your|our) ref(erence)?|(kunden|zahlungs)referenz.*|"
    r"zahlungskenmerk|betalingskenmerk|reference (du client|de bout en bout)|referencia (del?|do) (pago|cliente)",
    "line_ref": r"ref|reference|receipt.*|transaction id|id|referenz",
    "status": r".*status",
}
_DAYS = (
    (r"\d{4}-\d\d-\d\d", "%Y-%m-%d"),
    (r"\d{4}/\d\d/\d\d", "%Y/%m/%d"),
    (r"\d{8}", "%Y%m%d"),
    (r"\d\d?\.\d\d?\.\d{4}", "%d.%m.%Y"),
    (r"\d\d?\.\d\d?\.\d\d", "%d.%m.%y"),
    (r"\d\d?/\d\d?/\d{4}", "%d/%m/%Y"),
    (r"\d\d?-\d\d?-\d{4}", "%d-%m-%Y"),
)
_CLOCKS = ((r" \d\d:\d\d:\d\d", " %H:%M:%S"), (r" \d\d:\d\d", " %H:%M"), (r"", ""))


@dataclass(frozen=True, slots=True)
class Guess:
    """A mapping to begin with, the header, and the first rows below it."""

    mapping: CsvMapping
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def guess(source: Source, *, delimiter: str = "", header_row: int | None = None) -> Guess:
    """Return a proposal; a given delimiter or header row is not guessed."""
    encoding, _ = mark_of(source.head)
    text = source.head_text()
    if "\ufffd" in text[:-1]:
        encoding, text = "cp1252", source.head.decode("cp1252", "replace")
    lines = text.splitlines(keepends=True)[: 50 + ROWS]
    delimiter = delimiter or max(DELIMITERS, key=lambda mark: sum(line.count(mark) for line in lines))
    rows = _rows(lines, delimiter)
    at = _header(rows) if header_row is None else min(header_row, max(len(rows) - 1, 0))
    header = [cell.strip() for cell in rows[at]] if rows else []
    below = [row for row in rows[at + 1 :] if any(cell.strip() for cell in row)][:ROWS]
    columns = _columns(header)
    cells = {name: [row[at] for row in below if len(row) > at] for name, at in _places(header, columns).items()}
    sample = " ".join(text for name in ("amount", "debit", "credit", "balance") for text in cells.get(name, ()))
    decimal = "," if re.search(r",\d\d?\b(?!,)", sample) and not re.search(r"\.\d\d\b(?![.,])", sample) else "."
    days = [text.strip() for text in cells.get("date", ())]
    style = _date_format(days)
    mapping = CsvMapping(
        columns,
        delimiter=delimiter,
        encoding=encoding,
        header_row=at,
        decimal=decimal,
        thousands="." if decimal == "," else ",",
        date_format=style,
        newest_first=len(days) > 1 and _key(days[0], style) > _key(days[-1], style),
    )
    return Guess(mapping, header, below)


def _rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    found: list[list[str]] = []
    with contextlib.suppress(csv.Error):  # what was read until there is shown
        found.extend(csv.reader(lines, delimiter=delimiter))
    return found


def _header(rows: Sequence[Sequence[str]]) -> int:
    """Return the first row with the most cells that look like names of columns."""
    best = max((len(_columns([cell.strip() for cell in row])) for row in rows), default=0)
    return next((n for n, row in enumerate(rows) if best and len(_columns([cell.strip() for cell in row])) == best), 0)


def _columns(header: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, pattern in _NAMES.items():
        for cell in header:
            if cell and cell not in found.values() and re.fullmatch(pattern, fold(cell).strip(" .")):
                found[name] = cell
                break
    return found


def _places(header: Sequence[str], columns: dict[str, str]) -> dict[str, int]:
    return {name: header.index(column) for name, column in columns.items()}


def _date_format(days: Sequence[str]) -> str:
    for pattern, style in _DAYS:
        for clock, clock_style in _CLOCKS:
            if days and all(re.fullmatch(pattern + clock, day) for day in days):
                if style == "%d/%m/%Y" and any(int(day.split("/")[1]) > 12 for day in days):
                    style = "%m/%d/%Y"
                return style + clock_style
    return "%Y-%m-%d"


def _key(day: str, style: str) -> str:
    numbers = re.findall(r"\d+", day)
    order = re.findall(r"%([YymdHMS])", style)
    parts = dict(zip(order, numbers, strict=False))
    return "".join(parts.get(name, "").zfill(4) for name in ("Y", "y", "m", "d", "H", "M", "S"))
