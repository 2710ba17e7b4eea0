"""What thin tasks share: the unit of work and the clock of the app they run in."""

from market.http.clock import now, today
from market.http.db import unit_of_work

__all__ = ["now", "today", "unit_of_work"]
