"""Payout runs: planning and approving set-based, then sending one payout after the other with its reference committed first.

The rail answers at once from memory, so the figure is the market's own work: claim, commit, call, record, commit. The bound
is two commits of one changed row each.
"""

from __future__ import annotations

import os
import time
from datetime import date, timedelta
from uuid import UUID

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench import data
from bench.limits import sql_rate
from bench.site import Site
from bench.table import Row
from market.cli.migrations import import_models, sqlalchemy_url
from market.gateways.memory_stripe import MemoryTransfers
from market.kernel import tenancy, uow
from market.kernel.actor import Actor
from market.kernel.ids import new_ids
from market.kernel.money import Money
from market.ledger import service as ledger
from market.ledger.rules import Entry, legs
from market.payouts import queries, service
from workers.payouts import drain

PREPARER = Actor(account_id=UUID(int=1), roles=frozenset({"preparer"}), name="Ada")
APPROVER = Actor(account_id=UUID(int=2), roles=frozenset({"approver"}), name="Bo")


_PEOPLE = """
INSERT INTO producer (id, coop_id, slug, name, region, created_at)
SELECT market_nth_id(%(people)s, n), %(coop)s, 'payee-' || n, 'Payee ' || n, 'Huila', %(now)s
FROM generate_series(1, %(count)s) n"""
_ACCOUNTS = """
INSERT INTO payee_account (id, coop_id, producer_id, rail, currency, holder, stripe_account, country, entered_by, entered_at,
  confirmed_by, confirmed_at)
SELECT market_nth_id(%(accounts)s, n), %(coop)s, market_nth_id(%(people)s, n), 'stripe', 'EUR', 'Payee ' || n, 'acct_' || n, 'DE',
  'Ada', %(now)s, 'Bo', %(now)s FROM generate_series(1, %(count)s) n"""
_OWED = """
INSERT INTO payable (id, coop_id, payee_id, currency, amount_minor, kind, due_on, source_kind, source_id)
SELECT market_nth_id(%(payables)s, n), %(coop)s, market_nth_id(%(people)s, n), 'EUR', 6480, 'goods', %(now)s::date, 'delivery',
  market_nth_id(%(deliveries)s, n) FROM generate_series(1, %(count)s) n"""


def owe(database_url: str, count: int) -> UUID:
    """Let a co-op owe goods to `count` producers, each with a confirmed account; return the co-op. Prepared by sets."""
    coop_id, on = data.ident(0, 1), data.NOW.date()
    ids = {name: new_ids(count + 1) for name in ("people", "accounts", "payables", "deliveries")}
    with psycopg.connect(database_url) as connection:
        # The row of statements writes low numbers of its own.
        connection.execute("SELECT setval('payout_number', 500000000)")
        for statement in (_PEOPLE, _ACCOUNTS, _OWED):
            connection.execute(statement, {"coop": coop_id, "now": data.NOW, "count": count} | ids)
        owed = connection.execute("SELECT source_id, payee_id FROM payable WHERE source_kind = 'delivery'").fetchall()
    engine = create_engine(sqlalchemy_url(database_url))
    with tenancy.scoped(tenancy.EVERYTHING):
        for start in range(0, count, 20_000):
            with Session(engine) as session, session.begin():
                book = ledger.book_of(session, coop_id)
                ledger.post(session, [_release(book, on, *one) for one in owed[start : start + 20_000]])
    engine.dispose()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")  # what autovacuum has done by the time that real payables fall due
    return coop_id


def _release(book: int, on: date, source_id: UUID, payee_id: UUID) -> Entry:
    moves = legs(("held:goods", f"payable:{payee_id}", Money(6480, "EUR")), subject=source_id)
    return Entry(book, "released", f"release:{source_id}", on, "system", moves)


def measure(site: Site) -> list[Row]:
    """Measure one run from plan to the last payout sent."""
    count = int(os.environ.get("BENCH_PAYEES", "100" if site.plan.short else "100000"))
    import_models()
    coop_id = owe(site.database_url, count)
    engine = create_engine(sqlalchemy_url(site.database_url))
    now = data.NOW + timedelta(days=1)
    with tenancy.scoped(tenancy.EVERYTHING):
        begun = time.perf_counter()
        with Session(engine) as session, session.begin():
            run = service.plan_run(session, actor=PREPARER, coop_id=coop_id, due_by=now.date(), now=now)
        with Session(engine) as session, session.begin():
            service.approve_run(session, actor=APPROVER, run_id=run.id, list_sha256=run.list_sha256, now=now)
        planned = time.perf_counter() - begun
        rail, sending = MemoryTransfers(), min(count, 2000)
        begun = time.perf_counter()
        drain(
            lambda: uow.unit_of_work(lambda: Session(engine, expire_on_commit=False)),
            {"stripe": rail},
            lambda: now,
            limit=sending,
        )
        sent = time.perf_counter() - begun
        with Session(engine) as session:
            states = queries.states_of_run(session, run.id)
    engine.dispose()
    one_row = [f"UPDATE stock SET held = held WHERE lot_id = '{data.ident(number, 4)}'" for number in range(40)]
    bound = sql_rate(site.database_url, one_row, site.plan)
    right = len(rail.sent) == sending == states.get("sent")
    wrong = "" if right else f"WRONG: {len(rail.sent)} sent of {sending}, {states}"
    return [
        Row("payout run planned and approved, payees", count / planned, note=f"{count:,} payees in {planned:.1f} s"),
        Row(
            "payout sent, one worker",
            sending / sent,
            limit=bound.per_second / 2,
            limit_name=f"two commits ({bound.by})",
            note=wrong or "each sent once",
        ),
    ]
