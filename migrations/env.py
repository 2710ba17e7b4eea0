"""Runs the steps: one at a time across processes (advisory lock), each in its own transaction, never waiting long.

The steps need no models, and every start of a site runs this: who compares with the models imports them first.
"""

from alembic import context
from sqlalchemy import create_engine, pool, text

from market.kernel.locks import Alone
from market.kernel.orm import Base


def _run() -> None:
    engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "", poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": Alone.MIGRATION.value})
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.execute(text("SET statement_timeout = '10min'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            compare_type=True,
            compare_server_default=False,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": Alone.MIGRATION.value})
        connection.commit()
    engine.dispose()


_run()
