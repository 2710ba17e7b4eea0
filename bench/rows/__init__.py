"""The rows of the table, one module each: `measure(site) -> list[Row]`. Add a module and its name, nothing else."""

from __future__ import annotations

import psycopg

from bench.site import Site

ALL = ("catalogue", "search", "page", "lots", "orders", "paid", "payouts", "statements", "desk", "report", "matching", "workers")

_WRONG = {
    "stock below zero or above what is there": "SELECT count(*) FROM stock WHERE held < 0 OR held > on_hand",
    "stock held without a hold": (
        "SELECT count(*) FROM stock LEFT JOIN (SELECT lot_id, sum(quantity) AS quantity FROM hold WHERE state = 'live'"
        " GROUP BY 1) AS h USING (lot_id) WHERE held <> coalesce(quantity, 0)"
    ),
    "terms counted wrongly": (
        "SELECT count(*) FROM search_term LEFT JOIN (SELECT term, count(*) AS n FROM search_posting GROUP BY 1) AS p USING (term)"
        " WHERE listings <> coalesce(n, 0)"
    ),
}


def check_books(site: Site) -> list[str]:
    """Return what is wrong after the run: stock, search index, ledger."""
    problems = []
    with psycopg.connect(site.database_url) as connection:
        for words, statement in _WRONG.items():
            row = connection.execute(statement).fetchone()
            if row and row[0]:
                problems.append(f"{words}: {row[0]} rows")
    return problems + _ledger(site.database_url)


def _ledger(database_url: str) -> list[str]:
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session

    from market.cli.migrations import import_models, sqlalchemy_url
    from market.kernel import tenancy
    from market.ledger import queries

    import_models()
    engine = create_engine(sqlalchemy_url(database_url))
    with tenancy.scoped(tenancy.EVERYTHING), Session(engine) as session:
        found = [f"ledger: {finding}" for finding in queries.check(session)]
    engine.dispose()
    return found
