"""`flask prices`: import a price table, approve it as a second person, correct a row, list what is held."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.orm import Session

from market.accounts import queries as accounts
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.kernel import tenancy
from market.kernel.actor import Actor
from market.kernel.errors import DomainError
from market.kernel.sheets import safe
from market.pricing import queries, service
from market.pricing.rules.tables import HEADS, FileFacts, ReadRow
from market.pricing.rules.terms import ABSENT

prices = AppGroup("prices", help="Price tables: import, approve, list.")
_AS = click.option(
    "--as", "email", default="", help="E-mail of the person who does it; approving needs another one than importing."
)


def _actor(session: Session, email: str) -> Actor:
    if not email:
        return Actor(roles=frozenset({"system"}), name="prices")
    person = accounts.person_by_email(session, email.strip().lower())
    if person is None:
        raise click.ClickException(f"Nobody here has the address {email}.")
    return Actor(account_id=person.id, name=person.name)


@prices.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--scheme", required=True, help="Whose table it is: fairtrade, fairtrade_usa, spp, wfto.")
@click.option("--profile", type=click.Choice(list(HEADS)), default="project_seed_v1", show_default=True)
@click.option("--source", default="", help="Name and day of the source; the file's name by default.")
@click.option("--decimal-mark", type=click.Choice([".", ","]), default=".", show_default=True)
@click.option("--date-style", type=click.Choice(["iso", "dmy", "mdy"]), default="iso", show_default=True)
@click.option("--result", type=click.Path(dir_okay=False, path_type=Path), help="Write the answer to every row to this CSV file.")
@click.option("--dry-run", is_flag=True, help="Answer every row and keep nothing.")
@_AS
@with_appcontext
def import_(
    file: Path,
    scheme: str,
    profile: str,
    source: str,
    decimal_mark: str,
    date_style: str,
    result: Path | None,
    dry_run: bool,
    email: str,
) -> None:
    """Read FILE and answer every row; a second person approves it."""
    facts = FileFacts(profile, scheme, source or file.name, decimal_mark=decimal_mark, date_style=date_style)
    try:
        with tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
            actor = _actor(session, email)
            found = service.import_prices(
                session, data=file.read_bytes(), facts=facts, actor=actor, now=now(), on=today(), dry_run=dry_run
            )
    except DomainError as refusal:
        raise click.ClickException(refusal.detail) from None
    for row in found.rows:
        if row.state not in ("accepted", "unchanged") or row.only_informs:
            click.echo(f"{row.number:>5} {row.state:<13} {' '.join(row.codes)}")
    if result is not None:
        _write(result, found.rows)
    counts = ", ".join(f"{number} {state.replace('_', ' ')}" for state, number in sorted(found.counts.items()))
    click.echo(f"{len(found.rows)} rows: {counts}")
    if profile == "project_seed_v1":
        click.echo(f"The table lacks, and nobody may invent: {', '.join(ABSENT)}.")
    click.echo("nothing kept (dry run)" if dry_run else f"batch {found.batch_id}: a second person approves it")


def _write(path: Path, rows: tuple[ReadRow, ...]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(map(safe, ["row", "state", "codes", "answer", *(rows[0].cells if rows else ())]))
        for row in rows:
            words = " ".join(note.words for note in row.notes)
            writer.writerow(map(safe, [str(row.number), row.state, " ".join(row.codes), words, *row.cells.values()]))


@prices.command("approve")
@click.argument("batch", type=click.UUID, required=False)
@_AS
@with_appcontext
def approve(batch: UUID | None, email: str) -> None:
    """Take over the import BATCH, or the only one that waits, as the second person."""
    try:
        with tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
            waiting = [found.id for found in queries.batches(session) if found.state == "waiting"]
            if batch is None and len(waiting) != 1:
                raise click.ClickException(f"{len(waiting)} imports wait; name one: {' '.join(map(str, waiting))}")
            new = service.approve_import(session, batch_id=batch or waiting[0], actor=_actor(session, email), now=now())
    except DomainError as refusal:
        raise click.ClickException(refusal.detail) from None
    click.echo(f"{len(new)} rows taken over")


@prices.command("list")
@click.option("--status", type=click.Choice(["needs_review", "active", "superseded", "rejected"]))
@click.option("--product")
@with_appcontext
def list_(status: str | None, product: str | None) -> None:
    """List the rows of the price tables, those that wait first."""
    with tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
        rows = queries.references(session, status=status, product=product)
    for row in rows:
        held = row.reference
        least = "-" if held.minimum_price is None else f"{held.minimum_price.normalize():f}"
        measure = f"{held.currency or ''}/{held.unit or ''}"
        click.echo(f"{held.id}  {held.status:<12} {held.confidence:<6} {least:>9} {measure:<9} {held.title}")
    click.echo(f"{len(rows)} rows")


@prices.command("correct")
@click.argument("reference", type=click.UUID)
@click.option("--scheme")
@click.option("--valid-from", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--incoterm")
@click.option("--organic-differential", type=Decimal, help="Sets the organic rule to a differential on top.")
@click.option("--market", help="The relevant market, as market prices are entered.")
@_AS
@with_appcontext
def correct(reference: UUID, email: str, **given: Any) -> None:
    """Enter a new row that says what REFERENCE lacks; a second person approves it."""
    changes = {name: given[name] for name in ("scheme", "incoterm") if given[name]}
    if given["valid_from"]:
        changes["valid_from"] = date(given["valid_from"].year, given["valid_from"].month, given["valid_from"].day)
    if given["organic_differential"] is not None:
        changes |= {"organic_rule": "differential", "organic_differential": given["organic_differential"]}
    if given["market"]:
        changes["relevant_market"] = given["market"]
    try:
        with tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
            actor = _actor(session, email)
            new = service.correct_reference(session, reference_id=reference, changes=changes, actor=actor, now=now())
            click.echo(f"{new.id} waits for a second person")
    except DomainError as refusal:
        raise click.ClickException(refusal.detail) from None


@prices.command("confirm")
@click.argument("reference", type=click.UUID)
@click.option("--document-hash", default="", help="SHA-256 of the official document; needed where confidence is low.")
@_AS
@with_appcontext
def confirm(reference: UUID, document_hash: str, email: str) -> None:
    """Activate and confirm REFERENCE against its source, as a second person."""
    try:
        with tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
            service.confirm_reference(
                session, reference_id=reference, actor=_actor(session, email), now=now(), document_hash=document_hash
            )
    except DomainError as refusal:
        raise click.ClickException(refusal.detail) from None
    click.echo("confirmed")
