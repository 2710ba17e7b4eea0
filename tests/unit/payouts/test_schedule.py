"""The days of a rhythm, at every edge of week, month and year."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.payouts.errors import SettingsRefused
from market.payouts.rules.schedule import PayoutSettings, check_settings, latest_day, next_day

WEEKLY, MONTHLY = PayoutSettings("weekly", weekday=4), PayoutSettings("monthly", day_of_month=31)


@pytest.mark.parametrize(
    ("settings", "today", "latest", "following"),
    [
        (WEEKLY, date(2026, 11, 27), date(2026, 11, 27), date(2026, 12, 4)),
        (WEEKLY, date(2026, 11, 26), date(2026, 11, 20), date(2026, 11, 27)),
        (MONTHLY, date(2026, 2, 28), date(2026, 2, 28), date(2026, 3, 31)),
        (MONTHLY, date(2026, 3, 1), date(2026, 2, 28), date(2026, 3, 31)),
        (MONTHLY, date(2027, 1, 1), date(2026, 12, 31), date(2027, 1, 31)),
        (replace(MONTHLY, day_of_month=1), date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
        (PayoutSettings(), date(2026, 11, 27), None, None),
    ],
)
def test_the_last_and_the_next_day(settings, today, latest, following):
    assert (latest_day(settings, today), next_day(settings, today)) == (latest, following)


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(0, 6), st.integers(1, 31))
def test_the_next_day_is_the_first_on_which_the_last_day_changes(today, weekday, day):
    for rhythm in ("weekly", "monthly"):
        settings = PayoutSettings(rhythm, weekday, day)
        following = next_day(settings, today)
        assert following is not None
        assert latest_day(settings, following) == following > today
        assert latest_day(settings, following - timedelta(days=1)) == latest_day(settings, today) <= today


@pytest.mark.parametrize(
    "wrong",
    [{"rhythm": "daily"}, {"weekday": 7}, {"day_of_month": 0}, {"minimum_minor": -1}, {"file_format": "mt101"}, {"purpose": "FOOD"},
     {"cheque_stale_days": 5}],
)  # fmt: skip
def test_what_no_co_op_can_want_is_refused_at_its_field(wrong):
    with pytest.raises(SettingsRefused) as refused:
        check_settings(replace(PayoutSettings(), **wrong))
    assert refused.value.pointer == f"/{next(iter(wrong))}"
