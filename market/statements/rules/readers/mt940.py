"""Read MT940 and MT942, as banks write them, line by line (money.md 7.1).

Fields begin with `:NN:` of a known tag at a line's start; what follows belongs to them until the next one. SWIFT
envelopes, also with national letters for their braces, and control characters are passed over. RC lowers the balance,
RD raises it. A day that its month does not have is moved to the month's end and told; any other day is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from market.statements.rules.shapes import Balance, Line, Statement, Totals, Unreadable
from market.statements.rules.sums import check_sums
from market.statements.rules.values import amount_text, clamped_day, plain_minor

from .mt940_details import details_of
from .source import MAX_LINES, Lines, Source

_TAG = re.compile(r":(20|21|25P?|28[CD]?|60[FM]|61|62[FM]|64|65|86|NS|13D?|34F|90[CD]):(.*)", re.DOTALL)
_CLOCK = re.compile(r"[0-5][0-9](?![0-9A-Za-z/])")
_END = re.compile(r"-(?:[}åäÅÄ].*)?")
_CONTROL = re.compile(r"[\x01-\x08\x0b-\x1f\x7f-\x9f]")
_ENTRY = re.compile(
    r"(?P<value>[0-9]{6})(?P<entry>[0-9]{4})?(?P<mark>RC|RD|C|D)(?P<funds>[A-Z])?"
    r" ?(?P<amount>[0-9]{1,30}(?:[,.][0-9]{0,6})?)(?:(?P<type>[A-Z][A-Z0-9]{3})(?P<rest>.*))?",
    re.DOTALL,
)
_BALANCE = re.compile(r"(?P<mark>[CD])(?P<day>[0-9]{6})(?P<currency>[A-Z]{3})?(?P<amount>[0-9]{1,30}(?:[,.][0-9]{0,6})?)\s*")
_SUMMARY = re.compile(r"(?P<count>[0-9]{0,5})(?P<currency>[A-Z]{3})(?P<amount>[0-9]{1,30}(?:[,.][0-9]{0,6})?)\s*")
_SIGNS = {"C": 1, "D": -1, "RC": -1, "RD": 1}
MAX_FIELD_LINES = 200
"""A field has at most a few lines; it bounds the memory that a hostile file can take."""


def recognised(head: str) -> bool:
    """Return whether a file that begins like this is MT940 or MT942."""
    return re.search(r"^[^\n]{0,40}?:(?:20|25|28C?|60[FM]|61|86):", head, re.MULTILINE) is not None


def read_mt940(source: Source, *, default_currency: str | None = None) -> Iterator[Line | Statement]:
    """Yield each line as it is complete, and each statement after its last line. Raises Unreadable for the whole file."""
    lines = Lines(source)
    reader = _Reader(lines, default_currency)
    for tag, text in _fields(lines):
        yield from reader.field(tag, text)
    yield from reader.end()


def _fields(lines: Lines) -> Iterator[tuple[str, str]]:
    """Yield (tag, text) of each field, and ("-", "") where a message ends."""
    tag, held = "", list[str]()
    for raw in lines:
        text = _CONTROL.sub("", raw).rstrip("\r\n")
        found = _TAG.match(text)
        if found and not (tag in ("86", "NS") and found[1] in ("20", "21", "25", "28") and _CLOCK.match(found[2])):
            if tag:
                yield tag, "\n".join(held)
            tag, held = found[1], [found[2]]
        elif _END.fullmatch(text.rstrip()):
            if tag:
                yield tag, "\n".join(held)
            tag, held = "", []
            yield "-", ""
        elif tag:
            held.append(text)
            if len(held) > MAX_FIELD_LINES:
                raise Unreadable(
                    f"line {lines.number}: field :{tag}: has more than {MAX_FIELD_LINES} lines", "statements.bad_line"
                )
    if tag:
        yield tag, "\n".join(held)
    yield "-", ""


class _Reader:
    def __init__(self, lines: Lines, default_currency: str | None) -> None:
        self.lines = lines
        self.default_currency = default_currency
        self.statement: Statement | None = None
        self.statements = 0
        self.count = 0
        self.waiting: Line | None = None
        self.details = ""
        self.summary: dict[str, tuple[int, int]] = {}

    @property
    def where(self) -> str:
        return f"line {self.lines.number}"

    def field(self, tag: str, text: str) -> Iterator[Line | Statement]:
        if tag == "20":
            yield from self._finish()
            self.statement = Statement(index=self.statements, format="MT940")
            self.statements += 1
            self.summary = {}
            return
        if tag == "-":
            yield from self._finish()
            return
        statement = self.statement
        if statement is None:
            if tag in ("61", "60F", "60M"):
                raise Unreadable(f"{self.where}: a fragment: field :{tag}: before any :20:", "statements.no_statement")
            return
        if tag == "86":
            if self.waiting is not None:
                self.details = f"{self.details}\n{text}" if self.details else text
        elif tag == "61":
            yield from self._flush()
            self.waiting = self._entry(statement, text)
        elif tag == "NS":
            if self.waiting is not None:
                self.details = f"{self.details}\n{text}" if self.details else text
        else:
            yield from self._flush()
            self._head(statement, tag, text)

    def end(self) -> Iterator[Line | Statement]:
        yield from self._finish()
        if not self.statements:
            raise Unreadable("there is no statement in the file: no field :20:", "statements.no_statement")

    def _head(self, statement: Statement, tag: str, text: str) -> None:
        text = text.strip()
        if tag in ("25", "25P"):
            statement.account = "".join(text.split("\n")[0].split()).upper()
        elif tag.startswith("28"):
            statement.number = text
        elif tag in ("60F", "60M", "62F", "62M"):
            balance = self._balance(statement, tag, text)
            if tag.startswith("60"):
                statement.opening, statement.from_on = balance, balance.on
            else:
                statement.closing, statement.to_on = balance, balance.on
        elif tag == "34F":
            statement.format = "MT942"
            statement.currency = statement.currency or text[:3]
        elif tag.startswith("90"):
            self._said(statement, tag, text)

    def _balance(self, statement: Statement, tag: str, text: str) -> Balance:
        found = _BALANCE.fullmatch(text)
        if found is None:
            raise Unreadable(f"{self.where}: balance :{tag}: {text[:40]!r} cannot be read", "statements.bad_line")
        currency = found["currency"] or statement.currency or self.default_currency or ""
        if not found["currency"]:
            statement.find("no_currency", f"balance :{tag}: names no currency", hold=True)
        statement.currency = statement.currency or currency
        statement.currencies.add(currency)
        minor = plain_minor(found["amount"].replace(",", "."), currency, f"{self.where}, :{tag}:")
        return Balance(_SIGNS[found["mark"]] * minor, currency, self._day(statement, found["day"], f":{tag}:"))

    def _day(self, statement: Statement, text: str, what: str) -> date:
        year = int(text[:2])
        day, clamped = clamped_day(
            (2000 if year < 80 else 1900) + year, int(text[2:4]), int(text[4:6]), f"{self.where}, {what} {text}"
        )
        if clamped:
            statement.find("clamped_day", f"{self.where}: {what} {text} is no day of the calendar, taken as {day}", hold=True)
        return day

    def _entry(self, statement: Statement, text: str) -> Line:
        first, _, supplement = text.partition("\n")
        found = _ENTRY.fullmatch(first)
        if found is None:
            raise Unreadable(f"{self.where}: entry :61: {first[:60]!r} does not follow its format", "statements.bad_line")
        self.count += 1
        if self.count > MAX_LINES:
            raise Unreadable(f"the file has more than {MAX_LINES:,} entries", "statements.too_many_lines")
        currency = statement.currency or self.default_currency or ""
        if not currency:
            raise Unreadable(f"{self.where}: an entry before its balance, so without a currency", "statements.unknown_currency")
        where = f"entry {statement.lines + 1} of statement {statement.index + 1} ({self.where})"
        minor = _SIGNS[found["mark"]] * plain_minor(found["amount"].replace(",", "."), currency, where)
        value_on = self._day(statement, found["value"], "value date")
        statement.lines += 1
        statement.statuses["BOOK"] = statement.statuses.get("BOOK", 0) + 1
        statement.currencies.add(currency)
        statement.booked.setdefault(currency, Totals()).add(minor)
        own, _, bank_ref = (found["rest"] or "").partition("//")
        own, name = (own[:16], own[16:].strip()) if len(own) > 16 else (own, "")
        charge = re.search(r"/CHGS/[A-Z]{3}([0-9]+,[0-9]*)", supplement)
        return Line(
            statement=statement.index,
            n=statement.lines,
            source_line=self.lines.number,
            booked_on=self._booked_on(found["entry"], value_on, where),
            value_on=value_on,
            amount_minor=minor,
            currency=currency,
            status="BOOK",
            bank_ref=_reference(bank_ref),
            refs=tuple(filter(None, [_reference(own)])),
            counterparty_name=name,
            text=supplement.strip(),
            bank_code=found["type"] or "",
            reversal=found["mark"] in ("RC", "RD"),
            returned=found["mark"] == "RD",
            charges_minor=plain_minor(charge[1].replace(",", "."), currency, where) if charge else 0,
        )

    @staticmethod
    def _booked_on(text: str | None, value_on: date, where: str) -> date:
        """Return the entry day: month and day, in the year that brings it nearest to the value day."""
        if not text:
            return value_on
        near = [
            clamped_day(value_on.year + step, int(text[:2]), int(text[2:]), f"{where}, entry date {text}")[0]
            for step in (-1, 0, 1)
        ]
        return min(near, key=lambda day: abs(day - value_on))

    def _said(self, statement: Statement, tag: str, text: str) -> None:
        found = _SUMMARY.fullmatch(text)
        if found is not None:
            minor = plain_minor(found["amount"].replace(",", "."), found["currency"], f"{self.where}, :{tag}:")
            self.summary[tag] = (int(found["count"] or 0), minor)

    def _flush(self) -> Iterator[Line]:
        line, self.waiting = self.waiting, None
        details, self.details = self.details, ""
        if line is None:
            return
        assert self.statement is not None
        found = details_of(details)
        yield replace(
            line,
            refs=tuple(dict.fromkeys([*line.refs, *found.refs])),
            counterparty_name=found.name or line.counterparty_name,
            counterparty_account=found.account,
            text="\n".join(filter(None, [found.text, line.text])),
            bank_code=found.code or line.bank_code,
            returned=line.returned or found.returned,
            return_reason=found.return_reason,
            interim=self.statement.interim,
        )

    def _finish(self) -> Iterator[Line | Statement]:
        yield from self._flush()
        statement, self.statement = self.statement, None
        if statement is None:
            return
        if not statement.account:
            raise Unreadable(f"statement {statement.index + 1} names no account (:25:)", "statements.no_account")
        if not statement.number.strip("0/ ") and statement.to_on:
            statement.number = f"{statement.number} {statement.to_on}"  # a number that never changes tells nothing apart
        if self.lines.other_bytes:
            statement.find("not_utf8", "the text is not UTF-8; it was read as Windows Latin (cp1252)", hold=False)
        statement.findings += check_sums(statement)
        self._check_summary(statement)
        yield statement

    def _check_summary(self, statement: Statement) -> None:
        totals = statement.booked.get(statement.currency, Totals())
        for tag, count, minor in (("90D", totals.debits, totals.debits_minor), ("90C", totals.credits, totals.credits_minor)):
            if tag in self.summary and self.summary[tag] != (count, minor):
                said_count, said_minor = self.summary[tag]
                said, entries = amount_text(said_minor, statement.currency), amount_text(minor, statement.currency)
                text = f"summary :{tag}: says {said_count} / {said}, entries give {count} / {entries}"
                statement.find("summary", text, hold=True)


def _reference(text: str) -> str:
    text = text.strip()
    return "" if text.upper() in ("", "NONREF", "NOTPROVIDED") else text
