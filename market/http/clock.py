"""The app's clock at the edge: read once per request, passed down as `now` or `on`."""

from datetime import date, datetime

from flask import current_app

from market.kernel.clock import Clock, day_in


def now() -> datetime:
    """Return the present instant by the clock that the app was built with."""
    clock: Clock = current_app.extensions["clock"]
    return clock.now()


def today(zone: str = "UTC") -> date:
    """Return the present day in `zone`."""
    return day_in(now(), zone)
