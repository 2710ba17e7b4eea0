"""When a worker takes a second process, and when it lets it go."""

import logging
from contextlib import suppress
from time import monotonic
from typing import Any

from celery.worker.autoscale import Autoscaler

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds that a task may wait behind others before it gets a process of its own."""
QUIET = 30.0
"""Seconds without a waiting task after which one process is enough again."""


class WhenTasksWait(Autoscaler):
    """One process while it keeps up, as many as allowed while tasks wait, and a fresh one when it is quiet again.

    Celery's own rule takes the second process at the first two tasks that meet, and keeps it for as long as tasks come:
    the clock sends one every other second. What a process touched, Python copied for it, since references are counted
    inside the objects; so the ones that worked go, and a new one stays, which still shares what the worker loaded.
    """

    clock = staticmethod(monotonic)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._more_since: float | None = None
        self._crowded_at = self.clock()
        self._looks_again = False

    def _maybe_scale(self, req: Any = None) -> bool:
        """Called for every task that comes, and by itself every second for as long as there is something to decide."""
        now, tasks, processes = self.clock(), self.qty, self.processes
        extra = processes > self.min_concurrency
        self._more_since = (self._more_since or now) if tasks > self.min_concurrency else None
        if (extra or self._more_since is not None) and not self._looks_again:
            self._looks_again = True
            self.worker.hub.call_later(PATIENCE, self._look_again)
        if self._more_since is not None and now - self._more_since >= PATIENCE:
            self._crowded_at = now
            if processes < min(tasks, self.max_concurrency):
                self.scale_up(min(tasks, self.max_concurrency) - processes)
                return True
        # While nothing is reserved, no task is on its way to a process that would be gone.
        if extra and not tasks and now - self._crowded_at >= QUIET:
            self.scale_up(self.min_concurrency)
            log.info("quiet: a fresh process instead of %s", processes)
            with suppress(ValueError):  # one of them is still at work: the next look will do
                self.pool.shrink(processes)  # type: ignore[attr-defined]  # Celery's pool of processes takes it from billiard's.
            return True
        return False

    def _look_again(self) -> None:
        self._looks_again = False
        self.maybe_scale()
