"""When a co-op's runs are drafted, what is too little for a payment of its own, and what its bank's files look like (pure)."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from market.kernel.words import N_
from market.payouts.errors import SettingsRefused

PURPOSES = ("", "AGRT", "SUPP", "GDDS", "SALA", "COMM", "OTHR")
"""Codes of ISO 20022 (external purpose) that fit what a co-op pays for; none leaves the element out."""
FORMATS = ("pain.001.001.09", "pain.001.001.03")


class Rhythm(StrEnum):
    """How often a run is drafted by the clock."""

    ON_DEMAND = "on_demand"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class PayoutSettings:
    """How a co-op pays out. `weekday` 0 is Monday; a `day_of_month` beyond a month's end means its last day.

    `minimum_minor`, in the co-op's currency: who is owed less waits for the next run. `batch_booking` asks the bank to book a
    file as one line. `cheque_stale_days`: a cheque that nobody cashed for so long is a matter for staff.
    """

    rhythm: str = Rhythm.ON_DEMAND
    weekday: int = 0
    day_of_month: int = 1
    minimum_minor: int = 0
    file_format: str = FORMATS[0]
    batch_booking: bool = False
    purpose: str = ""
    cheque_stale_days: int = 180


def check_settings(wanted: PayoutSettings) -> None:
    """Raise SettingsRefused, pointing at the field, unless a co-op may pay out like this."""
    problems = (
        ("rhythm", N_("Runs are drafted weekly, monthly or on demand."), wanted.rhythm not in set(Rhythm)),
        ("weekday", N_("Choose a day of the week."), not 0 <= wanted.weekday <= 6),
        ("day_of_month", N_("A day of the month lies between 1 and 31."), not 1 <= wanted.day_of_month <= 31),
        ("minimum_minor", N_("The least amount is nothing or more."), not 0 <= wanted.minimum_minor <= 10**12),
        ("file_format", N_("Choose the format that the bank has agreed to."), wanted.file_format not in FORMATS),
        ("purpose", N_("Choose a purpose code of the list."), wanted.purpose not in PURPOSES),
        ("cheque_stale_days", N_("A cheque is stale after 30 to 400 days."), not 30 <= wanted.cheque_stale_days <= 400),
    )
    for field, sentence, wrong in problems:
        if wrong:
            raise SettingsRefused(sentence, pointer=f"/{field}")


def latest_day(settings: PayoutSettings, today: date) -> date | None:
    """Return the last day up to today on which a run was to be drafted; None without a rhythm."""
    if settings.rhythm == Rhythm.WEEKLY:
        return today - timedelta(days=(today.weekday() - settings.weekday) % 7)
    if settings.rhythm == Rhythm.MONTHLY:
        this = _in_month(settings, today)
        return this if this <= today else _in_month(settings, today.replace(day=1) - timedelta(days=1))
    return None


def next_day(settings: PayoutSettings, today: date) -> date | None:
    """Return the first day after today on which a run will be drafted; None without a rhythm."""
    if settings.rhythm == Rhythm.WEEKLY:
        return today + timedelta(days=(settings.weekday - today.weekday() - 1) % 7 + 1)
    if settings.rhythm == Rhythm.MONTHLY:
        this = _in_month(settings, today)
        return this if this > today else _in_month(settings, today.replace(day=28) + timedelta(days=7))
    return None


def _in_month(settings: PayoutSettings, day: date) -> date:
    return day.replace(day=min(settings.day_of_month, monthrange(day.year, day.month)[1]))
