"""When a payout may be sent again, asked about, or must go to a person (money.md 4.2 and 6.2).

A provider forgets an idempotency key after 24 hours at the earliest; after that a repeat would be a new order. So
the same key is repeated for 23 hours and never later. A rail without keys is asked before each repeat, and only
after a quiet period that is longer than its slowest processing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from market.kernel.keys import SAME_KEY_FOR

LEASE = timedelta(minutes=3)
FIRST_PAUSE = timedelta(seconds=20)
LONGEST_PAUSE = timedelta(hours=1)
QUIET_PERIOD = timedelta(minutes=30)
LATE = timedelta(hours=12)  # half of what a provider remembers: a first send after it is asked about before


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a rail can promise. `statement`: a foreign statement will show the money, so only that settles."""

    idempotent: bool
    askable: bool
    statement: bool
    reversible: bool


class Next(StrEnum):
    """What a worker does with a payout that it has claimed."""

    SEND = "send"
    ASK = "ask"
    GIVE_UP = "give_up"


def next_action(
    *, first_sent_at: datetime | None, now: datetime, rail: Capabilities, accepted: bool = False, waited: timedelta = timedelta(0)
) -> Next:
    """Return what may be done with a payout whose outcome is open; `first_sent_at` is None before the first attempt.

    A first send is allowed at once. One that has `waited` long is asked about first where the rail can say: our tables may
    have been restored from a backup, and the provider may have forgotten the key of what it paid.
    A repeat uses the same key while the provider surely remembers it. Later, and on
    rails without keys, only questions are allowed; when the rail cannot answer, a person decides. `accepted`: the rail has
    said that it has the order, so there is nothing left but to ask.
    """
    if first_sent_at is None:
        return Next.ASK if rail.askable and waited > LATE else Next.SEND
    if rail.idempotent and not accepted and now - first_sent_at < SAME_KEY_FOR:
        return Next.SEND
    if rail.askable and now - first_sent_at < SAME_KEY_FOR:
        return Next.ASK
    return Next.GIVE_UP


def may_resend_after_not_found(*, first_sent_at: datetime, now: datetime, rail: Capabilities) -> bool:
    """Return whether a definite "never heard of it" allows another send: with a key always, else after the quiet period."""
    return rail.idempotent or now - first_sent_at >= QUIET_PERIOD


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after the given number of attempts: 20 s, doubled each time, at most an hour."""
    doublings: int = 2 ** min(max(attempts - 1, 0), 16)
    return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)
