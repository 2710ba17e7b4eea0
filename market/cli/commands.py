"""Every `flask` command group, registered in one place."""

from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext

from market.api import openapi
from market.cli import bank, catalogue, ledger, people
from market.cli.prices import prices

GROUPS: tuple[AppGroup, ...] = (
    bank.group,
    catalogue.group,
    ledger.group,
    people.group,
    prices,
)

_contract = AppGroup("openapi", help="The API's contract, docs/openapi.json.")
_FILE = Path(__file__).parents[2] / "docs" / "openapi.json"


@_contract.command("write")
@with_appcontext
def write() -> None:
    """Write docs/openapi.json from the code."""
    from flask import current_app

    _FILE.parent.mkdir(exist_ok=True)
    _FILE.write_text(openapi.text(current_app))
    click.echo(f"wrote {_FILE}")


@_contract.command("check")
@with_appcontext
def check() -> None:
    """Fail when docs/openapi.json is not what the code says."""
    from flask import current_app

    if not _FILE.exists() or _FILE.read_text() != openapi.text(current_app):
        raise click.ClickException("docs/openapi.json is not up to date: run `make openapi-write` and look at its difference")
    click.echo("docs/openapi.json is up to date")


def init_app(app: Flask) -> None:
    """Give the app its commands."""
    for group in (_contract, *GROUPS):
        app.cli.add_command(group)
