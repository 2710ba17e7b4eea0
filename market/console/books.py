"""The books for the staff: trial balance, accounts, general ledger, tax, fees, aged lists, for any days, as page and file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import lists
from market.http.auth import access, current_coop
from market.http.clock import today
from market.http.db import session_for, unit_of_work
from market.http.entry import Entry
from market.kernel.money import Money
from market.ledger import queries as ledger
from market.ledger import reports
from market.ledger.service import book_of
from market.producers import queries as producers
from market.producers.queries import CoopView
from market.reports.queries import money as sums

blueprint = Blueprint("console_books", __name__, url_prefix="/console/books")
SHOWN = 200
Cells = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked for: whose books, which days, which account."""

    coop: CoopView
    book: int
    since: date
    until: date
    account: str


@dataclass(frozen=True, slots=True)
class Report:
    """A report: its words, its headings, and its rows, each a sequence of texts, days, numbers and amounts."""

    label: Any
    headings: Sequence[Any]
    rows: Callable[[Session, Asked], Iterator[Cells]]


def _trial(session: Session, asked: Asked) -> Iterator[Cells]:
    for row in reports.trial_balance(session, asked.book, since=asked.since, until=asked.until):
        yield row.code, row.opening, row.debits, row.credits, row.closing


def _lines(rows: Iterator[reports.LedgerRow]) -> Iterator[Cells]:
    for row in rows:
        yield row.code, row.on, row.kind, row.other, row.debit, row.credit, row.balance, row.key


def _account(session: Session, asked: Asked) -> Iterator[Cells]:
    return _lines(reports.account_statement(session, asked.book, asked.account, since=asked.since, until=asked.until))


def _ledger(session: Session, asked: Asked) -> Iterator[Cells]:
    return _lines(reports.general_ledger(session, asked.book, since=asked.since, until=asked.until))


def _taxes(session: Session, asked: Asked) -> Iterator[Cells]:
    for row in sums.taxes(session, asked.coop, since=asked.since, until=asked.until):
        yield row.country, row.kind, row.rate, row.net, row.tax


def _fees(session: Session, asked: Asked) -> Iterator[Cells]:
    for row in sums.fees(session, asked.coop, since=asked.since, until=asked.until):
        yield row.kind, row.payer, row.payee, row.lines, row.money


def _aged(rows: Iterator[sums.AgedRow]) -> Iterator[Cells]:
    for row in rows:
        yield row.party, row.not_due, *row.overdue, row.total


def _payables(session: Session, asked: Asked) -> Iterator[Cells]:
    return _aged(sums.aged_payables(session, asked.coop, on=asked.until))


def _receivables(session: Session, asked: Asked) -> Iterator[Cells]:
    return _aged(sums.aged_receivables(session, asked.coop, on=asked.until))


_MOVED = (_l("Account"), _l("Day"), _l("What"), _l("Against"), _l("Debit"), _l("Credit"), _l("Balance"), _l("Fact"))
_AGES = (_l("Party"), _l("Not due"), _l("1 to 30 days"), _l("31 to 60"), _l("61 to 90"), _l("More"), _l("All"))
REPORTS: dict[str, Report] = {
    "trial-balance": Report(_l("Trial balance"), (_l("Account"), _l("Before"), _l("Debit"), _l("Credit"), _l("After")), _trial),
    "account": Report(_l("One account"), _MOVED, _account),
    "general-ledger": Report(_l("General ledger"), _MOVED, _ledger),
    "taxes": Report(
        _l("Tax on what was earned"),
        (_l("Country"), _l("Part of the price"), _l("Rate in percent"), _l("Net"), _l("Tax")),
        _taxes,
    ),
    "fees": Report(_l("Who got what"), (_l("Part of the price"), _l("From"), _l("To"), _l("Lines"), _l("Amount")), _fees),
    "payables": Report(_l("Owed to producers, by age"), _AGES, _payables),
    "receivables": Report(_l("Owed to the co-op, by age"), _AGES, _receivables),
}


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """Show one report of the co-op's books, or give it as a file that streams."""
    entry = Entry(request.args)
    name = entry.choice("report", REPORTS, default="trial-balance")
    first, last = entry.day("from", required=False), entry.day("to", required=False)
    report = REPORTS.get(name, REPORTS["trial-balance"])
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
        until = last or today(coop.time_zone)
        book = book_of(session, coop.id)
        asked = Asked(coop, book, first or until.replace(day=1), until, entry.text("account", required=False, limit=120))
        wanted = request.args.get("format", "")
        rows = [] if wanted else list(islice(report.rows(session, asked), SHOWN + 1))
        accounts = [one.code for one in ledger.balances(session, book)]
    if wanted in ("csv", "xlsx"):
        headings = [*(str(one) for one in report.headings), _("Currency")]
        return lists.file(name, wanted, headings, _file_rows(report, asked))
    return render_template(
        "console/books.html",
        reports=REPORTS,
        name=name,
        report=report,
        rows=rows[:SHOWN],
        more=len(rows) > SHOWN,
        asked=asked,
        accounts=sorted(set(accounts)),
        errors=entry.errors,
        is_money=lambda value: isinstance(value, Money),
        is_day=lambda value: isinstance(value, date),
    )


def _file_rows(report: Report, asked: Asked) -> Iterator[Cells]:
    """Yield the rows as a program wants them; read while the answer streams, in a unit of work of their own."""
    with session_for(asked.coop.id)() as session:
        for row in report.rows(session, asked):
            currency = next((cell.currency for cell in row if isinstance(cell, Money)), "")
            yield [*(cell.decimal if isinstance(cell, Money) else cell for cell in row), currency]
