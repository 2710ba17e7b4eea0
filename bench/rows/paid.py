"""Hot accounts: payments that become paid, all in the books of one co-op, against payments that share no account.

What is measured is the path of a card payment from the processor's answer to the books: lock, state, E02 with four postings on
`card_clearing` and `held:*`, the announcement, commit. Eight connections at once; the bound is the same work in eight books.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier
from uuid import UUID

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench import data
from bench.site import Site
from bench.table import Row
from market.cli.migrations import import_models, sqlalchemy_url
from market.kernel import tenancy
from market.kernel.ids import new_ids
from market.kernel.money import Money
from market.ledger import service as ledger
from market.payments import service as payments
from market.payments.ports import Checkout

WORKERS, WARM_UP = 8, 10
_OPEN = """
WITH fresh AS (SELECT n, market_nth_id(%(ids)s, n) AS id, gen_random_uuid() AS subject FROM generate_series(1, %(count)s) AS n),
opened AS (INSERT INTO payment (id, subject_kind, subject_id, method, state, currency, amount_minor, title, idem_key, checkout_id,
    first_sent_at, opened_at, expires_at)
  SELECT id, 'bench', subject, 'card', 'requires_action', 'EUR', 10000, 'bench', 'pay-' || id, 'cs_' || id, %(now)s, %(now)s,
    %(now)s + interval '1 day' FROM fresh)
INSERT INTO payment_part (payment_id, coop_id, subject_id, currency, goods_minor, premium_minor, charges_minor, tax_minor)
SELECT id, (%(coops)s::uuid[])[1 + n %% cardinality(%(coops)s::uuid[])], subject, 'EUR', 7200, 800, 1500, 500 FROM fresh
RETURNING payment_id
"""


def opened(url: str, count: int, coops: Sequence[UUID]) -> list[UUID]:
    """Open `count` card payments, in turn for these co-ops."""
    with psycopg.connect(url) as connection:
        values = {"ids": new_ids(count + 1), "count": count, "coops": list(coops), "now": data.NOW}
        return [row[0] for row in connection.execute(_OPEN, values).fetchall()]


def _pay(url: str, ids: Sequence[UUID], ready: Barrier, took: multiprocessing.Queue[list[float]]) -> None:
    import_models()
    engine = create_engine(sqlalchemy_url(url), pool_size=1)
    times: list[float] = []
    with tenancy.scoped(tenancy.EVERYTHING):
        for number, payment_id in enumerate(ids):
            if number == WARM_UP:
                ready.wait()
            begun = time.perf_counter()
            seen = Checkout(
                checkout_id=f"cs_{payment_id}", state="succeeded", url=None, intent_id=f"pi_{payment_id}",
                charge_id=f"ch_{payment_id}", paid=Money(10000, "EUR"), charged_at=data.NOW,
            )  # fmt: skip
            with Session(engine, expire_on_commit=False) as session, session.begin():
                payments.record_checkout(session, payment_id=payment_id, seen=seen, now=data.NOW)
            times.append((time.perf_counter() - begun) * 1000)
    engine.dispose()
    took.put(times[WARM_UP:])


def rate(url: str, count: int, coops: Sequence[UUID]) -> tuple[float, list[float]]:
    """Let eight processes pay `count` payments at once; return how many a second, and how long each took, in ms."""
    made = opened(url, count + WORKERS * WARM_UP, coops)
    ready = multiprocessing.Barrier(WORKERS + 1)
    took: multiprocessing.Queue[list[float]] = multiprocessing.Queue()
    slices = [made[number::WORKERS] for number in range(WORKERS)]  # with eight co-ops each worker has one of its own
    workers = [multiprocessing.Process(target=_pay, args=(url, own, ready, took)) for own in slices]
    for worker in workers:
        worker.start()
    ready.wait()
    begun = time.perf_counter()
    times = sorted(one for _ in workers for one in took.get())
    lasted = time.perf_counter() - begun
    for worker in workers:
        worker.join()
    return count / lasted, times


def measure(site: Site) -> list[Row]:
    """Measure payments in one book and in eight, in turn, and check that every one stands in the books."""
    count = int(os.environ.get("BENCH_PAYMENTS", "400" if site.plan.short else "4000"))
    coops = [data.ident(number, 1) for number in range(WORKERS)]
    import_models()
    engine = create_engine(sqlalchemy_url(site.database_url))
    with tenancy.scoped(tenancy.EVERYTHING), Session(engine) as session, session.begin():
        ledger.books_of(session, coops)
    engine.dispose()
    shared, apart = [], []
    for _ in range(site.plan.rounds):
        shared.append(rate(site.database_url, count, coops[:1]))
        apart.append(rate(site.database_url, count, coops))
    (hot, times), (bound, _) = sorted(shared)[len(shared) // 2], sorted(apart)[len(apart) // 2]
    with psycopg.connect(site.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM ledger_transaction WHERE kind = 'payment.paid'").fetchone()
    wanted = 2 * (count + WORKERS * WARM_UP) * site.plan.rounds
    note = f"{count:,} payments by {WORKERS} connections" if row and row[0] == wanted else f"WRONG: {row} booked of {wanted}"
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    return [Row("card payment paid, one book", hot, p50, p99, bound, "eight books", 0.70, note=note)]
