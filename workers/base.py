"""What thin tasks share: the unit of work, the clock of the app they run in, and how they are tried again."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from celery import Task
from flask import Flask, current_app
from psycopg import OperationalError
from sqlalchemy.exc import OperationalError as OperationalErrorInSession

from market.http.clock import now, today
from market.http.db import unit_of_work
from market.kernel import outbox, tenancy
from market.kernel.uow import busy

__all__ = ["COLLECT", "InApp", "now", "side_by_side", "today", "unit_of_work"]

COLLECT = (50_000, 20, 100)
"""When a worker looks for garbage (thresholds of `gc`). A month of statement lines or a payout run makes many objects and
hardly a cycle: Python's own threshold of 700 would spend two fifths of the matching on looking through them."""

_log = logging.getLogger(__name__)

LONGEST_WAIT = 300
"""Seconds between two tries of a fact while the database is away, at most."""


@contextmanager
def side_by_side() -> Iterator[Callable[[Callable[[], Any]], Callable[[], Any]]]:
    """Give what begins a job in a thread of its own, two at a time, and returns what waits for its result.

    For jobs that mostly wait for the database, which has a processor of its own to do them on. Each has its own session.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def inside(job: Callable[[], Any]) -> Any:
        with app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
            return job()

    pool = ThreadPoolExecutor(2, thread_name_prefix="beside")
    try:
        yield lambda job: pool.submit(inside, job).result
    finally:
        pool.shutdown(cancel_futures=True)


class InApp(Task):  # type: ignore[type-arg]
    """A task that runs inside the Flask app's context and serves every co-op.

    A fact of the outbox (it names its topic) that met a database that was gone, or too busy, comes again until it is done.
    What came from the dispatcher (it names its row) is recorded there as done; without that it is handed over again one
    day. What the clock starts comes again by itself; that somebody else had its rows in hand is no fault.
    """

    flask_app: Flask
    max_retries = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task."""
        fact_id = kwargs.pop("fact_id", None)
        try:
            with self.flask_app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
                result = super().__call__(*args, **kwargs)
                if fact_id is not None:
                    with unit_of_work() as session:
                        outbox.note_done(session, fact_id=fact_id, task=self.name)
                return result
        except (OperationalError, OperationalErrorInSession) as error:
            if "topic" not in kwargs:
                if not busy(error):
                    raise
                _log.warning("%s waits for its next turn: somebody has its rows in hand", self.name)
                return None
            wait = min(2 ** min(self.request.retries + 1, 10), LONGEST_WAIT)
            raise self.retry(exc=error, countdown=wait) from error
        except Exception as error:
            if fact_id is not None:
                with self.flask_app.app_context(), unit_of_work() as session:
                    outbox.note_fault(session, fact_id=fact_id, task=self.name, problem=repr(error))
            raise
