"""Ready-made JSON: PostgreSQL builds it, the API passes the bytes through. Only `queries` modules import this."""

from sqlalchemy import Connection, Executable


def json_bytes(connection: Connection, statement: Executable, **params: object) -> bytes:
    """Return the one JSON value of `statement` as UTF-8 bytes, undecoded (fetching it would parse it)."""
    result = connection.execute(statement, params)
    body: bytes | None = result.cursor.pgresult.get_value(0, 0)  # type: ignore[union-attr]
    result.close()
    return body or b"null"
