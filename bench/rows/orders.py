"""Order placement over the API: two producers, prices checked again, stock held, payment opened, outbox written.

By bank transfer, so that no processor's answer is in the figure. The bound is one data-modifying statement that holds the
stock of one lot and announces it; a whole order writes about fifteen rows more.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from urllib.parse import urlsplit

from bench import data
from bench.client import request
from bench.limits import sql_rate
from bench.load import writes
from bench.site import Site
from bench.table import Row

BUYER = {
    "name": "Ada Buyer", "email": "ada@example.com", "street": "Hauptstr.", "building": "1", "postcode": "50667", "town": "Köln",
    "country": "DE",
}  # fmt: skip


def orders(site: Site) -> Iterator[bytes]:
    """Yield order requests without end, each with its own key."""
    generator = random.Random(17)
    host = urlsplit(site.url).netloc
    for number in itertools.count():
        first = generator.randrange(site.plan.listings - data.PRODUCERS)
        lots = (first, first + data.COOPS)  # two producers of one co-op, which one transfer can pay
        lines = [{"listing_id": str(data.ident(lot, 5)), "quantity": "1"} for lot in lots]
        body = json.dumps({"lines": lines, "buyer": BUYER, "method": "transfer"}).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"bench-{number:012}"}
        yield request("POST", "/api/v1/orders", host=host, headers=headers, body=body)


def measure(site: Site) -> list[Row]:
    """Measure order placement and its bound."""
    generator = random.Random(18)
    lots = [data.ident(generator.randrange(site.plan.listings), 4) for _ in range(60)]
    statements = [
        f"WITH taken AS (UPDATE stock SET held = held + 1 WHERE lot_id = '{lot}'"
        " RETURNING coop_id, lot_id), kept AS (INSERT INTO hold (id, coop_id, lot_id, order_id, quantity, expires_at, state)"
        " SELECT gen_random_uuid(), coop_id, lot_id, gen_random_uuid(), 1, now() + interval '1 day', 'live' FROM taken)"
        " INSERT INTO outbox (topic, payload) SELECT 'bench', jsonb_build_object('lot', lot_id) FROM taken"
        for lot in lots
    ]
    bound, by = sql_rate(site.database_url, statements, site.plan)
    got = writes(site.url, lambda: orders(site), site.plan, check=lambda status, body: status == 201 and b'"number"' in body)
    note = f"by transfer; {got.wrong} wrong answers {got.statuses if got.wrong else ''}"
    return [Row("order placed", got.per_second, got.p50_ms, got.p99_ms, bound, f"one statement ({by})", 0.20, 40, note.strip())]
