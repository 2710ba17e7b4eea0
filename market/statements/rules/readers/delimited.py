"""Read a bank's CSV by a saved mapping, row by row; nothing is guessed per row (money.md 7.1).

The mapping says what each column is, how amounts and days are written, and which order the rows have. Where a running
balance is given it is checked row by row, and opening and closing follow from it.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from market.statements.rules.shapes import Balance, Line, Statement, Totals, Unreadable
from market.statements.rules.sums import check_sums
from market.statements.rules.values import amount_text, digits_of, plain_minor

from .source import MAX_LINES, Lines, Source

FIELDS = (
    "date", "value_date", "amount", "debit", "credit", "indicator", "currency", "balance", "text", "counterparty",
    "counterparty_account", "reference", "line_ref", "status",
)  # fmt: skip
DEBIT_WORDS = frozenset({"D", "DR", "DB", "DBIT", "DEBIT", "S", "SOLL", "AF"})
CREDIT_WORDS = frozenset({"C", "CR", "CRDT", "CREDIT", "H", "HABEN", "BIJ"})
_LIKE_THOUSANDS = 3
_BLANKS = str.maketrans(dict.fromkeys("\u00a0\u202f\u2009", " ") | {"\u2212": "-", "\u2019": "'"})
_AMOUNT = re.compile(
    r"(?P<sign>[+-]?) ?(?:[A-Za-z]{1,4}\.?|[€$£¥])? ?(?P<inner>[+-]?) ?(?P<digits>[0-9][0-9.,' ]*?) ?(?P<late>[+-]?)"
    r" ?(?P<word>[A-Za-z]{0,6}|[€$£¥])"
)


@dataclass(frozen=True, slots=True)
class CsvMapping:
    """How one bank writes its CSV. `columns` says under which header each of FIELDS stands.

    `header_row` counts the rows before the header; `skip` names values of a column whose rows mean nothing; `inverted`
    is for cards, where a purchase is positive.
    """

    columns: Mapping[str, str]
    delimiter: str = ","
    encoding: str = ""
    header_row: int = 0
    decimal: str = "."
    thousands: str = ""
    date_format: str = "%Y-%m-%d"
    currency: str = ""
    inverted: bool = False
    newest_first: bool = False
    skip: Mapping[str, Sequence[str]] = field(default_factory=dict)


def fingerprint(header: Sequence[str]) -> str:
    """Return what tells one bank's header from another's: sixteen hexadecimal digits."""
    return hashlib.sha256("\x1f".join(cell.strip().casefold() for cell in header).encode()).hexdigest()[:16]


def header_of(source: Source, mapping: CsvMapping) -> list[str]:
    """Return the header cells at the beginning of a file, read as the mapping says; none when there are too few rows."""
    rows = csv.reader(source.head_text().splitlines(keepends=True), delimiter=mapping.delimiter)
    try:
        for number, row in enumerate(rows):
            if number == mapping.header_row:
                return [cell.strip() for cell in row]
    except csv.Error:
        return []
    return []


def fits(source: Source, mapping: CsvMapping) -> bool:
    """Return whether a file has all columns of a mapping."""
    return set(mapping.columns.values()) <= set(header_of(source, mapping))


def read_csv(source: Source, mapping: CsvMapping, *, default_currency: str | None = None) -> Iterator[Line | Statement]:
    """Yield each line, and the statement after the last. Raises Unreadable for the whole file."""
    lines = Lines(source, mapping.encoding)
    rows = csv.reader(iter(lines), delimiter=mapping.delimiter)
    try:
        header: list[str] = []
        for _ in range(mapping.header_row + 1):
            header = [cell.strip() for cell in next(rows, [])]
        reader = _Reader(mapping, header, default_currency)
        for row in rows:
            if any(cell.strip() for cell in row):
                line = reader.row(row, rows.line_num)
                if line is not None:
                    yield line
    except csv.Error as error:
        raise Unreadable(f"line {lines.number}: {error}", "statements.bad_line") from error
    if lines.other_bytes:
        reader.statement.find("not_utf8", "the text is not UTF-8; it was read as Windows Latin (cp1252)", hold=False)
    yield reader.end()


class _Reader:
    def __init__(self, mapping: CsvMapping, header: list[str], default_currency: str | None) -> None:
        self.mapping = mapping
        self.header = header
        self.places = {name: self._place(column) for name, column in mapping.columns.items()}
        self.skip = {self._place(column): set(values) for column, values in mapping.skip.items()}
        if "date" not in self.places or not {"amount", "debit", "credit"} & self.places.keys():
            raise Unreadable("the mapping names no column for the day or for the amount", "statements.mapping_needed")
        self.default_currency = mapping.currency or default_currency or ""
        self.statement = Statement(index=0, format="CSV", currency=self.default_currency)
        self.first: Balance | None = None
        self.last: tuple[int, int] | None = None
        self.days: list[date] = []

    def _place(self, column: str) -> int:
        try:
            return self.header.index(column)
        except ValueError:
            text = f"the file has no column {column!r}; its columns are {', '.join(self.header[:20])[:300]}"
            raise Unreadable(text, "statements.mapping_needed") from None

    def row(self, row: list[str], number: int) -> Line | None:
        where = f"line {number}"
        if any(place < len(row) and row[place].strip() in values for place, values in self.skip.items()):
            self.statement.skipped += 1
            return None
        if len(row) < len(self.header) and len(row) <= max(self.places.values()):
            text = f"{where}: {len(row)} columns, the header has {len(self.header)}"
            raise Unreadable(text, "statements.bad_line")
        cell = {name: row[place].strip() for name, place in self.places.items()}
        currency = (cell.get("currency") or self.default_currency).upper()
        if not currency:
            raise Unreadable(f"{where}: neither the row nor the mapping names a currency", "statements.unknown_currency")
        minor = self._amount(cell, currency, where)
        if minor is None:
            if cell["date"]:
                raise Unreadable(f"{where}: the row has no amount", "statements.bad_amount")
            self.statement.skipped += 1  # a heading or a total between the rows
            return None
        return self._line(cell, minor, currency, number)

    def _line(self, cell: dict[str, str], minor: int, currency: str, number: int) -> Line:
        statement, where = self.statement, f"line {number}"
        statement.lines += 1
        if statement.lines > MAX_LINES:
            raise Unreadable(f"the file has more than {MAX_LINES:,} rows", "statements.too_many_lines")
        booked_on = self._day(cell["date"], where)
        if not self.days:
            self.days = [booked_on, booked_on]
        self.days = [min(self.days[0], booked_on), max(self.days[1], booked_on)]
        statement.statuses["BOOK"] = statement.statuses.get("BOOK", 0) + 1
        statement.currency = statement.currency or currency
        statement.currencies.add(currency)
        statement.booked.setdefault(currency, Totals()).add(minor)
        running = self._running(cell.get("balance", ""), minor, currency, where)
        return Line(
            statement=0,
            n=statement.lines,
            source_line=number,
            booked_on=booked_on,
            value_on=self._day(cell["value_date"], where) if cell.get("value_date") else None,
            amount_minor=minor,
            currency=currency,
            status="BOOK",
            bank_ref=cell.get("line_ref", ""),
            refs=(cell["reference"],) if cell.get("reference") else (),
            counterparty_name=cell.get("counterparty", ""),
            counterparty_account="".join(cell.get("counterparty_account", "").split()).upper(),
            text=cell.get("text", ""),
            running_minor=running,
        )

    def _amount(self, cell: dict[str, str], currency: str, where: str) -> int | None:
        flip = -1 if self.mapping.inverted else 1
        if "amount" in self.places:
            if not cell["amount"]:
                return None
            minor = self._minor(cell["amount"], currency, where)
            word = cell.get("indicator", "").upper()
            if word in DEBIT_WORDS:
                minor = -abs(minor)
            elif word and word not in CREDIT_WORDS:
                raise Unreadable(f"{where}: {word[:20]!r} says neither debit nor credit", "statements.bad_line")
            return flip * minor
        given = {name: cell[name] for name in ("debit", "credit") if cell.get(name)}
        if not given:
            return None
        minors = {name: abs(self._minor(text, currency, where)) for name, text in given.items()}
        if len([minor for minor in minors.values() if minor]) > 1:
            raise Unreadable(f"{where}: the row has a debit and a credit", "statements.bad_line")
        return flip * (minors.get("credit", 0) - minors.get("debit", 0))

    def _minor(self, text: str, currency: str, where: str) -> int:
        plain = " ".join(text.translate(_BLANKS).split())
        negative = plain.startswith("(") and plain.endswith(")")
        found = _AMOUNT.fullmatch(plain[1:-1] if negative else plain)
        if found is None:
            raise Unreadable(f"{where}: the amount {text[:60]!r} cannot be read", "statements.bad_amount")
        signs = found["sign"] + found["inner"] + found["late"]
        if len(signs) > 1:
            raise Unreadable(f"{where}: the amount {text[:60]!r} has two signs", "statements.bad_amount")
        minor = plain_minor(self._plain(found["digits"]), currency, f"{where}, {text[:60]!r}")
        if digits_of(currency, where) < _LIKE_THOUSANDS and self._may_be_thousands(found["digits"]):
            said = f"{where}: {text[:60]!r} was read as {amount_text(minor, currency)}, and may mean a thousand times as much"
            self.statement.find("decimals_unclear", said, hold=True)
        negative = negative or signs == "-" or found["word"].upper() in DEBIT_WORDS
        return -minor if negative else minor

    def _plain(self, digits: str) -> str:
        """Return digits with a point; a separator that does not part thousands stays, and is refused."""
        mapping = self.mapping
        whole, point, rest = digits.partition(mapping.decimal)
        for mark in {mapping.thousands, " ", "'"} - {"", mapping.decimal}:
            if mark in whole and re.fullmatch(
                rf"[0-9]{{1,3}}(?:{re.escape(mark)}[0-9]{{2,3}})*{re.escape(mark)}[0-9]{{3}}", whole
            ):
                whole = whole.replace(mark, "")
        if "." in whole or "." in rest:
            return ""  # the other style than the mapping's: not a number here
        return f"{whole}.{rest}" if point else whole

    def _may_be_thousands(self, digits: str) -> bool:
        """Return whether the mark that the mapping takes for the decimal one may part thousands: as in 1.230, not as in 0.230."""
        whole, _, rest = digits.partition(self.mapping.decimal)
        return len(rest) == _LIKE_THOUSANDS and re.fullmatch(r"[1-9][0-9]{0,2}", whole) is not None

    def _day(self, text: str, where: str) -> date:
        try:
            return datetime.strptime(text, self.mapping.date_format).date()  # noqa: DTZ007 - a day, not an instant
        except ValueError:
            wanted = self.mapping.date_format
            raise Unreadable(f"{where}: {text[:40]!r} is not a day written as {wanted}", "statements.bad_day") from None

    def _running(self, text: str, minor: int, currency: str, where: str) -> int | None:
        """Check the running balance against the row before; return it."""
        if not text:
            return None
        running = self._minor(text, currency, where)
        if self.last is not None:
            before, amount = self.last
            expected = before - amount if self.mapping.newest_first else before + minor
            if running != expected:
                gap = amount_text(running - expected, currency)
                said = f"{where}: the running balance is {gap} away from the row before"
                self.statement.find("running_balance", said, hold=True)
        if self.first is None:
            start = running if self.mapping.newest_first else running - minor
            self.first = Balance(start, currency, None)
        self.last = (running, minor)
        return running

    def end(self) -> Statement:
        statement = self.statement
        if not statement.lines:
            raise Unreadable("there is no row with an amount in the file", "statements.no_statement")
        statement.from_on, statement.to_on = self.days
        if self.first is not None and self.last is not None:
            running, minor = self.last
            if self.mapping.newest_first:
                statement.opening = Balance(running - minor, self.first.currency, None)
                statement.closing = Balance(self.first.minor, self.first.currency, statement.to_on)
            else:
                statement.opening, statement.closing = self.first, Balance(running, self.first.currency, statement.to_on)
        total = amount_text(statement.booked_minor, statement.currency)
        statement.number = f"{statement.from_on}..{statement.to_on} ({statement.lines}, {total})"
        statement.findings += check_sums(statement)
        return statement
