"""The 23-hour rule and the quiet period (money.md 4.2, 6.2)."""

from datetime import UTC, datetime, timedelta

import pytest

from market.payouts.rules.timing import (
    LATE,
    LEASE,
    QUIET_PERIOD,
    Capabilities,
    Next,
    may_resend_after_not_found,
    next_action,
    pause_after,
)

FIRST = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
KEYED = Capabilities(idempotent=True, askable=True, statement=True, reversible=True)
ASKABLE = Capabilities(idempotent=False, askable=True, statement=False, reversible=False)
BLIND = Capabilities(idempotent=False, askable=False, statement=False, reversible=False)


@pytest.mark.parametrize("rail", [KEYED, ASKABLE, BLIND])
def test_a_first_send_is_always_allowed(rail: Capabilities) -> None:
    assert next_action(first_sent_at=None, now=FIRST, rail=rail) is Next.SEND


@pytest.mark.parametrize(("rail", "expected"), [(KEYED, Next.ASK), (ASKABLE, Next.ASK), (BLIND, Next.SEND)])
def test_one_that_waited_long_is_asked_about_before_it_is_sent(rail: Capabilities, expected: Next) -> None:
    assert next_action(first_sent_at=None, now=FIRST, rail=rail, waited=LATE) is Next.SEND
    assert next_action(first_sent_at=None, now=FIRST, rail=rail, waited=LATE + timedelta(seconds=1)) is expected


@pytest.mark.parametrize(
    ("rail", "hours", "expected"),
    [
        (KEYED, 22.9, Next.SEND),
        (KEYED, 23, Next.GIVE_UP),
        (ASKABLE, 0.1, Next.ASK),
        (ASKABLE, 23, Next.GIVE_UP),
        (BLIND, 0, Next.GIVE_UP),
    ],
)
def test_an_open_outcome_is_repeated_asked_or_given_to_a_person(rail: Capabilities, hours: float, expected: Next) -> None:
    assert next_action(first_sent_at=FIRST, now=FIRST + timedelta(hours=hours), rail=rail) is expected


def test_not_found_allows_a_resend_without_a_key_only_after_the_quiet_period() -> None:
    early, late = FIRST + QUIET_PERIOD - timedelta(seconds=1), FIRST + QUIET_PERIOD
    assert not may_resend_after_not_found(first_sent_at=FIRST, now=early, rail=ASKABLE)
    assert may_resend_after_not_found(first_sent_at=FIRST, now=late, rail=ASKABLE)
    assert may_resend_after_not_found(first_sent_at=FIRST, now=early, rail=KEYED)


def test_pauses_grow_and_stay_below_an_hour() -> None:
    assert [pause_after(n).total_seconds() for n in (0, 1, 2, 3, 9, 99)] == [20, 20, 40, 80, 3600, 3600]


def test_a_lease_outlives_the_longest_call() -> None:
    timeout, retries = 20, 2
    assert LEASE.total_seconds() > timeout * (retries + 1)
