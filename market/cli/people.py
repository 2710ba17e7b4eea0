"""`flask people`: the first administrator, whom nobody on the site can make."""

import sys

import click
from flask.cli import AppGroup, with_appcontext
from flask_security.utils import hash_password

from market.accounts import service as accounts
from market.http import login
from market.http.clock import now
from market.http.db import unit_of_work
from market.kernel import tenancy
from market.kernel.actor import system
from market.kernel.errors import DomainError

group = AppGroup("people", help="Accounts and administrators.")


@group.command("admin")
@click.argument("email")
@click.option("--name", default="", help="The person's name; the address by default.")
@click.option("--password-stdin", is_flag=True, help="Set the password to the first line of standard input.")
@with_appcontext
def admin(email: str, name: str, password_stdin: bool) -> None:
    """Make the person with this address an administrator; who has no account gets one, and a letter to set a password."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    if password is not None and len(password) < login.PASSWORD_LENGTH:
        raise click.ClickException(f"A password has at least {login.PASSWORD_LENGTH} characters.")
    try:
        with tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
            account_id = login.open_account(session, email=email, name=name or email, locale="en", now=now())
            accounts.grant_role(session, actor=system("people"), account_id=account_id, role="admin", now=now())
            if password is not None:
                login.set_password_hash(session, account_id=account_id, password_hash=hash_password(password))
    except DomainError as error:
        raise click.ClickException(error.detail) from error
    click.echo(f"{email} administers the site.")
