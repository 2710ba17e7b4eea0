"""`flask bank simulate`: a bank for tests and the demo, which reads our payment file and writes a statement."""

from datetime import date
from pathlib import Path
from uuid import UUID

import click
from flask.cli import AppGroup, with_appcontext

from market.http.clock import today
from market.http.db import unit_of_work
from market.kernel import tenancy
from market.kernel.errors import DomainError
from market.kernel.money import Money
from market.payouts import queries as payouts
from market.producers import queries as producers
from market.reports.queries import processor
from market.simulators.bank.account import AccountState, Habits, Incoming, Order, read_orders, simulate
from market.statements.rules.readers.source import Source
from market.statements.rules.readers.stripe import read_stripe
from market.statements.rules.shapes import Unreadable

group = AppGroup("bank", help="A simulated bank, for tests and the demo.")


@group.command("simulate")
@click.option("--run", "run_id", type=click.UUID, help="The payout run whose bank files are carried out.")
@click.option(
    "--file", "files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A pain.001 file."
)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The camt.053 to be written.")
@click.option(
    "--state", type=click.Path(dir_okay=False, path_type=Path), help="Where the bank keeps its account; beside --out by default."
)
@click.option("--iban", default="", help="The account, when there is neither run nor file.")
@click.option("--currency", default="EUR", show_default=True)
@click.option("--opening", default="0.00", show_default=True, help="What lies on a new account.")
@click.option("--payment", "payments", multiple=True, metavar="REFERENCE=AMOUNT", help="A customer's transfer; repeatable.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="First day of the statement; today by default.")
@click.option("--days", default=2, show_default=True, help="How many more days it covers: late bookings, returns.")
@click.option("--returns", default=1, show_default=True, help="How many payments come back.")
@click.option("--batch/--single", default=False, show_default=True, help="Book the file as one line.")
@click.option("--unknown/--no-unknown", default=True, show_default=True, help="Bring in money that nobody knows.")
@with_appcontext
def simulate_bank(
    run_id: UUID | None,
    files: tuple[Path, ...],
    out: Path,
    state: Path | None,
    iban: str,
    currency: str,
    opening: str,
    payments: tuple[str, ...],
    on: date | None,
    days: int,
    returns: int,
    batch: bool,
    unknown: bool,
) -> None:
    """Carry out a run's payment file and write the statement; a later call continues where this one ended."""
    orders, holder = _orders(run_id, files, currency)
    iban = (orders[0].debtor_iban if orders else "".join(iban.split())).upper()
    if not iban:
        raise click.ClickException("Give --run, --file or --iban: the bank must know whose account it is.")
    place = state or out.parent / f"bank-{iban}-{currency}.json"
    try:
        if place.exists():
            account = AccountState.from_json(place.read_text())
        else:
            account = AccountState(iban, currency, holder, Money.parse(opening, currency).minor)
        habits = Habits(days=days, returns=returns, batch=batch, unknown_minor=3333 if unknown else 0)
        incoming = [_incoming(text, currency) for text in payments]
        first = _first_day(account, on)
        content, after = simulate(account, orders, on=first, incoming=incoming, habits=habits)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    out.write_bytes(content)
    place.write_text(after.to_json())
    closing = Money(after.balance_minor, currency).text
    click.echo(f"wrote {out}: statement {after.number}, {len(orders)} payments carried out, closing balance {closing}")


def _first_day(account: AccountState, on: date | None) -> date:
    """Return the day asked for, else today, but never before the end of the statement before."""
    if on is not None:
        return date(on.year, on.month, on.day)
    return max(today(), date.fromisoformat(account.last_on)) if account.last_on else today()


def _orders(run_id: UUID | None, files: tuple[Path, ...], currency: str) -> tuple[list[Order], str]:
    bodies, holder = [file.read_bytes() for file in files], "Account holder"
    if run_id is not None:
        try:
            with tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
                run = payouts.run(session, run_id)
                coop = producers.coop(session, run.coop_id)
                holder = coop.account_holder or coop.name
                rows = [row for row in payouts.files_of_run(session, run_id) if row.money.currency == currency]
                bodies += [payouts.file_body(session, row.id)[1] for row in rows]
        except DomainError as error:
            raise click.ClickException(error.detail) from error
        if not bodies:
            raise click.ClickException(f"This run has no bank file in {currency} yet: approve it first.")
    return [order for body in bodies for order in read_orders(body)], holder


def _incoming(text: str, currency: str) -> Incoming:
    reference, _, amount = text.partition("=")
    return Incoming(Money.parse(amount, currency).minor, "".join(reference.split()).upper())


@group.command("stripe-report")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_appcontext
def stripe_report(file: Path) -> None:
    """Compare a balance report of Stripe (CSV) with the lines that its API gave; ends with 1 when they differ."""
    equal = different = 0
    try:
        with file.open("rb") as stream, tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
            for one in processor.compare(session, read_stripe(Source(stream))):
                if one.agrees:
                    equal += 1
                    continue
                different += 1
                said, held = one.said.text if one.said else "no net amount", one.held.text if one.held else "nothing"
                click.echo(f"{one.row.id}: the report says {said}, here is {held}")
    except Unreadable as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{equal} lines agree, {different} do not")
    if different:
        raise SystemExit(1)
