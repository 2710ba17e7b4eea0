"""The public page of a lot, as a document over the API; the bound is one row by key from the same table."""

from __future__ import annotations

import random

from bench.limits import sql_rate
from bench.load import reads
from bench.site import Site
from bench.table import Row


def measure(site: Site) -> list[Row]:
    """Measure lots spread over the catalogue."""
    generator = random.Random(13)
    slugs = [f"{generator.randrange(site.plan.listings):011d}" for _ in range(500)]
    got = reads(site.url, [f"/api/v1/lots/{slug}" for slug in slugs], site.plan)
    bound, by = sql_rate(
        site.database_url, [f"SELECT body FROM lot_page WHERE slug = '{slug}'" for slug in slugs[:40]], site.plan
    )
    note = f"{got.wrong} wrong answers"
    return [Row("public lot page", got.per_second, got.p50_ms, got.p99_ms, bound, f"row by key ({by})", 0.10, None, note)]
