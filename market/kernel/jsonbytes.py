"""Ready-made JSON: PostgreSQL builds it, the API passes the bytes through. Only `queries` modules import this.

The statement is compiled once and handed to psycopg as text with its parameters: executing it through SQLAlchemy's
machinery for results that are never read as rows costs as much again as the driver itself.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.sql import ClauseElement


@lru_cache(maxsize=256)
def _compiled(statement: ClauseElement, dialect: Dialect) -> str:
    return str(statement.compile(dialect=dialect))


def plain_rows(
    connection: Connection, statement: ClauseElement, *, binary: bool = False, **params: object
) -> list[tuple[Any, ...]]:
    """Return the rows of a small look-up that a ready-made answer needs, as the driver gives them.

    `binary` has PostgreSQL send values as they are stored: `bytea` travels as its bytes, not as twice as many digits.
    """
    driver = connection.connection.driver_connection
    assert driver is not None
    rows: list[tuple[Any, ...]] = driver.execute(_compiled(statement, connection.dialect), params, binary=binary).fetchall()
    return rows


def json_bytes(connection: Connection, statement: ClauseElement, **params: object) -> bytes:
    """Return the one JSON value of `statement` as UTF-8 bytes, undecoded (fetching it would parse it).

    `statement` must be kept by its module (it is compiled once); parameters reach psycopg as they are.
    """
    driver = connection.connection.driver_connection
    assert driver is not None
    body: bytes | None = driver.execute(_compiled(statement, connection.dialect), params).pgresult.get_value(0, 0)
    return body or b"null"
