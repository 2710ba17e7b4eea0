"""One real PostgreSQL and Redis, a template database built by the real migrations, a clone per process."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from filelock import FileLock
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from jinja2 import FileSystemBytecodeCache
from psycopg import sql
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from config import Settings
from market.app import create_app
from market.cli import migrations
from market.embedded import postgres
from market.http import db as http_db
from market.kernel import tenancy
from market.kernel.clock import FixedClock
from market.ports import Ports

# A run starts a hundred processes of the site, and each would compile the whole of it anew where Python is told to keep nothing
# compiled, as images of containers tell it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

pytest_plugins = ("tests.skips", "tests.chromium")
ROOT = Path(__file__).parents[1]
CHECK_NOW = "DO 'BEGIN SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; END'"  # in one way to the database
PREPARED = 1000
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)

# The same examples in every run, and as long as a busy machine needs for one; `--hypothesis-profile default` searches further.
settings.register_profile("market", deadline=None, derandomize=True)
settings.load_profile("market")


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes `-n auto` means: one more than cores, since a third of the time is waiting for what was started."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest test begin first: at the end it would run alone for minutes while the other workers wait."""
    items.sort(key=lambda item: item.path.name != "test_main_job.py")


@pytest.fixture(scope="session")
def servers() -> dict[str, str]:
    """Addresses of the database and the broker: given, or embedded under var/test."""
    data = ROOT / "var" / "test"
    data.mkdir(parents=True, exist_ok=True)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("MARKET_")}
    if "DATABASE_URL" in environ and "REDIS_URL" in environ:
        return environ
    from market import embedded

    filled = embedded.fill(environ | {"MARKET_DATA": str(data)})
    record, _ = embedded.ensure(data, {"DATABASE_URL"})
    trust_the_machine(postgres.url("postgres", record.superuser_password, record.postgres_port or 0, "postgres"))
    return filled


def trust_the_machine(superuser: str) -> None:
    """Let the tests' own server not wait for the disk: processes die in tests, machines do not.

    Each database of a test is made and dropped with a checkpoint, which on a busy disk took up to a minute.
    """
    with psycopg.connect(superuser, autocommit=True) as connection:
        if connection.execute("SHOW fsync").fetchone() == ("on",):
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")


def _with_database(url: str, name: str) -> str:
    base, _, query = url.partition("?")
    return base.rsplit("/", 1)[0] + "/" + name + (f"?{query}" if query else "")


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def _drop(connection: psycopg.Connection, name: str) -> None:
    """Drop a database after its sessions.

    WITH (FORCE) is refused while autovacuum works there, because its process belongs to no role that ours has; a plain
    drop stops autovacuum by itself.
    """
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user", (name,)
    )
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted((ROOT / "migrations").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@pytest.fixture(scope="session")
def template(servers: dict[str, str]) -> str:
    """The name of a database that the real migrations built, made once for all processes."""
    name = f"market_template_{_fingerprint()}"
    url = _plain(servers["DATABASE_URL"])
    with FileLock(ROOT / "var" / "test" / "template.lock"), psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
            building = f"{name}_building"
            _drop(connection, building)
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(building)))
            migrations.upgrade(_with_database(url, building))
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(building), sql.Identifier(name)))
    return name


@pytest.fixture(scope="session")
def make_database(servers: dict[str, str], template: str) -> Iterator:
    """Return a function that clones the template; clones go when the run ends."""
    url, made = _plain(servers["DATABASE_URL"]), []

    def make(label: str) -> str:
        name = f"market_test_{os.getpid()}_{label}"
        with FileLock(ROOT / "var" / "test" / "template.lock"), psycopg.connect(url, autocommit=True) as connection:
            _drop(connection, name)
            statement = "CREATE DATABASE {} TEMPLATE {}"
            connection.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Identifier(template)))
        made.append(name)
        return _with_database(url, name)

    yield make
    with psycopg.connect(url, autocommit=True) as connection:
        for name in made:
            _drop(connection, name)


def settings_for(database_url: str, redis_url: str, **more: str) -> Settings:
    """Return settings for tests over given servers."""
    return Settings.from_env(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": "test-" * 8,
            "PASSWORD_SALT": "salt-" * 8,
            "STRIPE_KEY": "sk_test_local",
            "STRIPE_WEBHOOK_SECRET": "whsec_local",
            "STRIPE_API_BASE": "http://127.0.0.1:1",
            "MARKET_ENV": "test",
            "FILES_URL": str(ROOT / "var" / "test" / "files"),
        }
        | more
    )


@pytest.fixture(scope="session")
def settings(servers: dict[str, str], make_database) -> Settings:
    """Settings over this process's own clone."""
    return settings_for(make_database("main"), servers["REDIS_URL"])


@pytest.fixture(scope="session")
def clock() -> FixedClock:
    """A clock that stands at noon of 2026-11-25 unless a test moves it."""
    return FixedClock(NOW)


@pytest.fixture(autouse=True)
def _clock_back(clock: FixedClock) -> Iterator[None]:
    yield
    clock.instant = NOW


@pytest.fixture(scope="session")
def ports() -> Ports:
    """Honest in-memory stand-ins for the outside world."""
    from market.gateways import memory

    return memory.ports()


class Browser(FlaskClient):
    """A client whose every request starts with an empty `g`, as on a server: the session's context stays outside."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        with self.application.app_context():
            return super().open(*args, **kwargs)


@pytest.fixture(scope="session")
def app(settings: Settings, ports: Ports, clock: FixedClock) -> Iterator[Flask]:
    """The application over this process's clone."""
    migrations.import_models()  # foreign keys name tables of capabilities that a test need not import
    app = create_app(settings, ports=ports, clock=clock)
    app.test_client_class = Browser
    compiled = ROOT / "var" / "test" / "templates"
    compiled.mkdir(exist_ok=True)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(compiled))  # one process compiles a page, all draw it
    with app.app_context():
        _spoken_plainly(http_db.db.engine)
    yield app
    with app.app_context():
        for engine in http_db.db.engines.values():
            engine.dispose()


def _spoken_plainly(engine: Engine) -> None:
    """Let savepoints and the end of a transaction go to the server past the driver, which forgets every statement it has
    prepared at each ROLLBACK: a test ends in one, and most would prepare anew what the one before had asked, too.
    """

    def say(driver: Any, statement: str) -> None:
        begun = driver.pgconn.transaction_status != TransactionStatus.IDLE
        result = driver.pgconn.exec_((statement if begun else f"BEGIN; {statement}").encode())
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result, encoding="utf-8")

    def roll_back(driver: Any) -> None:
        if driver.pgconn.transaction_status != TransactionStatus.IDLE:
            say(driver, "ROLLBACK")

    def to_driver(words: str) -> Callable[[Connection, str], None]:
        return lambda connection, name: say(connection.connection.driver_connection, f"{words} {name}")

    dialect: Any = engine.dialect
    dialect.do_savepoint = to_driver("SAVEPOINT")
    dialect.do_rollback_to_savepoint = to_driver("ROLLBACK TO SAVEPOINT")
    dialect.do_release_savepoint = to_driver("RELEASE SAVEPOINT")
    dialect.do_rollback = roll_back


@pytest.fixture
def session(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[scoped_session[Session]]:
    """A session whose commits are savepoints: everything is undone at the end, deferred checks fire at each commit."""
    with app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        connection = http_db.db.engine.connect()
        connection.connection.driver_connection.prepared_max = PREPARED
        outer = connection.begin()
        factory = sessionmaker(bind=connection, join_transaction_mode="create_savepoint", expire_on_commit=False)

        @event.listens_for(factory, "before_commit")
        def _like_a_real_commit(session: Session) -> None:
            session.flush()
            connection.exec_driver_sql(CHECK_NOW)

        scoped = scoped_session(factory)
        monkeypatch.setattr(http_db.db, "session", scoped)
        monkeypatch.setattr(http_db, "reader", lambda app: nullcontext(connection))
        yield scoped
        scoped.remove()
        outer.rollback()
        connection.close()


@pytest.fixture
def client(app: Flask, session) -> FlaskClient:
    """A browser without a person behind it, on the test's own transaction."""
    return app.test_client()
