"""Time as an argument: the only module that reads the wall clock (rule M6)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

FIRST_ZONE = "Etc/GMT-14"
"""Where each day begins first: what lies after the day there lies after today everywhere."""


class Clock(Protocol):
    """Gives the present instant; read once at the edge and passed down as `now` or `on`."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return datetime.now(UTC)


@dataclass
class FixedClock:
    """A clock that stands where it was put, for tests and for replaying a day."""

    instant: datetime

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self.instant


def day_in(now: datetime, zone: str) -> date:
    """Return the calendar day of `now` in `zone`: contracts and price rows count days where the co-op is."""
    return now.astimezone(ZoneInfo(zone)).date()
