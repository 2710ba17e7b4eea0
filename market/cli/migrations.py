"""The schema's commands: `python -m market.cli.migrations upgrade | current | new NAME | draft PACKAGE`.

They need the owner's DATABASE_URL and nothing else, so that they run before any other setting exists.
"""

import importlib
import os
import pkgutil
import re
import sys
from pathlib import Path

from alembic import command
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

import market
from market.kernel.orm import Base

FOLDER = Path(__file__).parents[2] / "migrations"


def import_models() -> None:
    """Import every module that declares a table, so that the metadata is whole."""
    kernel = {f"market.kernel.{name}" for name in ("outbox", "inbox", "idempotency", "audit")}
    for module in pkgutil.walk_packages(market.__path__, "market."):
        if module.name in kernel or module.name.endswith(".models"):
            importlib.import_module(module.name)


def config(url: str) -> Config:
    """Return Alembic's configuration for a database."""
    result = Config()
    result.set_main_option("script_location", str(FOLDER))
    result.set_main_option("file_template", "%%(rev)s")
    result.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return result


def sqlalchemy_url(url: str) -> str:
    """Return an address as SQLAlchemy wants it."""
    return re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql+psycopg://", url)


def upgrade(url: str, revision: str = "head") -> None:
    """Bring a database to `revision`."""
    command.upgrade(config(sqlalchemy_url(url)), revision)


def downgrade(url: str, revision: str) -> None:
    """Take a database back to `revision`."""
    command.downgrade(config(sqlalchemy_url(url)), revision)


def head() -> str:
    """Return the newest revision. Raises when there are two."""
    found = ScriptDirectory.from_config(config("postgresql://")).get_current_head()
    assert found is not None
    return found


def draft(url: str, package: str) -> str:
    """Return Python for `upgrade()` with the tables of one capability that the database lacks."""

    def ours(_: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
        if kind == "table" and not reflected:
            owners = {m.local_table.name: m.class_.__module__ for m in Base.registry.mappers}  # type: ignore[attr-defined]
            return owners.get(name or "", "").startswith(f"market.{package}.")
        return not reflected

    engine = create_engine(sqlalchemy_url(url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "target_metadata": Base.metadata})
        script = produce_migrations(context, Base.metadata)
        code = render_python_code(script.upgrade_ops, migration_context=context)  # type: ignore[arg-type]
    engine.dispose()
    return code


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code."""
    url = os.environ.get("DATABASE_URL", "")
    match arguments:
        case ["upgrade"]:
            upgrade(url)
        case ["current"]:
            command.current(config(sqlalchemy_url(url)))
        case ["new", name]:
            import_models()  # to compare with
            number = int(head()[:4]) + 1
            command.revision(config(sqlalchemy_url(url)), message=name, rev_id=f"{number:04}_{name}", autogenerate=True)
            (FOLDER / "HEAD").write_text(f"{number:04}_{name}\n")
        case ["draft", package]:
            import_models()
            print(draft(url, package))
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
