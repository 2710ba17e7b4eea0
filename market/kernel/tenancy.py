"""Whose rows a transaction may see. PostgreSQL enforces it (row-level security on every table with a `coop_id`).

The scope is `*` for work that serves everybody (public pages, buyers, workers), one or more co-op ids for staff and
producers, and empty, which shows nothing, until somebody has set it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from market.kernel import direct

EVERYTHING = "*"
_SCOPE = re.compile(r"\*|[0-9a-f,-]*")  # it is written into a statement
_scope: ContextVar[str] = ContextVar("market_scope", default="")


def enter(scope: str) -> Token[str]:
    """Set the scope of the transactions that begin from here on; give the token to `leave`."""
    return _scope.set(scope)


def leave(token: Token[str]) -> None:
    """Put back the scope that was there before `enter`."""
    _scope.reset(token)


def scope_of(coop_id: UUID | None) -> str:
    """Return the scope of somebody who works for `coop_id`; of nobody, nothing."""
    return str(coop_id) if coop_id else ""


@contextmanager
def scoped(scope: str) -> Iterator[None]:
    """Run a block under `scope`."""
    token = enter(scope)
    try:
        yield
    finally:
        leave(token)


@event.listens_for(Session, "after_begin")
def _tell_the_database(session: Session, transaction: Any, connection: Connection) -> None:
    if transaction.nested:  # a savepoint stands inside a transaction that knows already
        return
    scope = _scope.get()
    if not _SCOPE.fullmatch(scope):
        raise ValueError(f"{scope!r} is no scope")
    direct.begin(session, connection.connection.driver_connection, f"SELECT set_config('market.scope', '{scope}', true)")
