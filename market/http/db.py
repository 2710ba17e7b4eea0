"""The database as the edge sees it: one unit of work per action, one autocommit connection for public reads.

Connections take the role `market_app`, which owns nothing and passes row-level security; the address itself belongs to
the owner, who migrates.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import UUID

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from config import Settings
from market.kernel import tenancy, uow
from market.kernel.orm import Base

db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})

_TIMEOUTS = (
    "-c role=market_app -c TimeZone=UTC -c lock_timeout=5s -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s"
)


def engine_options(settings: Settings, *, reader: bool = False) -> dict[str, Any]:
    """Return the options of an engine; the reader sees what is public, without BEGIN and ROLLBACK."""
    # A plan made once serves all values: the hot reads are written so that no value needs another.
    options = _TIMEOUTS + (" -c market.scope=* -c plan_cache_mode=force_generic_plan" if reader else "")
    result: dict[str, Any] = {
        "url": settings.database_url,
        "connect_args": {"options": options, "prepare_threshold": 0, "application_name": "market"},
        "pool_size": 8,
        "max_overflow": 8,
        "pool_pre_ping": False,
    }
    if reader:
        result |= {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True, "pool_reset_on_return": None}
    return result


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the engines to the app."""
    app.config["SQLALCHEMY_ENGINES"] = {}
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    options = engine_options(settings)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {key: value for key, value in options.items() if key != "url"}
    app.config["SQLALCHEMY_BINDS"] = {"reader": engine_options(settings, reader=True)}
    db.init_app(app)
    with app.app_context():
        app.extensions["readers"] = Readers(db.engines["reader"])


def unit_of_work() -> AbstractContextManager[Session]:
    """Open the one transaction of a business action; it commits on exit."""
    return uow.unit_of_work(lambda: db.session())


def session_for(coop_id: UUID) -> uow.Units:
    """Return how a batch of a co-op's rows is read: an answer streams after the request's own scope has ended."""
    scope = tenancy.scope_of(coop_id)

    @contextmanager
    def scoped() -> Iterator[Session]:
        token = tenancy.enter(scope)
        try:
            with unit_of_work() as session:
                yield session
        finally:
            tenancy.leave(token)

    return scoped


class Readers:
    """The connections that read public data: one per thread, kept, since taking one from a pool costs as much as a read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._own = threading.local()

    @contextmanager
    def __call__(self) -> Iterator[Connection]:
        """Give this thread's connection; one that broke is thrown away, and the next caller gets a new one."""
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._engine.connect()
        try:
            yield connection
        except BaseException:
            if connection.invalidated or _broken(connection):
                del self._own.connection
                connection.invalidate()
                connection.close()
            raise


def _broken(connection: Connection) -> bool:
    """Whether the driver's connection is closed; SQLAlchemy does not notice where a statement goes past it."""
    driver: Any = connection.connection.driver_connection
    return driver is None or bool(driver.closed)


def reader(app: Flask) -> AbstractContextManager[Connection]:
    """Return a Core connection that reads public data, each statement its own snapshot."""
    readers: Readers = app.extensions["readers"]
    return readers()


@contextmanager
def reading() -> Iterator[Connection]:
    """Give a connection for the hot public reads; looked up at each call, so that tests can lend theirs."""
    with reader(current_app) as connection:
        yield connection
