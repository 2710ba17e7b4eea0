"""A report of a million rows over HTTP: the general ledger of one co-op as CSV and as a workbook, and what it takes of memory.

Every posting stands in it twice. The bound is the same rows by COPY. Memory is what the web processes hold at most while it
streams, beside what they held before. BENCH_REPORT says how many rows.
"""

from __future__ import annotations

import os
import threading
import time
import urllib.request
from datetime import date, timedelta

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench.rows import desk
from bench.site import Site
from bench.table import Row
from market.cli.migrations import import_models, sqlalchemy_url
from market.kernel import tenancy
from market.kernel.money import Money
from market.ledger import service as ledger
from market.ledger.rules import Entry, Leg

FIRST, LEGS, AT_ONCE = date(2026, 1, 1), 20, 500
_LINES = """
COPY (SELECT a.code, t.effective_on, t.booked_at, t.id, t.kind, t.idem_key, p.amount_minor
  FROM ledger_posting p JOIN ledger_transaction t ON t.book_id = p.book_id AND t.id = p.transaction_id
  JOIN ledger_account a ON a.book_id = p.book_id AND a.id IN (p.debit_id, p.credit_id)
  WHERE p.book_id = (SELECT id FROM ledger_book WHERE coop_id = '{coop}')
  ORDER BY a.code, a.currency, t.effective_on, t.id) TO STDOUT (FORMAT csv)
"""


def _book(site: Site, rows: int) -> None:
    """Post what makes `rows` rows of the general ledger, twenty to a transaction."""
    import_models()
    engine = create_engine(sqlalchemy_url(site.database_url))
    with tenancy.scoped(tenancy.EVERYTHING):
        with Session(engine) as session, session.begin():
            book = ledger.ensure_book(session, coop_id=desk.COOP, base_currency="EUR")
        legs = tuple(Leg("buyer_receivable", "goods_sales", Money(100 + n, "EUR")) for n in range(LEGS))
        count = rows // (2 * LEGS)
        for start in range(0, count, AT_ONCE):
            entries = [
                Entry(book, "bench.report", f"report-{n}", FIRST + timedelta(days=n % 300), "bench", legs)
                for n in range(start, min(start + AT_ONCE, count))
            ]
            with Session(engine) as session, session.begin():
                ledger.post(session, entries)
    engine.dispose()


class _Peak:
    """The most memory that the web processes held together while it was watched."""

    def __init__(self, site: Site) -> None:
        self._site, self._over = site, threading.Event()
        self.before = self.most = site.memory_mb()
        self._watch = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._over.wait(0.2):
            self.most = max(self.most, self._site.memory_mb())

    def __enter__(self) -> _Peak:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()


def _copied(site: Site) -> float:
    """Return how many rows a second COPY gives."""
    with psycopg.connect(site.database_url) as connection, connection.cursor() as cursor:
        begun, rows = time.perf_counter(), 0
        with cursor.copy(_LINES.format(coop=desk.COOP).encode()) as copy:
            for block in copy:
                rows += bytes(block).count(b"\n")
        return rows / (time.perf_counter() - begun)


def measure(site: Site) -> list[Row]:
    """Book the rows, then download them as both kinds of file."""
    rows = int(os.environ.get("BENCH_REPORT", "20000" if site.plan.short else "1000000"))
    with psycopg.connect(site.database_url) as connection:
        known = connection.execute("SELECT 1 FROM account WHERE id = %s", (desk.ACCOUNT,)).fetchone()
    if known is None:
        desk.load(site, 2000, 1000)
    _book(site, rows)
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE ledger_transaction, ledger_posting")
    bound, signed_in, found = _copied(site), desk.cookie(site), []
    for kind in ("csv", "xlsx"):
        path = f"/console/books?report=general-ledger&from={FIRST}&to={FIRST + timedelta(days=365)}&format={kind}"
        ask = urllib.request.Request(site.url + path, headers={"Cookie": signed_in, "Accept-Encoding": "identity"})
        begun, size, lines = time.perf_counter(), 0, 0
        with _Peak(site) as peak, urllib.request.urlopen(ask, timeout=600) as answer:
            while block := answer.read(1 << 16):
                size += len(block)
                lines += block.count(b"\n")
        took = time.perf_counter() - begun
        if kind == "csv" and lines < rows:
            raise RuntimeError(f"the report has {lines} lines of {rows}")
        note = f"{size / 1e6:.0f} MB; memory grew by {peak.most - peak.before:.0f} MB at most"
        found.append(Row(f"general ledger of {rows:,} rows as {kind}", rows / took, limit=bound, limit_name="COPY", note=note))
    return found
