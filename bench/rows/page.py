"""The catalogue as people see it: the HTML page with its cards, filters and frame."""

from __future__ import annotations

from bench.load import reads
from bench.rows.catalogue import browse_paths, search_paths
from bench.site import Site
from bench.table import Row


def measure(site: Site) -> list[Row]:
    """Measure the page of the shop on the same mix."""
    mixed = browse_paths(site.plan.listings, 1000) + search_paths(1000)
    got = reads(site.url, [path.replace("/api/v1/listings", "/shop") for path in mixed], site.plan)
    return [Row("shop page (HTML), same mix", got.per_second, got.p50_ms, got.p99_ms, note=f"{got.wrong} wrong answers")]
