"""`python -m bench [ROW...]`: run the rows (all, or those named) and print the table. BENCH_SHORT=1 is a smoke run."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import traceback

from bench import rows
from bench.load import Plan
from bench.site import running
from bench.table import Row, text

NOTE = (
    "Closed loop, 16 connections, everything on the same {cores} cores. Coordinated omission: while the server stalls a closed"
    " loop sends nothing, so the percentiles are those of served requests; under an open load the tail is longer."
    " Ratios of one run count; absolute figures drift with the machine."
)


def main(wanted: list[str]) -> int:
    """Run and print; the exit code says whether every row could be measured and every promise kept."""
    plan = Plan.from_env()
    names = [name for name in rows.ALL if not wanted or name in wanted]
    found: list[Row] = []
    failed: list[str] = []
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, {plan.rounds} x {plan.seconds:g} s a row"
        + (", SHORT: figures do not count" if plan.short else "")
    )
    with running(plan) as site:
        for name in names:
            print(f"... {name}", flush=True)
            try:
                found += importlib.import_module(f"bench.rows.{name}").measure(site)
            except Exception:  # a row that cannot be measured must not take the others with it
                traceback.print_exc()
                failed.append(name)
        found.append(
            Row(
                "cold start of the web process",
                1 / site.cold_start_s,
                note=f"{site.cold_start_s:.2f} s to the first answer (goal ≤ 2 s)",
            )
        )
        found.append(Row("memory of two web processes", 0, note=f"{site.memory_mb():.0f} MB (goal ≤ 300 MB)"))
        problems = rows.check_books(site)
    print("\n" + text(found) + "\n\n" + NOTE.format(cores=os.cpu_count()))
    for problem in problems:
        print(f"WRONG AFTER THE RUN: {problem}")
    for name in failed:
        print(f"NOT MEASURED: {name}")
    return 1 if problems or failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
