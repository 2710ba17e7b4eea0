"""The staff desk at full size: 5,000 open lines, 100,000 orders, and every page of it as a person asks for it, one by one.

Rows are made set-based, in one INSERT a table; BENCH_ORDERS says how many orders, BENCH_OWED how many of them are owed (600 fall
due a day, so that with 20,000 most are late). The goal is p95 ≤ 150 ms for each page on
two cores (400 ms is what must hold). One person asks at a time: a desk has few people, and each waits for the answer.
"""

from __future__ import annotations

import os
import time
import urllib.request
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg

from bench import data
from bench.client import percentile
from bench.site import Site
from bench.table import Row
from market.kernel.ids import derived_id

COOP = data.ident(0, 1)
ACCOUNT, BANK = derived_id("bench desk person"), derived_id("bench desk bank")
TURNS, WARM = 25, 3
GOAL_MS, MUST_MS = 150, 400

SCRIPT = Path(__file__).parents[1] / "desk.sql"


def load(site: Site, orders: int, owed: int) -> dict[str, UUID]:
    """Fill the desk and return the ids that its pages of one record ask for."""
    values = {"coop": COOP, "person": ACCOUNT, "bank": BANK, "orders": orders, "owed": owed, "now": data.NOW}
    with psycopg.connect(site.database_url) as connection:
        for statement in SCRIPT.read_text().split(";\n"):
            if statement.strip():
                connection.execute(statement.encode(), values)
        found = {
            name: connection.execute(query).fetchone()[0]  # type: ignore[index]
            for name, query in {
                "order": "SELECT seller_id FROM made WHERE n = 500",
                "line": "SELECT id FROM line WHERE n = 2",
                "run": "SELECT id FROM run WHERE n = 1",
                "payout": "SELECT id FROM paid WHERE n = 1",
                "batch": "SELECT id FROM batch",
                "member": "SELECT producer_id FROM made WHERE n = 1",
            }.items()
        }
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return found


def pages(ids: dict[str, UUID], days: tuple[str, str, str]) -> dict[str, str]:
    """Return the staff's pages by name; `days` are the first and last of a span and one on which much was paid since."""
    first, last, past = days
    return {
        "today": "/console",
        "today, largest": "/console?sort=largest",
        "search by name": "/console/search?q=weber",
        "search by amount": "/console/search?q=125.00",
        "search by a rare name": "/console/search?q=buyer+77123",
        "search by reference": "/console/search?q=RF181000000005",
        "orders": "/console/orders",
        "orders, to pack": "/console/orders?state=paid",
        "orders, settled, oldest": "/console/orders?state=settled&sort=oldest",
        "orders by a buyer": "/console/orders?q=haile+1203",
        "orders of a span, one open": f"/console/orders?from={first}&to={last}&open={ids['order']}",
        "order": f"/console/orders/{ids['order']}",
        "refunds": "/console/payments/refunds",
        "payments": "/console/payments",
        "all payments": "/console/payments/all",
        "matching": "/console/matching",
        "matching, largest, one open": f"/console/matching?sort=largest&open={ids['line']}",
        "matching by name": "/console/matching?q=member+17",
        "statement of an account": f"/console/statements/{BANK}",
        "line": f"/console/statements/lines/{ids['line']}",
        "periods": "/console/statements/closes",
        "bank files": "/console/statements/files",
        "lines of the books": "/console/books/lines",
        "statement of one account of the books": "/console/books/lines?account=held:goods",
        "trial balance": "/console/books",
        "owed to producers, by age": "/console/books?report=payables",
        "owed on a past day": f"/console/books?report=payables&to={past}",
        "sellers": "/console/sellers",
        "money in credit": "/console/payments/credits",
        "rows of an import": f"/console/prices/imports/{ids['batch']}",
        "what editions changed": "/console/prices/changes",
        "payouts owed and runs": "/console/payouts",
        "what is owed": "/console/payouts/owed",
        "payout run": f"/console/payouts/{ids['run']}",
        "all payouts": "/console/payouts/all?state=sent",
        "payout": f"/console/payouts/one/{ids['payout']}",
        "listings": "/console/listings",
        "members": "/console/members",
        "member": f"/console/members/{ids['member']}",
        "price tables": "/console/prices",
        "mails": "/console/mails",
        "audit": "/console/audit",
        "people": "/console/people",
        "reports": f"/console/reports?from={first}&to={last}",
    }


def cookie(site: Site) -> str:
    """Return the session cookie of the person at the desk."""
    from config import Settings
    from market.app import create_app

    app = create_app(Settings.from_env(site.environ | {"PUBLIC_URL": site.url}))
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return f"market={serializer.dumps({'_user_id': 'desk', '_fresh': True})}"


def measure(site: Site) -> list[Row]:
    """Load the desk and ask for each of its pages."""
    orders = int(os.environ.get("BENCH_ORDERS", "2000" if site.plan.short else "100000"))
    owed = int(os.environ.get("BENCH_OWED", "5000"))
    begun = time.perf_counter()
    ids = load(site, orders, owed)
    print(f"{orders:,} orders, {owed:,} owed, and 5,000 open lines in {time.perf_counter() - begun:.1f} s", flush=True)
    signed_in = cookie(site)
    now = data.NOW.date()
    return [
        _page(site, name, path, signed_in)
        for name, path in pages(ids, (str(now - timedelta(days=90)), str(now), str(now - timedelta(days=31)))).items()
    ]


def _page(site: Site, name: str, path: str, signed_in: str) -> Row:
    taken = []
    for turn in range(TURNS + WARM):
        ask = urllib.request.Request(site.url + path, headers={"Cookie": signed_in, "Accept-Encoding": "identity"})
        begun = time.perf_counter()
        with urllib.request.urlopen(ask, timeout=60) as answer:
            answer.read()
            if answer.status != 200 or "sign-in" in answer.url:
                raise RuntimeError(f"{path} answered {answer.status} at {answer.url}")
        if turn >= WARM:
            taken.append(time.perf_counter() - begun)
    taken.sort()
    p95 = percentile(taken, 0.95) * 1000
    verdict = "ok" if p95 <= GOAL_MS else "missed" if p95 <= MUST_MS else "TOO SLOW"
    return Row(
        f"desk: {name}",
        len(taken) / sum(taken),
        p50_ms=percentile(taken, 0.5) * 1000,
        note=f"p95 {p95:.0f} ms (goal ≤ {GOAL_MS}) {verdict}",
    )
