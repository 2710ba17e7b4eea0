"""SQL handed to the driver as it stands, inside the transaction of the session.

For the paths where SQLAlchemy's machinery costs several times what PostgreSQL does: placing an order runs a dozen
statements. Each belongs to the capability whose tables it names; parameters are psycopg's (`%(name)s`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import ARRAY, ColumnElement, Connection, Text, Uuid, cast, func, literal
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Piece:
    """What one capability writes of a statement that several write together: named sub-statements and their parameters.

    The capability whose tables are named makes it; names of sub-statements and parameters differ between pieces.
    """

    text: str
    params: Mapping[str, Any]


def run(session: Session, statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Execute one statement after what the session has pending; return its rows, none when it gives none."""
    session.flush()
    return execute(session.connection(), statement, params)


def execute(connection: Connection, statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Execute one statement of our own text on a connection; return its rows, none when it gives none.

    Each connection keeps a cursor for each statement: making one anew, with what it learns of the parameters' types, costs
    a third of a look-up. So `statement` must be one of a fixed number.
    """
    pooled = connection.connection
    cursors: dict[str, Any] = pooled.info.setdefault("cursors", {})
    cursor = cursors.get(statement)
    if cursor is None:
        driver: Any = pooled.driver_connection
        cursor = cursors[statement] = driver.cursor()
    cursor.execute(statement, params)
    return cursor.fetchall() if cursor.pgresult.nfields else []


def run_together(session: Session, pieces: Sequence[Piece], select: str) -> list[tuple[Any, ...]]:
    """Execute the pieces and the final `select` over them as one statement, in one round trip, all or nothing.

    All pieces see the tables as they were before it. psycopg keeps a statement ready up to 4,096 characters.
    """
    params = {name: value for piece in pieces for name, value in piece.params.items()}
    return run(session, _together(tuple(piece.text for piece in pieces), select), params)


@cache
def _together(texts: tuple[str, ...], select: str) -> str:
    return f"WITH {', '.join(texts)} {select}"


def plan_once(session: Session) -> None:
    """Let the statements of a transaction that is about to begin run by plans made once, whatever the values.

    PostgreSQL plans a look-up by an array anew each time, since it hopes for fewer rows than it assumes; for a handful of
    look-ups by key that planning costs several times the execution. And the plans are for tables that will be large: those
    made while a table is small (of foreign keys, too) would read all of it, for as long as the connection lives and nobody
    has analysed the table that grows meanwhile.
    """
    at_begin(
        session, "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true)"
    )


def plan_each(session: Session) -> None:
    """Let the statements of a transaction that is about to begin be planned for their values.

    For lists that people filter: a plan for any value uses no index over some states alone, and row-level security lets
    PostgreSQL expect few rows, so that it would keep such a plan for a statement that reads a whole table by it.
    """
    at_begin(session, "SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")


AT_BEGIN = "at_begin"


def at_begin(session: Session, statement: str) -> None:
    """Run a statement without parameters and result first in the transaction: with its BEGIN, in the same round trip.

    In a transaction that has begun it runs now.
    """
    if session.in_transaction():
        run(session, statement, {})
    else:
        session.info.setdefault(AT_BEGIN, []).append(statement)


def begin(session: Session, connection: Any, statement: str) -> None:
    """Begin the transaction of a driver's connection with `statement` and what `at_begin` collected, in one round trip."""
    first = [statement, *session.info.pop(AT_BEGIN, ())]
    if connection.pgconn.transaction_status == TransactionStatus.IDLE and not connection.autocommit:
        first.insert(0, "BEGIN")  # psycopg sends one of its own otherwise
    result = connection.pgconn.exec_("; ".join(first).encode())
    if result.status != ExecStatus.TUPLES_OK:
        raise error_from_result(result, encoding="utf-8")


def array(values: Iterable[UUID | int | Decimal | date | None]) -> str:
    """Return values as the text of an array of PostgreSQL, for `CAST(:name AS uuid[])`.

    One string costs a tenth of a list, of which the driver looks at each element several times. Only for kinds of values
    that need no quotes: ids, numbers, days.
    """
    return "{" + ",".join("NULL" if each is None else each.hex if isinstance(each, UUID) else str(each) for each in values) + "}"


def text_array(values: Iterable[str]) -> str:
    """Return texts as the text of an array of PostgreSQL, for `CAST(:name AS text[])`."""
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted) + "}"


def any_of(ids: Iterable[UUID]) -> ColumnElement[UUID]:
    """Return `ANY` of ids to compare a column with, as one parameter however many they are."""
    return func.any(cast(literal(array(ids), Text), ARRAY(Uuid)))


def rows_of(ids: Iterable[UUID]) -> ColumnElement[UUID]:
    """Return ids as rows to select, as one parameter however many they are."""
    return func.unnest(cast(literal(array(ids), Text), ARRAY(Uuid)), type_=Uuid)


def as_json(rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> str:
    """Return rows as one JSON parameter; ids, decimals, days and instants travel as their text."""
    return _texts(rows)


def as_rows(rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> str:
    """Return rows for typed columns as one JSON parameter: ids without hyphens, which take twice as long as the rest."""
    return _bares(rows)


def _bare(value: object) -> str:
    return value.hex if isinstance(value, UUID) else str(value)


# `json.dumps` makes an encoder anew at each call, which costs as much as a row.
_texts = json.JSONEncoder(default=str).encode
_bares = json.JSONEncoder(default=_bare).encode


@cache
def insert_of(table: str, columns: Iterable[str], parameter: str) -> str:
    """Return an INSERT of the rows in a JSON parameter; the other columns get their defaults."""
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, %({parameter})s::jsonb)"  # noqa: S608  (names come from our own modules)
