"""SQL handed to the driver as it stands, inside the transaction of the session.

For the paths where SQLAlchemy's machinery costs several times what PostgreSQL does: placing an order runs a dozen
statements. Each belongs to the capability whose tables it names; parameters are psycopg's (`%(name)s`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy.orm import Session


def run(session: Session, statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Execute one statement after what the session has pending; return its rows, none when it gives none."""
    session.flush()
    driver: Any = session.connection().connection.driver_connection
    cursor = driver.execute(statement, params)
    return cursor.fetchall() if cursor.pgresult.nfields else []


def plan_once(session: Session) -> None:
    """Let the statements of this transaction run by plans made once, whatever the values.

    PostgreSQL plans a look-up by an array anew each time, since it hopes for fewer rows than it assumes; for a handful of
    look-ups by key that planning costs several times the execution.
    """
    run(session, "SELECT set_config('plan_cache_mode', 'force_generic_plan', true)", {})


def as_json(rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> str:
    """Return rows as one JSON parameter; ids, decimals, days and instants travel as their text."""
    return json.dumps(rows, default=str)


@cache
def insert_of(table: str, columns: Iterable[str], parameter: str) -> str:
    """Return an INSERT of the rows in a JSON parameter; the other columns get their defaults."""
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, %({parameter})s::jsonb)"  # noqa: S608  (names come from our own modules)
