"""What thin tasks share: the unit of work and the clock of the app they run in."""

from market.http.clock import now, today
from market.http.db import unit_of_work

__all__ = ["COLLECT", "now", "today", "unit_of_work"]

COLLECT = (50_000, 20, 100)
"""When a worker looks for garbage (thresholds of `gc`). A month of statement lines or a payout run makes many objects and
hardly a cycle: Python's own threshold of 700 would spend two fifths of the matching on looking through them."""
