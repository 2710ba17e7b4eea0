"""Every `flask` command group, registered in one place."""

from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext

from market.api import openapi
from market.cli.prices import prices

GROUPS: tuple[AppGroup, ...] = (prices,)

_contract = AppGroup("openapi", help="The API's contract, docs/openapi.json.")
_FILE = Path(__file__).parents[2] / "docs" / "openapi.json"


@_contract.command("write")
@with_appcontext
def write() -> None:
    """Write docs/openapi.json from the code."""
    from flask import current_app

    _FILE.write_text(openapi.text(current_app))
    click.echo(f"wrote {_FILE}")


def init_app(app: Flask) -> None:
    """Give the app its commands."""
    for group in (_contract, *GROUPS):
        app.cli.add_command(group)
