"""Searches alone: common words, two words, beginnings, rare words, typing errors."""

from __future__ import annotations

from bench.load import reads
from bench.rows.catalogue import search_paths
from bench.site import Site
from bench.table import Row


def measure(site: Site) -> list[Row]:
    """Measure searches over the API."""
    got = reads(site.url, search_paths(), site.plan)
    return [Row("search", got.per_second, got.p50_ms, got.p99_ms, note=f"one in twenty mistyped; {got.wrong} wrong answers")]
