"""Read camt.053 as a stream, from any bank, and refuse what cannot be trusted (money.md 7.1 and 7.2).

Tolerant on what a bank writes (any version, any or no namespace, order of elements), strict on what we would have
to guess: an amount or a day that is not plain refuses the whole file, naming the entry. Elements go by their local
names. Memory stays flat: an entry is forgotten as soon as it was handed out.

Hostile files: no DTD is loaded, no entity is resolved, nothing is fetched; a DOCTYPE in any encoding is refused
before the first element is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import BinaryIO

from lxml import etree

from market.kernel.money import Money, exponent

from .shapes import MAX_MINOR, Balance, Finding, Line, Part, Statement, Totals, Unreadable
from .sums import check_sums

MAX_BYTES = 512 * 1024 * 1024
MAX_LINES = 1_000_000
MAX_DEPTH = 64
MAX_ENTRY_BYTES = 16 * 1024 * 1024
"""No entry is larger; it bounds the memory that a hostile file can take."""

_MESSAGES = {
    "BkToCstmrStmt": "camt.053",
    "BkToCstmrAcctRpt": "camt.052, an interim report",
    "BkToCstmrDbtCdtNtfctn": "camt.054, a notification of details",
}
_HEADS = ("Acct", "Bal", "TxsSummry")
_WATCHED = ("Document", *_MESSAGES, "GrpHdr", "Stmt", "Ntry", *_HEADS)
_AMOUNT = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_NO_REFERENCE = {"", "NOTPROVIDED", "NOT PROVIDED", "NONREF"}
_ENTRY_START = ("NtryRef", "Amt", "CdtDbtInd", "RvslInd", "Sts", "BookgDt", "ValDt", "AcctSvcrRef", "Avlbty", "BkTxCd")
_ENTRY_END = ("ComssnWvrInd", "AddtlInfInd", "AmtDtls", "Chrgs", "TechInptChanl", "Intrst", "CardTx", "NtryDtls", "AddtlNtryInf")
_ENTRY_ORDER = {name: rank for rank, name in enumerate(_ENTRY_START + _ENTRY_END)}

Fields = dict[str, list[str]]


def read_camt053(stream: BinaryIO, *, default_currency: str | None = None) -> Iterator[Line | Statement]:
    """Yield each line as it is read, and each statement after its last line.

    `default_currency` stands in where neither entry nor account names one. Raises Unreadable for the whole file;
    lines handed out before that must not be used.
    """
    return _Reader(stream, default_currency).events()


class _Source:
    """The stream as lxml reads it, with the limits that hold while reading."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.total = 0
        self.mark = 0
        self.ended = False

    def read(self, size: int) -> bytes:
        chunk = self.stream.read(size)
        self.ended = not chunk
        if self.total == 0:
            _refuse_other_kinds(chunk)
        self.total += len(chunk)
        if self.total > MAX_BYTES:
            raise Unreadable(f"the file is larger than {MAX_BYTES // 1024**2} MB")
        if self.total - self.mark > MAX_ENTRY_BYTES:
            raise Unreadable(f"one entry is larger than {MAX_ENTRY_BYTES // 1024**2} MB")
        return chunk


def _refuse_other_kinds(head: bytes) -> None:
    plain = head.replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    if not plain.strip():
        raise Unreadable("the file is empty")
    if not plain.lstrip().startswith(b"<"):
        raise Unreadable("unknown kind of file: a camt.053 statement is XML and begins with '<'")
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        raise Unreadable("the file has a DOCTYPE; a bank statement has none, and it could fetch or multiply content")


class _Reader:
    def __init__(self, stream: BinaryIO, default_currency: str | None) -> None:
        self.source = _Source(stream)
        self.default_currency = default_currency
        self.message = ""
        self.namespace: str | None = None
        self.statement: Statement | None = None
        self.statements = 0
        self.lines = 0
        self.summary: Fields = {}
        self.fields: Fields = {}
        self.copy = ""

    def events(self) -> Iterator[Line | Statement]:
        try:
            for event, element in etree.iterparse(
                self.source,
                events=("start", "end"),
                tag=[f"{{*}}{name}" for name in _WATCHED],
                resolve_entities=False,
                no_network=True,
                load_dtd=False,
                huge_tree=False,
                remove_comments=True,
                remove_pis=True,
            ):
                yield from self._event(event, element)
        except etree.XMLSyntaxError as error:
            raise Unreadable(_syntax_words(error, self.source.ended)) from error
        if self.statement is not None:
            yield self._finished(self.statement)
        if not self.statements:
            raise Unreadable("there is no statement in the file (a camt.053 holds at least one Stmt)")

    def _event(self, event: str, element: etree._Element) -> Iterator[Line | Statement]:
        name = _local(element)
        if event == "start":
            self._started(name, element)
        elif name == "GrpHdr":
            self.copy = _first(_fields(element), "CpyDplctInd") or self.copy
        elif self.statement is None:
            return
        elif name == "Ntry":
            if not self.fields:  # what stands before the entries is forgotten with the first of them
                self.fields = _fields(_parent(element), leave={"Ntry", *_HEADS})
            yield self._line(element)
            self._forget(element)
        elif name in _HEADS and _local(element.getparent()) == "Stmt":
            self._head(name, _fields(element), _line_of(element))
        elif name == "Stmt":
            yield from self._ended(element)

    def _started(self, name: str, element: etree._Element) -> None:
        if not self.message:
            document = element.getroottree().docinfo
            if document.doctype or document.internalDTD is not None:  # type: ignore[attr-defined]  # unknown to the stubs
                raise Unreadable("the file has a DOCTYPE; a bank statement has none")
        if name in _MESSAGES:
            self.message = name
            self.namespace = etree.QName(element).namespace
            if name != "BkToCstmrStmt":
                raise Unreadable(f"this is a {_MESSAGES[name]}; import the booked statement (camt.053) instead")
        elif name == "Stmt" and (self.statement is None or self.statement.last_page):
            self.statement = Statement(index=self.statements)
            self.statements += 1
            self.summary, self.fields = {}, {}

    # -- heads -------------------------------------------------------------------------------------------------

    def _head(self, name: str, fields: Fields, line: int) -> None:
        assert self.statement is not None
        if name == "Acct":
            account = _first(fields, "Id/IBAN") or _first(fields, "Id/Othr/Id") or _first(fields, "Id/BBAN")
            self.statement.account = re.sub(r"\s+", "", account).upper()
            self.statement.currency = _first(fields, "Ccy") or self.statement.currency
        elif name == "Bal":
            self._balance(fields, line)
        else:
            for key, values in fields.items():
                self.summary.setdefault(key, []).extend(values)

    def _balance(self, fields: Fields, line: int) -> None:
        assert self.statement is not None
        kind = _first(fields, "Tp/CdOrPrtry/Cd")
        if kind not in {"OPBD", "PRCD", "CLBD"} or _first(fields, "Tp/SubTp/Cd") == "INTM":
            return
        where = f"balance {kind} (line {line})"
        minor, currency = self._amount(fields, "Amt", where)
        day = _first(fields, "Dt/Dt") or _first(fields, "Dt/DtTm")
        balance = Balance(minor * _sign(fields, where), currency, _day(day, where) if day else None)
        if kind == "CLBD":
            self.statement.closing = balance
        elif kind == "OPBD" or self.statement.opening is None:
            self.statement.opening = balance
        self.statement.currencies.add(currency)

    def _ended(self, element: etree._Element) -> Iterator[Statement]:
        statement = self.statement
        assert statement is not None
        fields = self.fields | _fields(element, leave={"Ntry", *_HEADS})
        statement.number = _first(fields, "Id") or _first(fields, "ElctrncSeqNb") or _first(fields, "LglSeqNb")
        for end, attribute in (("Fr", "from_on"), ("To", "to_on")):
            if day := _first(fields, f"FrToDt/{end}DtTm"):
                setattr(statement, attribute, _day(day, f"statement {statement.number}"))
        if copy := _first(fields, "CpyDplctInd") or self.copy:
            statement.findings.append(Finding("copy", f"marked as copy or duplicate ({copy})", True))
        statement.last_page = _first(fields, "StmtPgntn/LastPgInd") not in {"false", "0"}
        self._forget(element)
        if statement.last_page:
            yield self._finished(statement)
            self.statement = None

    def _finished(self, statement: Statement) -> Statement:
        if not statement.account:
            raise Unreadable(f"statement {statement.index + 1} names no account (Acct/Id)")
        statement.currencies |= {statement.currency} - {""}
        if not statement.currency:
            balance = statement.opening or statement.closing
            statement.currency = balance.currency if balance else min(statement.currencies, default="")
        statement.findings += check_sums(statement)
        statement.findings += _check_summary(statement, self.summary)
        if self.namespace is None:
            statement.findings.append(Finding("no_namespace", "the file has no namespace", False))
        return statement

    # -- entries -----------------------------------------------------------------------------------------------

    def _line(self, element: etree._Element) -> Line:
        statement = self.statement
        assert statement is not None
        self.lines += 1
        if self.lines > MAX_LINES:
            raise Unreadable(f"the file has more than {MAX_LINES:,} entries")
        statement.lines += 1
        where = f"entry {statement.lines} of statement {statement.index + 1} (line {_line_of(element)})"
        details: list[etree._Element] = []
        fields = _fields(element, details=details, where=where)
        minor, currency = self._amount(fields, "Amt", where)
        sign = _sign(fields, where)
        status = _first(fields, "Sts/Cd") or _first(fields, "Sts")
        booked_on = _entry_day(fields, "BookgDt", where)
        if status == "BOOK" and booked_on is None:
            raise Unreadable(f"{where}: a booked entry needs its booking day (BookgDt)")
        self._note_order(element)
        self._count(statement, minor * sign, currency, status)
        parts = [self._part(n, each, currency, sign, where) for n, each in enumerate(details, start=1)]
        only = parts[0] if len(parts) == 1 else Part(0, None)
        return Line(
            statement=statement.index,
            n=statement.lines,
            source_line=_line_of(element),
            booked_on=booked_on,
            value_on=_entry_day(fields, "ValDt", where),
            amount_minor=minor * sign,
            currency=currency,
            status=status,
            bank_ref=_clean(_first(fields, "AcctSvcrRef")),
            refs=_unique([*_references(fields, "NtryRef"), *only.refs]),
            batch_refs=_unique([*_references(fields, "NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId"), *only.batch_refs]),
            batch_count=_count_of(_first(fields, "NtryDtls/Btch/NbOfTxs")) or (len(parts) if len(parts) > 1 else 0),
            counterparty_name=only.counterparty_name,
            counterparty_account=only.counterparty_account,
            text="\n".join(filter(None, [only.text, *fields.get("AddtlNtryInf", [])])),
            bank_code=_bank_code(fields),
            reversal=_first(fields, "RvslInd") in {"true", "1"},
            returned=only.returned or _return_code(fields),
            return_reason=only.return_reason,
            charges_minor=self._charges(fields, where) or only.charges_minor,
            parts=tuple(parts) if len(parts) > 1 else (),
        )

    def _part(self, n: int, element: etree._Element, currency: str, sign: int, where: str) -> Part:
        where = f"{where}, transaction {n}"
        fields = _fields(element, where=where)
        if "CdtDbtInd" in fields:
            sign = _sign(fields, where)
        minor = self._part_amount(fields, currency, where)
        returned = _return_code(fields) or any(key.startswith("RtrInf/") for key in fields)
        # In a return the parties keep the roles of the original payment: our payee is still the creditor.
        them = "Cdtr" if (sign < 0) != returned else "Dbtr"
        return Part(
            n=n,
            amount_minor=None if minor is None else minor * sign,
            refs=_unique(
                _references(
                    fields,
                    "Refs/EndToEndId",
                    "RmtInf/Strd/CdtrRefInf/Ref",
                    "RmtInf/Strd/CdtrRefInf/CdtrRef",
                    "Refs/InstrId",
                    "Refs/TxId",
                    "Refs/UETR",
                    "Refs/AcctSvcrRef",
                    "Refs/Prtry/Ref",
                )
            ),
            batch_refs=_unique(_references(fields, "Refs/PmtInfId", "Refs/MsgId")),
            counterparty_name=_first(fields, f"RltdPties/{them}/Nm") or _first(fields, f"RltdPties/{them}/Pty/Nm"),
            counterparty_account=_account(fields, them),
            text="\n".join(
                value
                for key in ("RmtInf/Ustrd", "RmtInf/Strd/AddtlRmtInf", "RtrInf/AddtlInf", "AddtlTxInf")
                for value in fields.get(key, ())
            ),
            returned=returned,
            return_reason=_first(fields, "RtrInf/Rsn/Cd") or _first(fields, "RtrInf/Rsn/Prtry"),
            charges_minor=self._charges(fields, where),
        )

    def _part_amount(self, fields: Fields, currency: str, where: str) -> int | None:
        for key in ("Amt", "AmtDtls/TxAmt/Amt"):
            if key in fields:
                minor, own_currency = self._amount(fields, key, where)
                if own_currency == currency:
                    return minor
        return None

    def _amount(self, fields: Fields, key: str, where: str) -> tuple[int, str]:
        text = _first(fields, key)
        currency = _first(fields, f"{key}@Ccy") or (self.statement.currency if self.statement else "")
        currency = currency or self.default_currency or ""
        if not currency:
            raise Unreadable(f"{where}: the amount {text!r} has no currency")
        return _minor(text, currency, where), currency

    def _charges(self, fields: Fields, where: str) -> int:
        for key in ("Chrgs/TtlChrgsAndTaxAmt", "Chrgs/Rcrd/Amt", "Chrgs/Amt"):
            if key in fields and (currency := _first(fields, f"{key}@Ccy")):
                return sum(_minor(text, currency, where) for text in fields[key])
        return 0

    def _count(self, statement: Statement, minor: int, currency: str, status: str) -> None:
        statement.statuses[status] = statement.statuses.get(status, 0) + 1
        statement.currencies.add(currency)
        if status == "BOOK":
            statement.booked.setdefault(currency, Totals()).add(minor)

    def _note_order(self, element: etree._Element) -> None:
        assert self.statement is not None
        if self.statement.lines > 50:  # it is a habit of the bank: the first entries show it
            return
        ranks = [_ENTRY_ORDER[name] for child in element if (name := _local(child)) in _ENTRY_ORDER]
        if ranks != sorted(ranks) and not any(each.code == "order" for each in self.statement.findings):
            text = f"line {_line_of(element)}: elements are not in the standard's order"
            self.statement.findings.append(Finding("order", text, False))

    def _forget(self, element: etree._Element) -> None:
        """Free what was read. The element itself stays until the next one: its tail is not yet parsed."""
        element.clear(keep_tail=False)  # type: ignore[call-arg]  # unknown to the stubs
        parent = element.getparent()
        while parent is not None and (before := element.getprevious()) is not None:
            parent.remove(before)
        self.source.mark = self.source.total


def _fields(
    element: etree._Element,
    *,
    leave: frozenset[str] | set[str] = frozenset(),
    details: list[etree._Element] | None = None,
    where: str = "",
) -> Fields:
    """Return the texts below `element` by path of local names; attributes as `path@Ccy`.

    Elements named in `leave` are passed over, those called TxDtls are put aside in `details`.
    """
    found: Fields = {}

    def walk(parent: etree._Element, prefix: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise Unreadable(f"{where or 'the file'}: elements are nested deeper than {MAX_DEPTH}")
        for child in parent:
            name = _local(child)
            if name in leave:
                continue
            if details is not None and name == "TxDtls":
                details.append(child)
                continue
            path = prefix + name
            if text := (child.text or "").strip():
                found.setdefault(path, []).append(text)
                if currency := child.get("Ccy"):
                    found.setdefault(path + "@Ccy", []).append(currency.strip())
            elif not len(child):
                found.setdefault(path, [""])
            if len(child):
                walk(child, path + "/", depth + 1)

    walk(element, "", 1)
    return found


_LOCAL: dict[str, str] = {}


def _local(element: etree._Element | None) -> str:
    if element is None or not isinstance(element.tag, str):
        return ""
    tag = element.tag
    if (name := _LOCAL.get(tag)) is None:
        name = tag.rpartition("}")[2]
        if len(_LOCAL) < 4096:  # the standard has a few hundred names; a hostile file may invent millions
            _LOCAL[tag] = name
    return name


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    return element if parent is None else parent


def _line_of(element: etree._Element) -> int:
    return int(str(element.sourceline or 0))


def _first(fields: Fields, path: str) -> str:
    values = fields.get(path)
    return values[0] if values else ""


def _clean(text: str) -> str:
    return "" if text.upper() in _NO_REFERENCE else text


def _references(fields: Fields, *paths: str) -> list[str]:
    return [text for path in paths for text in fields.get(path, ()) if _clean(text)]


def _unique(values: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _account(fields: Fields, party: str) -> str:
    base = f"RltdPties/{party}Acct/Id/"
    account = _first(fields, base + "IBAN") or _first(fields, base + "Othr/Id") or _first(fields, base + "BBAN")
    return re.sub(r"\s+", "", account).upper()


def _sign(fields: Fields, where: str) -> int:
    match _first(fields, "CdtDbtInd"):
        case "CRDT":
            return 1
        case "DBIT":
            return -1
        case other:
            raise Unreadable(f"{where}: CdtDbtInd is {other!r}, expected CRDT or DBIT")


def _minor(text: str, currency: str, where: str) -> int:
    """Return exact minor units: trailing zeros beyond the currency's are fine, other digits are refused."""
    if not _AMOUNT.fullmatch(text):
        raise Unreadable(f"{where}: the amount {text!r} is not a plain decimal number")
    try:
        digits = exponent(currency)
    except ValueError as error:
        raise Unreadable(f"{where}: unknown currency {currency!r}") from error
    whole, _, rest = text.partition(".")
    if rest[digits:].strip("0"):
        raise Unreadable(f"{where}: the amount {text!r} has more decimals than {currency} has")
    minor = int(whole + rest[:digits].ljust(digits, "0"))
    if minor > MAX_MINOR:
        raise Unreadable(f"{where}: the amount {text!r} is beyond the limit of 10^15 minor units")
    return minor


def _day(text: str, where: str) -> date:
    if not _DAY.fullmatch(text):
        raise Unreadable(f"{where}: {text!r} is not a date (YYYY-MM-DD)")
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise Unreadable(f"{where}: {text!r} is not a day of the calendar") from error


def _entry_day(fields: Fields, name: str, where: str) -> date | None:
    text = _first(fields, f"{name}/Dt") or _first(fields, f"{name}/DtTm")
    return _day(text, f"{where}, {name}") if text else None


def _bank_code(fields: Fields) -> str:
    domain = [_first(fields, f"BkTxCd/Domn/{part}") for part in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")]
    return "/".join(domain) if any(domain) else _first(fields, "BkTxCd/Prtry/Cd")


def _return_code(fields: Fields) -> bool:
    """Return whether the transaction code says return: RRTN in the ISO list, NRTI of German banks."""
    return _first(fields, "BkTxCd/Domn/Fmly/SubFmlyCd") == "RRTN" or _first(fields, "BkTxCd/Prtry/Cd").startswith("NRTI")


def _count_of(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0


def _check_summary(statement: Statement, summary: Fields) -> list[Finding]:
    """Compare the bank's own counts and sums with the entries that are present."""
    found = []
    totals = statement.booked.get(statement.currency, Totals())
    for name, count, minor in (
        ("TtlCdtNtries", totals.credits, totals.credits_minor),
        ("TtlDbtNtries", totals.debits, totals.debits_minor),
    ):
        said_count, said_sum = _first(summary, f"{name}/NbOfNtries"), _first(summary, f"{name}/Sum")
        where = f"summary {name}"
        wrong_count = bool(said_count) and _count_of(said_count) != count
        wrong_sum = bool(said_sum) and _minor(said_sum, statement.currency, where) != minor
        if wrong_count or wrong_sum:
            entries = Money(minor, statement.currency).text
            text = f"{where} says {said_count or '?'} / {said_sum or '?'}, entries give {count} / {entries}"
            found.append(Finding("summary", text, True))
    return found


def _syntax_words(error: etree.XMLSyntaxError, at_the_end: bool) -> str:
    line, column = error.position
    words = "the file is cut off" if at_the_end else str(error).partition(", line ")[0]
    return f"not well formed at line {line}, column {column}: {words}"
