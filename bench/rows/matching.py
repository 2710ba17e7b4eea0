"""How right and how complete automatic matching is, on seeds that nobody developed with (money.md 8.4).

Two generators written apart from each other: lines as the rules see them, and whole files read through the readers.
"""

from __future__ import annotations

import os
from dataclasses import replace

from bench.site import Site
from bench.statement_files import make_files, measure_files
from bench.statement_noise import Score, make_noise
from bench.statement_noise import measure as measure_noise
from bench.table import Row

SEEDS = (710_011, 710_012, 710_013)


def measure(site: Site) -> list[Row]:
    """Run the rules over both kinds of noise; a share is shown per 10,000, so that a wrong match in many can be seen."""
    things = int(os.environ.get("BENCH_MATCHING", "4000" if site.plan.short else "40000"))
    lines = [measure_noise(make_noise(seed, things)) for seed in SEEDS]
    files = [measure_files(make_files(seed, things)) for seed in SEEDS]
    missed: dict[str, int] = {}
    for _, each in files:
        for kind, count in each.items():
            missed[kind] = missed.get(kind, 0) + count
    worst = ", ".join(f"{count} {kind}" for kind, count in sorted(missed.items(), key=lambda pair: -pair[1])[:3])
    return [*_rows("lines", lines, ""), *_rows("files", [score for score, _ in files], f"; missed most: {worst}")]


def _rows(name: str, scores: list[Score], missed: str) -> list[Row]:
    total = replace(
        scores[0],
        **{field: sum(getattr(score, field) for score in scores) for field in ("lines", "right", "wrong", "expected")},
    )
    right = f"{total.wrong} wrong of {total.right + total.wrong:,} automatic matches, {total.lines:,} lines (goal ≥ 9,999)"
    found = f"{total.right:,} of {total.expected:,} lines about something of ours (goal ≥ 9,500){missed}"
    return [
        Row(f"matching precision on noisy {name}, per 10,000", 10_000 * total.precision, note=right),
        Row(f"matching recall on noisy {name}, per 10,000", 10_000 * total.recall, note=found),
    ]
