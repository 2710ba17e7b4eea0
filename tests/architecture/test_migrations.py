"""M4: models = migrations, one head, numbered without gaps, up and down."""

import re

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from market.cli import migrations
from market.kernel.orm import Base
from tests.architecture.source import ROOT

VERSIONS = ROOT / "migrations" / "versions"


def _psycopg(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def test_one_head_numbered_without_gaps():
    revisions = sorted(path.stem for path in VERSIONS.glob("*.py") if path.stem != "__init__")
    assert [int(name[:4]) for name in revisions] == list(range(1, len(revisions) + 1))
    script = ScriptDirectory.from_config(migrations.config("postgresql://"))
    assert script.get_heads() == [revisions[-1]]
    assert (ROOT / "migrations" / "HEAD").read_text().strip() == revisions[-1]


def test_models_equal_migrations(make_database):
    migrations.import_models()
    engine = create_engine(migrations.sqlalchemy_url(make_database("compare")))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        difference = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert difference == []


def _constraints(url: str) -> set[tuple[str, str, str]]:
    with psycopg.connect(url) as connection:
        return set(
            connection.execute(
                "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
                "WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND conrelid::regclass::text <> 'alembic_version' "
                "AND contype NOT IN ('n', 't')"
            ).fetchall()
        )


def test_whoever_proposes_never_decides_by_the_database_itself(make_database):
    """Each table in which one person proposes and another decides refuses the same name in both columns, but for what is withdrawn."""
    with psycopg.connect(_psycopg(make_database("eyes"))) as connection:
        both = "SELECT attrelid FROM pg_attribute WHERE attname = ANY(%s) GROUP BY attrelid HAVING count(*) = 2"
        pairs = (("proposed_by", "decided_by"), ("prepared_by", "approved_by"), ("prepared_by", "closed_by"))
        for one, other in pairs:
            rows = connection.execute(
                f"SELECT c.relname, coalesce(string_agg(pg_get_constraintdef(k.oid), ' '), '') FROM pg_class c"
                f" LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'c' WHERE c.relkind = 'r' AND c.oid IN ({both})"
                " GROUP BY c.relname",
                [[one, other]],
            ).fetchall()
            assert rows
            assert [table for table, checks in rows if f"{other} <> {one}" not in checks] == []


def _indexes_and_columns(url: str) -> set[tuple[str, ...]]:
    with psycopg.connect(url) as connection:
        indexes = connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )
        found = {tuple(row) for row in indexes.fetchall()}
        columns = connection.execute(
            "SELECT table_name, column_name, udt_name, is_nullable, coalesce(column_default, ''), is_generated "
            "FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
        )
        return found | {tuple(row) for row in columns.fetchall()}


def test_constraints_indexes_and_columns_equal_those_of_the_models(make_database, servers):
    """Autogenerate sees no CHECK and no generated column; the catalogue does."""
    migrations.import_models()
    migrated = _psycopg(make_database("migrated"))
    built = _psycopg(make_database("models"))
    with psycopg.connect(built, autocommit=True) as connection:
        rows = connection.execute("SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'").fetchall()
        connection.execute("DROP TABLE " + ", ".join(row[0] for row in rows) + " CASCADE")
    engine = create_engine(migrations.sqlalchemy_url(built))
    Base.metadata.create_all(engine)
    engine.dispose()
    assert _constraints(built) == _constraints(migrated)
    assert _indexes_and_columns(built) == _indexes_and_columns(migrated)


def test_every_coop_table_has_row_level_security(make_database):
    with psycopg.connect(_psycopg(make_database("rls"))) as connection:
        bare = connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'coop_id' "
            "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT c.relrowsecurity"
        ).fetchall()
    # Who holds a role or key is asked before a scope exists; the card is a copy of what everybody may see.
    assert {row[0] for row in bare} <= {"account_role", "api_key", "listing_card"}


def test_down_and_up_again(make_database):
    url = make_database("down")
    migrations.downgrade(url, "base")
    with psycopg.connect(_psycopg(url)) as connection:
        left = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'"
        ).fetchall()
        functions = connection.execute("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace").fetchall()
    assert left == []
    assert functions == []
    migrations.upgrade(url)


def test_sql_of_migrations_sets_no_clock():
    texts = "".join(path.read_text() for path in VERSIONS.glob("*.py"))
    assert not re.search(r"CURRENT_DATE", texts)
