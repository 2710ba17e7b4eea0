"""Memory of a worker and the clock: at rest after a start, while tasks wait, and at rest again (shared pages count once)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.site import ROOT, Site, memory_mb
from bench.table import Row
from workers.broker import celery_on

TASKS = 600
# A processor that refuses at once: to wait for one that does not answer takes a second process every minute.
_NOBODY = {"STRIPE_API_BASE": "http://127.0.0.1:9"}
REST_S = 45.0
"""Longer than a worker keeps its second process."""
_NAMES = ("notifications.deliver", "earnings.end_holds", "orders.settle")


def measure(site: Site) -> list[Row]:
    """Start both, read their memory at rest, send many tasks at once, and read it at its highest and at rest again."""
    with _running(site) as held:
        begun, _ = _settled(held)
        celery = celery_on(site.environ["REDIS_URL"])
        for number in range(TASKS):
            celery.send_task(_NAMES[number % len(_NAMES)], queue="default")
        after, most = _settled(held)
    found = f"{begun:.0f} MB after a start, {most:.0f} at most with {TASKS} tasks at once, {after:.0f} at rest again"
    return [Row("memory of a worker and the beat", 0, note=f"{found} (goal ≤ 200 MB)")]


def _settled(held: Callable[[], float]) -> tuple[float, float]:
    """Return what is held once it has not moved for REST_S, three minutes later at most, and the most until then."""
    now = most = held()
    begun_at = moved_at = time.monotonic()
    while time.monotonic() - moved_at < REST_S and time.monotonic() - begun_at < 4 * REST_S:
        time.sleep(0.5)
        before, now = now, held()
        most = max(most, now)
        if abs(now - before) > 3:
            moved_at = time.monotonic()
    return now, most


@contextmanager
def _running(site: Site) -> Iterator[Callable[[], float]]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "workers", role],
            cwd=ROOT,
            env=site.environ | _NOBODY,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for role in ("worker", "beat")
    ]
    try:
        yield lambda: sum(memory_mb(process.pid) for process in processes)
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGTERM)
        for process in processes:
            process.wait(60)
