"""Time for those who wait for one another: how long a request would wait is not what these tests are about.

On a busy machine the first of four takes longer over its work than a request waits for a lock (5 s), and the others were then
refused for that.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from market.http import db


@contextmanager
def patient() -> Iterator[None]:
    """Let the connections of every app made meanwhile wait two minutes for a lock. A deadlock is found as soon as ever."""
    usual = db._TIMEOUTS
    db._TIMEOUTS = usual.replace("lock_timeout=5s", "lock_timeout=120s").replace(
        "statement_timeout=30s", "statement_timeout=120s"
    )
    assert db._TIMEOUTS.count("=120s") == 2
    try:
        yield
    finally:
        db._TIMEOUTS = usual
