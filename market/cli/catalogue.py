"""`flask catalogue`: what an operator does to the catalogue."""

import click
from flask.cli import AppGroup, with_appcontext

from market.catalogue import service
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.kernel import tenancy
from market.kernel.actor import system

group = AppGroup("catalogue", help="Cards, search and offers.")


@group.command("rebuild-cards")
@with_appcontext
def rebuild_cards() -> None:
    """Write every card and the search index anew from the listings."""
    with tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
        count = service.rebuild_cards(session, on=today())
    click.echo(f"{count} cards written")


@group.command("reevaluate")
@with_appcontext
def reevaluate() -> None:
    """Check every published offer against today's price rows and certificates."""
    with tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
        result = service.reevaluate_listings(session, actor=system("flask catalogue reevaluate"), now=now())
    click.echo(f"{result.checked} offers checked, {len(result.withdrawn)} withdrawn")
    for listing_id in result.withdrawn:
        click.echo(f"withdrawn: {listing_id}")
