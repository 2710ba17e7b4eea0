"""The database as the edge sees it: one unit of work per action, one autocommit connection for public reads.

Connections take the role `market_app`, which owns nothing and passes row-level security; the address itself belongs to
the owner, who migrates.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from config import Settings
from market.kernel import uow
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


def unit_of_work() -> AbstractContextManager[Session]:
    """Open the one transaction of a business action; it commits on exit."""
    return uow.unit_of_work(lambda: db.session())


def reader() -> AbstractContextManager[Connection]:
    """Return a Core connection that reads public data, each statement its own snapshot."""
    return db.engines["reader"].connect()


@contextmanager
def reading() -> Iterator[Connection]:
    """Give a connection for the hot public reads; looked up at each call, so that tests can lend theirs."""
    with reader() as connection:
        yield connection
