"""Ready-made answers: PostgreSQL keeps them, the API passes the bytes through. Only `queries` modules import this.

Two ways past SQLAlchemy's machinery, which costs as much again as the driver itself for results that are never mapped: a
statement compiled once and handed to psycopg, and for the hottest reads a `Prepared` handed to libpq, which costs half of that.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import psycopg
from psycopg.pq import ExecStatus
from sqlalchemy import Connection, Dialect
from sqlalchemy.sql import ClauseElement

from market.kernel import direct

_known: WeakKeyDictionary[Any, set[bytes]] = WeakKeyDictionary()


@lru_cache(maxsize=256)
def _compiled(statement: ClauseElement, dialect: Dialect) -> str:
    return str(statement.compile(dialect=dialect))


def plain_rows(connection: Connection, statement: ClauseElement, **params: object) -> list[tuple[Any, ...]]:
    """Return the rows of a small look-up that a ready-made answer needs, as the driver gives them."""
    return direct.execute(connection, _compiled(statement, connection.dialect), params)


def json_bytes(connection: Connection, statement: ClauseElement, **params: object) -> bytes:
    """Return the one JSON value of `statement` as UTF-8 bytes, undecoded (fetching it would parse it).

    `statement` must be kept by its module (it is compiled once); parameters reach psycopg as they are.
    """
    driver = connection.connection.driver_connection
    assert driver is not None
    body: bytes | None = driver.execute(_compiled(statement, connection.dialect), params).pgresult.get_value(0, 0)
    return body or b"null"


class Result(Protocol):
    """What libpq gives: values by row and column; the columns of our ready-made answers are never NULL."""

    ntuples: int
    nfields: int

    def get_value(self, row_number: int, column_number: int) -> bytes:
        """Return one value in its binary form."""


class Prepared:
    """A statement with `$1`, `$2`... for the readers' connections, which prepare it once; texts go in, binary comes out."""

    def __init__(self, sql: str) -> None:
        self.sql = sql.encode()
        self.name = b"ready_" + hashlib.sha256(self.sql).hexdigest()[:16].encode()

    def run(self, connection: Connection, *params: bytes) -> Result:
        """Execute in one round trip and return libpq's result. Raises psycopg's errors, as its own cursors do."""
        driver: Any = connection.connection.driver_connection
        for value in params:
            if b"\0" in value:  # libpq would read up to it and ask for something else
                raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
        if not driver.autocommit:  # psycopg forgets every prepared statement, ours too, when a transaction is rolled back
            return _checked(driver.pgconn.exec_params(self.sql, params, result_format=1))
        known = _known.get(driver)
        if known is None:
            known = _known[driver] = set()
        if self.name not in known:
            _checked(driver.pgconn.prepare(self.name, self.sql))
            known.add(self.name)
        return _checked(driver.pgconn.exec_prepared(self.name, params, result_format=1))


def _checked(result: Any) -> Result:
    if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        raise psycopg.errors.error_from_result(result)
    found: Result = result
    return found


def text_array(values: Sequence[str]) -> bytes:
    """Return texts as one array parameter of a `Prepared`."""
    if not values:
        return b"{}"
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return ('{"' + '","'.join(quoted) + '"}').encode()
