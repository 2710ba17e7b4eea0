"""Read camt.053, camt.052 and camt.054 as a stream, from any bank, and refuse what cannot be trusted (money.md 7.1 and 7.2).

Tolerant on what a bank writes (any version, any or no namespace, order of elements), strict on what we would have
to guess: an amount or a day that is not plain refuses the whole file, naming the entry. Elements go by their local
names. Memory stays flat: an entry is forgotten as soon as it was handed out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lxml import etree

from market.statements.rules.shapes import Balance, Finding, Line, Part, Statement, Totals, Unreadable
from market.statements.rules.sums import check_sums
from market.statements.rules.values import amount_text, plain_minor

from . import alike, xml
from . import elements as el
from .elements import Texts
from .source import MAX_LINES, Source

MAX_ENTRY_BYTES = 16 * 1024 * 1024
"""No entry is larger; it bounds the memory that a hostile file can take."""

_FORMATS = {"BkToCstmrStmt": "camt.053", "BkToCstmrAcctRpt": "camt.052", "BkToCstmrDbtCdtNtfctn": "camt.054"}
_STATEMENTS = ("Stmt", "Rpt", "Ntfctn")
_HEADS = ("Acct", "Bal", "TxsSummry")
_WATCHED = (*_FORMATS, "GrpHdr", *_STATEMENTS, "Ntry", *_HEADS)
_APART = frozenset({"Ntry", *_HEADS})
_ENTRY_START = ("NtryRef", "Amt", "CdtDbtInd", "RvslInd", "Sts", "BookgDt", "ValDt", "AcctSvcrRef", "Avlbty", "BkTxCd")
_ENTRY_END = ("ComssnWvrInd", "AddtlInfInd", "AmtDtls", "Chrgs", "TechInptChanl", "Intrst", "CardTx", "NtryDtls", "AddtlNtryInf")
_REFERENCES = (
    "Refs/EndToEndId",
    "RmtInf/Strd/CdtrRefInf/Ref",
    "RmtInf/Strd/CdtrRefInf/CdtrRef",
    "Refs/InstrId",
    "Refs/ChqNb",
    "Refs/TxId",
    "Refs/UETR",
    "Refs/AcctSvcrRef",
    "Refs/Prtry/Ref",
)
_TEXTS = ("RmtInf/Ustrd", "RmtInf/Strd/AddtlRmtInf", "RtrInf/AddtlInf", "AddtlTxInf")
_PARTIES = {them: ((f"RltdPties/{them}/Nm", f"RltdPties/{them}/Pty/Nm"), f"RltdPties/{them}Acct/") for them in ("Cdtr", "Dbtr")}
_ENTRY_ORDER = {name: rank for rank, name in enumerate(_ENTRY_START + _ENTRY_END)}


def read_camt(source: Source, *, default_currency: str | None = None) -> Iterator[Line | Statement]:
    """Yield each line as it is read, and each statement after its last line.

    `default_currency` stands in where neither entry nor account names one. Raises Unreadable for the whole file;
    lines handed out before that must not be used.
    """
    source.entry_limit = MAX_ENTRY_BYTES
    return _Reader(source, default_currency).events()


class _At(NamedTuple):
    """Where an entry stands: its line in the file, and the words for it."""

    source_line: int
    where: str


class _Reader:
    def __init__(self, source: Source, default_currency: str | None) -> None:
        self.source = source
        self.stream = alike.Stream(source)
        self.default_currency = default_currency
        self.format = ""
        self.namespace: str | None = None
        self.statement: Statement | None = None
        self.statements = 0
        self.lines = 0
        self.summary: Texts = {}
        self.texts: Texts = {}
        self.copy = ""

    def events(self) -> Iterator[Line | Statement]:
        for event, element in xml.events(self.source, (*_WATCHED, self.stream.mark), stream=self.stream):
            if event == "start":
                self._started(el.local_name(element), element)
            else:
                yield from self._at_end(el.local_name(element), element)
        if self.statement is not None:
            yield self._finished(self.statement)
        if not self.statements:
            raise Unreadable("there is no statement in the file (a camt.053 holds at least one Stmt)", "statements.no_statement")

    def _at_end(self, name: str, element: etree._Element) -> Iterator[Line | Statement]:
        if name == "GrpHdr":
            self.copy = el.first(el.texts_of(element), "CpyDplctInd") or self.copy
        elif name == self.stream.mark:
            yield from self._alike(element)
        elif self.statement is None:
            return
        elif name == "Ntry":
            self._keep_texts(element)
            details: list[Texts] = []
            at = self._entry(el.line_of(element))
            texts = el.texts_of(element, details=details, where=at.where)
            yield self._line(at, texts, details, [el.local_name(child) for child in element])
            self._forget(element)
        elif name in _HEADS and el.local_name(element.getparent()) in _STATEMENTS:
            self._head(name, el.texts_of(element), el.line_of(element))
        elif name in _STATEMENTS:
            yield from self._ended(element)

    def _alike(self, element: etree._Element) -> Iterator[Line]:
        """Yield the lines of a run of entries that the parser did not see."""
        run = self.stream.runs.popleft()
        if self.statement is None:
            return
        self._keep_texts(element)
        for kind, values, line in run:
            details = [alike.texts_of(each, values) for each in kind.details]
            yield self._line(self._entry(line), alike.texts_of(kind.own, values), details, kind.children)
        self._forget(element)

    def _keep_texts(self, element: etree._Element) -> None:
        """Keep what stands before the entries: it is forgotten with the first of them."""
        if not self.texts:
            self.texts = el.texts_of(el.parent_of(element), leave=_APART | {self.stream.mark})

    def _started(self, name: str, element: etree._Element) -> None:
        if name in _FORMATS:
            self.format = _FORMATS[name]
            self.namespace = etree.QName(element).namespace
        elif name in _STATEMENTS and self.format and (self.statement is None or self.statement.last_page):
            self.statement = Statement(index=self.statements, format=self.format)
            self.statements += 1
            self.summary, self.texts = {}, {}

    def _forget(self, element: etree._Element) -> None:
        xml.forget(element)
        self.source.advance()

    # -- heads -------------------------------------------------------------------------------------------------

    def _head(self, name: str, texts: Texts, line: int) -> None:
        assert self.statement is not None
        if name == "Acct":
            self.statement.account = el.account_under(texts, "")
            self.statement.currency = el.first(texts, "Ccy") or self.statement.currency
        elif name == "Bal":
            self._balance(texts, line)
        else:
            for key, values in texts.items():
                self.summary.setdefault(key, []).extend(values)

    def _balance(self, texts: Texts, line: int) -> None:
        assert self.statement is not None
        kind = el.first(texts, "Tp/CdOrPrtry/Cd")
        if kind not in {"OPBD", "PRCD", "CLBD"} or el.first(texts, "Tp/SubTp/Cd") == "INTM":
            return
        where = f"balance {kind} (line {line})"
        minor, currency = self._amount(texts, "Amt", where)
        day = el.first(texts, "Dt/Dt") or el.first(texts, "Dt/DtTm")
        balance = Balance(minor * el.sign_of(texts, where), currency, el.day_of(day, where) if day else None)
        if kind == "CLBD":
            self.statement.closing = balance
        elif kind == "OPBD" or self.statement.opening is None:
            self.statement.opening = balance
        self.statement.currencies.add(currency)

    def _ended(self, element: etree._Element) -> Iterator[Statement]:
        statement = self.statement
        assert statement is not None
        texts = self.texts | el.texts_of(element, leave=_APART)
        statement.number = el.first(texts, "Id") or el.first(texts, "ElctrncSeqNb") or el.first(texts, "LglSeqNb")
        for end, attribute in (("Fr", "from_on"), ("To", "to_on")):
            if day := el.first(texts, f"FrToDt/{end}DtTm"):
                setattr(statement, attribute, el.day_of(day, f"statement {statement.number}"))
        if copy := el.first(texts, "CpyDplctInd") or self.copy:
            statement.findings.append(Finding("copy", f"marked as copy or duplicate ({copy})", True))
        statement.last_page = el.first(texts, "StmtPgntn/LastPgInd") not in {"false", "0"}
        self._forget(element)
        if statement.last_page:
            yield self._finished(statement)
            self.statement = None

    def _finished(self, statement: Statement) -> Statement:
        if not statement.account:
            raise Unreadable(f"statement {statement.index + 1} names no account (Acct/Id)", "statements.no_account")
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

    def _entry(self, source_line: int) -> _At:
        """Count an entry and say where it is."""
        statement = self.statement
        assert statement is not None
        self.lines += 1
        if self.lines > MAX_LINES:
            raise Unreadable(f"the file has more than {MAX_LINES:,} entries", "statements.too_many_lines")
        statement.lines += 1
        where = f"entry {statement.lines} of statement {statement.index + 1} (line {source_line})"
        return _At(source_line, where)

    def _line(self, at: _At, texts: Texts, details: list[Texts], children: Sequence[str]) -> Line:
        statement, (source_line, where) = self.statement, at
        assert statement is not None
        minor, currency = self._amount(texts, "Amt", where)
        sign = el.sign_of(texts, where)
        status = el.first(texts, "Sts/Cd") or el.first(texts, "Sts")
        booked_on = el.entry_day(texts, "BookgDt", where)
        if status == "BOOK" and booked_on is None:
            if not statement.interim:
                raise Unreadable(f"{where}: a booked entry needs its booking day (BookgDt)", "statements.bad_day")
            statement.find("no_booking_day", f"{where}: an entry has no booking day", hold=True)
        self._note_order(children, source_line)
        self._count(statement, minor * sign, currency, status)
        parts = [self._part(n, each, currency, sign, where) for n, each in enumerate(details, start=1)]
        only = parts[0] if len(parts) == 1 else Part(0, None)
        get = texts.get
        batched = [*el.references(texts, "NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId"), *only.batch_refs]
        return Line(
            statement.index,
            statement.lines,
            source_line,
            booked_on,
            el.entry_day(texts, "ValDt", where),
            minor * sign,
            currency,
            status,
            bank_ref=el.clean(get("AcctSvcrRef", el.NONE)[0]),
            refs=el.unique([*el.references(texts, "NtryRef"), *only.refs]) if "NtryRef" in texts else only.refs,
            batch_refs=el.unique(batched) if batched else (),
            batch_count=el.count_of(get("NtryDtls/Btch/NbOfTxs", el.NONE)[0]) or (len(parts) if len(parts) > 1 else 0),
            counterparty_name=only.counterparty_name,
            counterparty_account=only.counterparty_account,
            text="\n".join([each for each in (only.text, *get("AddtlNtryInf", ())) if each]),
            bank_code=el.bank_code(texts),
            reversal=get("RvslInd", el.NONE)[0] in {"true", "1"},
            returned=only.returned or el.says_return(texts),
            return_reason=only.return_reason,
            charges_minor=self._charges(texts, where) or only.charges_minor,
            parts=tuple(parts) if len(parts) > 1 else (),
            interim=statement.interim,
        )

    def _part(self, n: int, texts: Texts, currency: str, sign: int, where: str) -> Part:
        where = f"{where}, transaction {n}"
        if "CdtDbtInd" in texts:
            sign = el.sign_of(texts, where)
        minor = self._part_amount(texts, currency, where)
        returned = el.says_return(texts) or any([path.startswith("RtrInf/") for path in texts])
        # In a return the parties keep the roles of the original payment: our payee is still the creditor.
        named, kept_at = _PARTIES["Cdtr" if (sign < 0) != returned else "Dbtr"]
        get = texts.get
        return Part(
            n,
            None if minor is None else minor * sign,
            refs=el.unique(el.references(texts, *_REFERENCES)),
            batch_refs=el.unique(el.references(texts, "Refs/PmtInfId", "Refs/MsgId")),
            counterparty_name=get(named[0], el.NONE)[0] or get(named[1], el.NONE)[0],
            counterparty_account=el.account_under(texts, kept_at),
            text="\n".join([value for key in _TEXTS if key in texts for value in texts[key]]),
            returned=returned,
            return_reason=el.first(texts, "RtrInf/Rsn/Cd") or el.first(texts, "RtrInf/Rsn/Prtry") if returned else "",
            charges_minor=self._charges(texts, where),
        )

    def _part_amount(self, texts: Texts, currency: str, where: str) -> int | None:
        for key in ("Amt", "AmtDtls/TxAmt/Amt"):
            if key in texts:
                minor, own_currency = self._amount(texts, key, where)
                if own_currency == currency:
                    return minor
        return None

    def _amount(self, texts: Texts, key: str, where: str) -> tuple[int, str]:
        text = el.first(texts, key)
        currency = el.first(texts, f"{key}@Ccy") or (self.statement.currency if self.statement else "")
        currency = currency or self.default_currency or ""
        if not currency:
            raise Unreadable(f"{where}: the amount {text!r} has no currency", "statements.unknown_currency")
        return plain_minor(text, currency, where), currency

    def _charges(self, texts: Texts, where: str) -> int:
        for key in ("Chrgs/TtlChrgsAndTaxAmt", "Chrgs/Rcrd/Amt", "Chrgs/Amt"):
            if key in texts and (currency := el.first(texts, f"{key}@Ccy")):
                return sum(plain_minor(text, currency, where) for text in texts[key])
        return 0

    def _count(self, statement: Statement, minor: int, currency: str, status: str) -> None:
        statement.statuses[status] = statement.statuses.get(status, 0) + 1
        statement.currencies.add(currency)
        if status == "BOOK":
            statement.booked.setdefault(currency, Totals()).add(minor)

    def _note_order(self, children: Sequence[str], source_line: int) -> None:
        assert self.statement is not None
        if self.statement.lines > 50:  # it is a habit of the bank: the first entries show it
            return
        ranks = [_ENTRY_ORDER[name] for name in children if name in _ENTRY_ORDER]
        if ranks != sorted(ranks):
            self.statement.find("order", f"line {source_line}: elements are not in the standard's order", hold=False)


def _check_summary(statement: Statement, summary: Texts) -> list[Finding]:
    """Compare the bank's own counts and sums with the entries that are present."""
    found = []
    totals = statement.booked.get(statement.currency, Totals())
    for name, count, minor in (
        ("TtlCdtNtries", totals.credits, totals.credits_minor),
        ("TtlDbtNtries", totals.debits, totals.debits_minor),
    ):
        said_count, said_sum = el.first(summary, f"{name}/NbOfNtries"), el.first(summary, f"{name}/Sum")
        where = f"summary {name}"
        wrong_count = bool(said_count) and el.count_of(said_count) != count
        wrong_sum = bool(said_sum) and plain_minor(said_sum, statement.currency, where) != minor
        if wrong_count or wrong_sum:
            entries = amount_text(minor, statement.currency)
            text = f"{where} says {said_count or '?'} / {said_sum or '?'}, entries give {count} / {entries}"
            found.append(Finding("summary", text, True))
    return found
