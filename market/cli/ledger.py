"""`flask ledger ...`: the books prove themselves, here and to foreign programs, and take over former books."""

import sys
from datetime import date, datetime
from typing import TextIO

import click
from flask.cli import AppGroup

from market.earnings import queries as earnings
from market.http.db import unit_of_work
from market.invoices import queries as invoices
from market.kernel import tenancy
from market.kernel.errors import DomainError
from market.ledger import exports, opening, queries
from market.orders import queries as orders
from market.payouts import queries as payouts
from market.statements import queries as statements
from market.treasury import service as treasury

group = AppGroup("ledger", help="The books.")


@group.command("check")
def check() -> None:
    """Recompute every balance and prove the laws of the books; exit 1 when one does not hold."""
    with tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
        books = queries.books(session)
        findings = [one for part in (queries, orders, invoices, earnings, payouts, statements) for one in part.check(session)]
    for finding in findings:
        click.echo(f"{finding.law}: {finding.place}: {finding.detail}", err=True)
    if findings:
        sys.exit(1)
    click.echo(f"{len(books)} books, every law holds")


def _day(_: click.Context, __: click.Parameter, value: datetime | None) -> date | None:
    return value.date() if value else None


@group.command("export")
@click.option("--format", "form", type=click.Choice(exports.FORMATS), default="beancount", show_default=True)
@click.option("--book", "book", type=int, help="One book; all by default.")
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), callback=_day, help="First day.")
@click.option("--to", "until", type=click.DateTime(["%Y-%m-%d"]), callback=_day, help="Last day.")
def export(form: str, book: int | None, since: date | None, until: date | None) -> None:
    """Write the books for bean-check, hledger or a spreadsheet."""
    with tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
        ids = [book_id for book_id, _ in queries.books(session) if book in (None, book_id)]
        for line in exports.export(session, form, book_ids=ids, since=since, until=until):
            click.echo(line, nl=False)


@group.command("open")
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--book", "book", type=int, required=True, help="The book's number, as `check` and `export` name it.")
@click.option("--on", "on", type=click.DateTime(["%Y-%m-%d"]), callback=_day, required=True, help="Day of the handing over.")
@click.option("--by", required=True, help="Who enters the balances.")
@click.option("--seen-by", required=True, help="Who compared them with the former books: another person.")
def open_book(file: TextIO, book: int, on: date, by: str, seen_by: str) -> None:
    """Post opening balances from a CSV file with the heads account,currency,amount; once for each book."""
    try:
        text = file.read()
        with tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
            coop_id = dict(queries.books(session)).get(book)
            if coop_id is not None:
                count = treasury.hand_over(session, book, coop_id, text, on=on, by=by, seen_by=seen_by)
            else:
                rows = opening.read(text)
                opening.open_books(session, book, rows, on=on, by=by, seen_by=seen_by)
                count = len(rows)
    except DomainError as refusal:
        raise click.ClickException(str(refusal.detail)) from refusal
    click.echo(f"{count} balances stand in book {book}")
