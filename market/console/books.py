"""The books for the staff: trial balance, accounts, general ledger, tax, fees, aged lists, for any days, as page and file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import account_words, lists
from market.console.account_words import Named
from market.console.lists import Column, Desk, Filter
from market.http.auth import access, current_coop
from market.http.clock import today
from market.http.db import session_for, unit_of_work
from market.http.entry import Entry
from market.kernel.money import Money
from market.ledger import reports
from market.ledger.service import book_of
from market.producers import queries as producers
from market.producers.queries import CoopView
from market.reports.queries import money as sums
from market.reports.queries.lists import Computed

blueprint = Blueprint("console_books", __name__, url_prefix="/console/books")
Cells = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked for: whose books, which days, which account; and what the codes of accounts name."""

    coop: CoopView
    book: int
    since: date
    until: date
    account: str
    names: Mapping[str, str]

    def named(self, code: str) -> Named:
        """Return an account in words."""
        return account_words.account(code, self.names)


@dataclass(frozen=True, slots=True)
class Report:
    """A report: its words, its headings, and its rows, each a sequence of texts, codes in words, days, numbers and amounts.

    `coded` counts the columns, from 0, whose codes a file has in a column of their own; the first `words` columns say what a
    row is about, the others are numbers; `of_day` has what stands open at the end of a day, not what moved in a span.
    """

    label: Any
    headings: Sequence[Any]
    rows: Callable[[Session, Asked], Iterator[Cells]]
    coded: Sequence[int] = ()
    words: int = 1
    of_day: bool = False


def _trial(session: Session, asked: Asked) -> Iterator[Cells]:
    for row in reports.trial_balance(session, asked.book, since=asked.since, until=asked.until):
        yield asked.named(row.code), row.opening, row.debits, row.credits, row.closing


def _lines(asked: Asked, rows: Iterator[reports.LedgerRow]) -> Iterator[Cells]:
    fact, named = cache(account_words.fact), cache(asked.named)  # a few words, said anew in every row of a million
    for row in rows:
        what, other = fact(row.kind), named(row.other)
        yield named(row.code), row.on, what, other, row.debit, row.credit, row.balance, Named("", row.key)


def _account(session: Session, asked: Asked) -> Iterator[Cells]:
    return _lines(asked, reports.account_statement(session, asked.book, asked.account, since=asked.since, until=asked.until))


def _ledger(session: Session, asked: Asked) -> Iterator[Cells]:
    return _lines(asked, reports.general_ledger(session, asked.book, since=asked.since, until=asked.until))


def _taxes(session: Session, asked: Asked) -> Iterator[Cells]:
    for row in sums.taxes(session, asked.coop, since=asked.since, until=asked.until):
        yield row.country, account_words.part(row.kind), row.rate, row.net, row.tax


def _fees(session: Session, asked: Asked) -> Iterator[Cells]:
    for row in sums.fees(session, asked.coop, since=asked.since, until=asked.until):
        payer, payee = account_words.party(row.payer), account_words.party(row.payee)
        yield account_words.part(row.kind), payer, payee, row.lines, row.money


def _aged(asked: Asked, rows: Iterator[sums.AgedRow]) -> Iterator[Cells]:
    for row in rows:
        yield Named(asked.named(row.party).words), row.not_due, *row.overdue, row.total


def _payables(session: Session, asked: Asked) -> Iterator[Cells]:
    past = asked.until < today(asked.coop.time_zone)
    return _aged(asked, (sums.aged_payables if past else sums.owed_now)(session, asked.coop, on=asked.until))


def _receivables(session: Session, asked: Asked) -> Iterator[Cells]:
    return _aged(asked, sums.aged_receivables(session, asked.coop, on=asked.until))


_MOVED = (_l("Account"), _l("Day"), _l("What"), _l("Against"), _l("Debit"), _l("Credit"), _l("Balance"), _l("Fact"))
_AGES = (_l("Party"), _l("Not due"), _l("1 to 30 days"), _l("31 to 60"), _l("61 to 90"), _l("More"), _l("All"))
REPORTS: dict[str, Report] = {
    "trial-balance": Report(
        _l("Trial balance"), (_l("Account"), _l("Before"), _l("Debit"), _l("Credit"), _l("After")), _trial, (0,)
    ),
    "taxes": Report(
        _l("Tax on what was earned"),
        (_l("Country"), _l("Part of the price"), _l("Rate in percent"), _l("Net"), _l("Tax")),
        _taxes,
        words=2,
    ),
    "fees": Report(
        _l("Who got what"), (_l("Part of the price"), _l("From"), _l("To"), _l("Lines"), _l("Amount")), _fees, words=3
    ),
    "payables": Report(_l("Owed to producers, by age"), _AGES, _payables, of_day=True),
    "receivables": Report(_l("Owed to the co-op, by age"), _AGES, _receivables, of_day=True),
}
"""The reports that are pages and files."""
FILES: dict[str, Report] = REPORTS | {
    "account": Report(_l("One account"), _MOVED, _account, (0, 2, 3)),
    "general-ledger": Report(_l("General ledger"), _MOVED, _ledger, (0, 2, 3)),
}
"""Those that are files beside them; their pages are the lines of the books."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of a report as a list shows it; `id` names it by what it is about."""

    id: str
    cells: Cells


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """Show one report of the co-op's books, or give it as a file that streams."""
    name = request.args.get("report", "")
    name = name if name in FILES else next(iter(REPORTS))
    with unit_of_work() as session:
        asked = _asked(session)
    report = FILES[name]
    if (wanted := request.args.get("format", "")) in ("csv", "xlsx"):
        headings = [*map(str, _flat(report, report.headings, [_("Code")] * len(report.headings))), _("Currency")]
        return lists.file(name, wanted, headings, _file_rows(report, asked))
    if name not in REPORTS:
        span: dict[str, Any] = {each: request.args.get(each) or None for each in ("account", "from", "to")}
        return redirect(url_for("console_book_lines.index", **span))
    return lists.show(
        _desk(name, report, asked),
        "console/books.html",
        name=name,
        is_money=lambda value: isinstance(value, Money),
        is_named=lambda value: isinstance(value, Named),
    )


def _asked(session: Session) -> Asked:
    entry = Entry(request.args)
    first, last = entry.day("from", required=False), entry.day("to", required=False)
    coop = producers.coop(session, current_coop())
    until = last or today(coop.time_zone)
    if first and first > until:  # the page says so beside the field, and shows what came after the first
        until = max(first, today(coop.time_zone))
    account, names = entry.text("account", required=False, limit=120), account_words.names(session, coop.id)
    return Asked(coop, book_of(session, coop.id), first or until.replace(day=1), until, account, names)


def _desk(name: str, report: Report, asked: Asked) -> Desk:
    """Return a report as a list: by what it is about, for the days that are asked for."""

    def rows(session: Session) -> Iterator[Shown]:
        for cells in report.rows(session, asked):
            about = [cell.code or cell.words if isinstance(cell, Named) else str(cell) for cell in cells[: report.words]]
            currency = next((cell.currency for cell in cells if isinstance(cell, Money)), "")
            yield Shown("|".join([*about, currency]), cells)

    def named(text: str) -> Callable[[Shown], bool]:
        wanted = text.strip().lower()
        return lambda row: any(wanted in each.lower() for cell in row.cells[: report.words] for each in _said(cell))

    def day(text: str) -> Callable[[Shown], bool]:
        date.fromisoformat(text)
        return lambda row: True

    def known(text: str) -> Callable[[Shown], bool]:
        if text != name:
            raise ValueError(text)
        return lambda row: True

    until = Filter("to", _l("On the day") if report.of_day else _l("To"), "day", default=f"{asked.until}")
    days = (until,) if report.of_day else (Filter("from", _l("From"), "day", default=f"{asked.since}"), until)
    titles = [(each, one.label) for each, one in REPORTS.items()]
    choice = Filter("report", _l("Report"), "choice", titles, default=titles[0][0])
    kinds = ["text"] * report.words + ["number"] * (len(report.headings) - report.words)
    return Desk(
        name="books",
        title=report.label,
        endpoint="console_books.index",
        source=lambda viewer: Computed(rows, {"report": known, "q": named, "from": day, "to": day}),
        columns=[
            Column(f"{n}", head, kind, make=lambda row, n=n: row.cells[n])  # type: ignore[misc]
            for n, (head, kind) in enumerate(zip(report.headings, kinds, strict=True))
        ],
        filters=(choice, Filter("q", report.headings[0]), *days),
        empty=_l("Choose a longer span."),
    )


def _said(cell: Any) -> Sequence[str]:
    return (cell.words, cell.code) if isinstance(cell, Named) else (str(cell),)


def _file_rows(report: Report, asked: Asked) -> Iterator[Cells]:
    """Yield the rows as a program wants them; read while the answer streams, in a unit of work of their own."""
    with session_for(asked.coop.id)() as session:
        for row in report.rows(session, asked):
            currency = next((cell.currency for cell in row if isinstance(cell, Money)), "")
            codes = [cell.code if isinstance(cell, Named) else "" for cell in row]
            yield [*_flat(report, [_plain(cell) for cell in row], codes), currency]


def _plain(cell: Any) -> Any:
    if isinstance(cell, Named):
        return cell.words or cell.code
    return cell.decimal if isinstance(cell, Money) else cell


def _flat(report: Report, cells: Sequence[Any], codes: Sequence[Any]) -> list[Any]:
    """Return cells with the code of each coded column behind it."""
    pairs = enumerate(zip(cells, codes, strict=True))
    return [each for place, (cell, code) in pairs for each in ((cell, code) if place in report.coded else (cell,))]
