"""Read OFX 1 (SGML) and OFX 2 (XML) with one tolerant scanner: tags may be unclosed in either (money.md 7.1).

A file may hold several accounts. `FITID` is the line's identity where the bank gives one; it is told when it does not, or
repeats itself. The ledger balance is the closing; OFX gives no opening. Files of investments and of nothing but the
sign-on are refused by name.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from datetime import date

from market.statements.rules.shapes import Balance, Line, Statement, Totals, Unreadable
from market.statements.rules.sums import check_sums
from market.statements.rules.values import clamped_day, signed_minor

from .source import MAX_LINES, MAX_TEXT_LINE, Source, mark_of

_TOKEN = re.compile(r"<(/?)([A-Za-z0-9_.]{1,80})>([^<]*)")
_OPEN_TAG = re.compile(r"<OFX>", re.IGNORECASE)
_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_AMOUNT = re.compile(r"[+-]?[0-9]{1,30}(?:[.,][0-9]{0,30})?")
_STATEMENTS = frozenset({"STMTRS", "CCSTMTRS"})
_WIDTH = 200
"""Texts of an entry are cut here: the standard allows 255 and no bank uses more."""


def recognised(head: str) -> bool:
    """Return whether a file that begins like this is OFX."""
    return _OPEN_TAG.search(head) is not None or head.lstrip().startswith("OFXHEADER")


def read_ofx(source: Source, *, default_currency: str | None = None) -> Iterator[Line | Statement]:
    """Yield each line, and each statement after its last line. Raises Unreadable for the whole file."""
    reader, ended, last = _Reader(default_currency), False, None
    for closing, name, value in _tokens(source):
        ended = ended or (closing and name == "OFX")
        for event in reader.token(closing, name, value):
            last = event if isinstance(event, Statement) else last
            yield event
    if not reader.statements:
        raise Unreadable("there is no account statement in the OFX file", "statements.no_statement")
    if reader.statement is not None:
        raise Unreadable("the file is cut off inside an account statement", "statements.truncated")
    if last is not None and not ended:  # cut off between two statements, or from a bank that leaves closing tags out
        last.find("no_end", "the file does not say that it ends (</OFX>): more may have followed", hold=True)


def _tokens(source: Source) -> Iterator[tuple[bool, str, str]]:
    """Yield (closing, name, value) of each tag. Raises Unreadable for DTDs, NUL characters and endless tags."""
    marked, skip = mark_of(source.head)
    decoder = codecs.getincrementaldecoder(marked or "utf-8")("replace")
    rest, place = "", 0
    while chunk := source.read():
        rest += decoder.decode(chunk[skip:])
        skip = 0
        if "<!DOCTYPE" in rest or "<!ENTITY" in rest:
            raise Unreadable("the file has a DOCTYPE; an OFX statement has none", "statements.doctype")
        if "\0" in rest:
            raise Unreadable("a NUL character, which no text has", "statements.nul_byte")
        cut = rest.rfind("<")
        whole, rest = (rest[:cut], rest[cut:]) if cut > 0 else ("", rest)
        if len(rest) > MAX_TEXT_LINE:
            raise Unreadable(f"a tag near byte {place} is longer than {MAX_TEXT_LINE // 1024} KB", "statements.line_too_long")
        place = source.total
        yield from _split(whole)
    yield from _split(rest)


def _split(text: str) -> Iterator[tuple[bool, str, str]]:
    for closing, name, value in _TOKEN.findall(text):
        value = value.strip()
        yield bool(closing), name.upper(), html.unescape(value)[:_WIDTH] if "&" in value else value[:_WIDTH]


class _Reader:
    def __init__(self, default_currency: str | None) -> None:
        self.default_currency = default_currency
        self.statement: Statement | None = None
        self.statements = 0
        self.count = 0
        self.entry: dict[str, str] | None = None
        self.ledger: dict[str, str] | None = None
        self.head: dict[str, str] = {}
        self.seen: set[int] = set()

    def token(self, closing: bool, name: str, value: str) -> Iterator[Line | Statement]:
        if name.startswith("INVSTMT"):
            raise Unreadable("this is the statement of an investment account, which holds no payments", "statements.investment")
        if name in _STATEMENTS:
            if not closing:
                self._began()
            elif self.statement is not None:
                yield from self._ended(self.statement)
        elif self.statement is None:
            return
        elif name == "STMTTRN" or (name == "BANKTRANLIST" and closing):
            if self.entry is not None:  # a bank may leave the closing tag out
                yield self._line(self.statement, self.entry)
            self.entry = {} if name == "STMTTRN" and not closing else None
        elif self.entry is not None:
            if value and not closing:
                self.entry.setdefault(name, value)
        else:
            self._head(self.statement, closing, name, value)

    def _head(self, statement: Statement, closing: bool, name: str, value: str) -> None:
        if name in ("LEDGERBAL", "AVAILBAL"):
            if name == "LEDGERBAL" and not closing:
                self.ledger = {}
            elif self.ledger is not None:
                self._balance(statement, self.ledger)
                self.ledger = None
        elif self.ledger is not None:
            self.ledger.setdefault(name, value)
        elif value and not closing:
            self.head.setdefault(name, value)

    def _began(self) -> None:
        self.statement = Statement(index=self.statements, format="OFX")
        self.statements += 1
        self.head, self.entry, self.ledger, self.seen = {}, None, None, set()

    def _currency(self, entry: dict[str, str]) -> str:
        """Return the entry's currency: the account's, else the symbol on the line, else what the account is kept in."""
        assert self.statement is not None
        currency = self.head.get("CURDEF", "") or entry.get("CURSYM", "")
        if not self.head.get("CURDEF"):
            self.statement.find("no_currency", "the account names no currency (CURDEF)", hold=True)
        currency = (currency or self.default_currency or "").upper()
        if not currency:
            raise Unreadable("the account names no currency (CURDEF)", "statements.unknown_currency")
        return currency

    def _line(self, statement: Statement, entry: dict[str, str]) -> Line:
        self.count += 1
        if self.count > MAX_LINES:
            raise Unreadable(f"the file has more than {MAX_LINES:,} entries", "statements.too_many_lines")
        statement.lines += 1
        where = f"entry {statement.lines} of statement {statement.index + 1}"
        currency = self._currency(entry)
        amount = entry.get("TRNAMT", "")
        if not _AMOUNT.fullmatch(amount):
            raise Unreadable(f"{where}: the amount {amount[:60]!r} is not a plain decimal number", "statements.bad_amount")
        minor = signed_minor(amount, currency, where)
        booked_on = self._day(statement, entry.get("DTPOSTED", ""), f"{where}, DTPOSTED")
        value_on = self._day(statement, entry["DTAVAIL"], f"{where}, DTAVAIL") if entry.get("DTAVAIL") else None
        statement.statuses["BOOK"] = statement.statuses.get("BOOK", 0) + 1
        statement.currencies.add(currency)
        statement.booked.setdefault(currency, Totals()).add(minor)
        return Line(
            statement=statement.index,
            n=statement.lines,
            source_line=0,
            booked_on=booked_on,
            value_on=value_on,
            amount_minor=minor,
            currency=currency,
            status="BOOK",
            bank_ref=self._line_id(statement, entry.get("FITID", ""), where),
            refs=tuple(filter(None, [entry.get("REFNUM"), entry.get("CHECKNUM", "").lstrip("0")])),
            counterparty_name=entry.get("NAME", "") or entry.get("PAYEE", ""),
            counterparty_account=entry.get("ACCTID", ""),
            text=entry.get("MEMO", ""),
            bank_code=entry.get("TRNTYPE", "").upper(),
        )

    def _line_id(self, statement: Statement, fitid: str, where: str) -> str:
        if not fitid:
            statement.find("no_line_id", f"{where} has no FITID: equal lines are told apart by their order only", hold=True)
        elif hash(fitid) in self.seen:
            statement.find("line_id_repeated", f"{where}: FITID {fitid[:40]} is used twice", hold=True)
        else:
            self.seen.add(hash(fitid))
        return fitid

    def _day(self, statement: Statement, text: str, where: str) -> date:
        found = _DAY.match(text)
        if found is None:
            raise Unreadable(f"{where}: {text[:40]!r} is not a date (YYYYMMDD)", "statements.bad_day")
        day, clamped = clamped_day(int(found[1]), int(found[2]), int(found[3]), where)
        if clamped:
            statement.find("clamped_day", f"{where}: {text[:8]} is no day of the calendar, taken as {day}", hold=True)
        return day

    def _balance(self, statement: Statement, ledger: dict[str, str]) -> None:
        amount = ledger.get("BALAMT", "")
        if not amount:
            return
        currency = self._currency({})
        if not _AMOUNT.fullmatch(amount):
            raise Unreadable(f"the ledger balance {amount[:60]!r} is not a plain decimal number", "statements.bad_amount")
        on = self._day(statement, ledger["DTASOF"], "DTASOF") if ledger.get("DTASOF") else None
        statement.closing = Balance(signed_minor(amount, currency, "ledger balance"), currency, on)
        statement.currencies.add(currency)

    def _ended(self, statement: Statement) -> Iterator[Line | Statement]:
        if self.entry:
            yield self._line(statement, self.entry)
            self.entry = None
        statement.account = "".join(self.head.get("ACCTID", "").split()).upper()
        if not statement.account:
            raise Unreadable(f"statement {statement.index + 1} names no account (ACCTID)", "statements.no_account")
        statement.currency = self.head.get("CURDEF", "").upper() or min(statement.currencies, default=self.default_currency or "")
        for name, attribute in (("DTSTART", "from_on"), ("DTEND", "to_on")):
            if self.head.get(name):
                setattr(statement, attribute, self._day(statement, self.head[name], name))
        statement.number = f"{statement.from_on or ''}..{statement.to_on or ''} ({statement.lines})"
        statement.findings += check_sums(statement)
        yield statement
        self.statement = None
