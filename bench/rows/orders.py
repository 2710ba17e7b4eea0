"""Order placement over the API: two producers, prices checked again, stock held, payment opened, outbox written.

By bank transfer, so that no processor's answer is in the figure. The bound is one data-modifying statement that writes the
rows of such an order, the same number in the same tables with all their keys and checks, and decides nothing: no price is
looked up, no answer is made. What a statement costs that only holds one lot and announces it stands beside it.
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
        buyer = BUYER | {"email": f"ada{number}@example.com"}
        body = json.dumps({"lines": lines, "buyer": buyer, "method": "transfer"}).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"bench-{number:012}"}
        yield request("POST", "/api/v1/orders", host=host, headers=headers, body=body)


# Two lines of one co-op by two producers, three parts each, as the orders above; 22 rows and two stocks changed.
_WHOLE = """
WITH wanted AS MATERIALIZED (SELECT listing.*, gen_random_uuid() AS seller, gen_random_uuid() AS line,
    row_number() OVER () AS position FROM listing WHERE id IN ('{first}', '{second}')),
fresh AS MATERIALIZED (SELECT gen_random_uuid() AS id, gen_random_uuid() AS payment, now() + interval '7 days' AS until),
placed AS (INSERT INTO orders (id, email, name, street, building, postcode, town, country, locale, currency, total_minor, method,
    placed_at, expires_at) SELECT id, 'ada@example.com', 'Ada', 'Hauptstr.', '1', '50667', 'Bonn', 'DE', 'en', 'EUR', 2000,
    'transfer', now(), until FROM fresh),
sellers AS (INSERT INTO seller_order (id, coop_id, order_id, producer_id, position, currency, goods_minor, premium_minor,
    charges_minor, tax_minor, placed_at) SELECT seller, coop_id, fresh.id, producer_id, position, 'EUR', 900, 0, 100, 0, now()
    FROM wanted, fresh),
lines AS (INSERT INTO order_line (id, coop_id, order_id, seller_order_id, listing_id, lot_id, title, unit, quantity, unit_price,
    currency, total_minor, stock_quantity, check_ids) SELECT line, coop_id, fresh.id, seller, wanted.id, lot_id, title, unit, 1,
    unit_price, 'EUR', 1000, 1, '{{}}' FROM wanted, fresh),
parts AS (INSERT INTO price_component (order_line_id, seq, kind, label, amount_minor, currency, payer, payee, rule_version)
    SELECT line, seq, 'producer_goods', 'Goods', CASE seq WHEN 1 THEN 900 ELSE 50 END, 'EUR', 'buyer', 'producer', 1
    FROM wanted, generate_series(1, 3) AS seq),
locked AS MATERIALIZED (SELECT lot_id FROM stock WHERE lot_id IN (SELECT lot_id FROM wanted) ORDER BY lot_id FOR UPDATE),
taken AS (UPDATE stock SET held = held + 1 FROM locked WHERE stock.lot_id = locked.lot_id RETURNING stock.coop_id, stock.lot_id),
kept AS (INSERT INTO hold (id, coop_id, lot_id, order_id, quantity, expires_at, state)
    SELECT gen_random_uuid(), coop_id, lot_id, fresh.id, 1, until, 'live' FROM taken, fresh),
opened AS (INSERT INTO payment (id, subject_kind, subject_id, method, state, currency, amount_minor, title, idem_key, opened_at,
    expires_at) SELECT payment, 'order', id, 'transfer', 'awaiting_transfer', 'EUR', 2000, 'bench', payment::text, now(), until
    FROM fresh),
paid AS (INSERT INTO payment_part (payment_id, coop_id, subject_id, currency, goods_minor, premium_minor, charges_minor,
    tax_minor) SELECT payment, coop_id, seller, 'EUR', 900, 0, 100, 0 FROM wanted, fresh),
known AS (INSERT INTO idempotency_key (scope, key, input_hash, status, body, created_at)
    SELECT 'bench', id::text, sha256(id::text::bytea), 201, '{{"number": 1}}', now() FROM fresh)
INSERT INTO outbox (topic, payload) SELECT 'bench', jsonb_build_object('order_id', id) FROM fresh
"""
_SMALL = """
WITH taken AS (UPDATE stock SET held = held + 1 WHERE lot_id = (SELECT lot_id FROM listing WHERE id = '{first}')
    RETURNING coop_id, lot_id),
kept AS (INSERT INTO hold (id, coop_id, lot_id, order_id, quantity, expires_at, state)
    SELECT gen_random_uuid(), coop_id, lot_id, gen_random_uuid(), 1, now() + interval '1 day', 'live' FROM taken)
INSERT INTO outbox (topic, payload) SELECT 'bench', jsonb_build_object('lot', lot_id) FROM taken
"""


def measure(site: Site) -> list[Row]:
    """Measure order placement and its bounds."""
    generator = random.Random(18)
    firsts = [generator.randrange(site.plan.listings - data.PRODUCERS) for _ in range(60)]
    pairs = [{"first": data.ident(first, 5), "second": data.ident(first + data.COOPS, 5)} for first in firsts]
    whole = sql_rate(site.database_url, [_WHOLE.format(**pair) for pair in pairs], site.plan, tail=True)
    small = sql_rate(site.database_url, [_SMALL.format(**pair) for pair in pairs], site.plan).per_second
    got = writes(site.url, lambda: orders(site), site.plan, check=lambda status, body: status == 201 and b'"number"' in body)
    note = f"by transfer; {got.per_second / small:.0%} of a statement that only holds one lot ({small:,.0f}/s); "
    note += f"{got.wrong} wrong answers {got.statuses if got.wrong else ''}"
    name = f"one statement ({whole.by}{f', its own p99 {whole.p99_ms:.1f} ms' if whole.p99_ms else ''})"
    return [Row("order placed", got.per_second, got.p50_ms, got.p99_ms, whole.per_second, name, 0.20, 40, note.strip())]
