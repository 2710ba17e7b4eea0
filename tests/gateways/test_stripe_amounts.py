"""Amounts as Stripe writes them, one row per kind of currency."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.gateways.stripe_amounts import THREE_DECIMAL, TWO_DECIMAL, ZERO_DECIMAL, NotTaken, from_stripe, to_stripe
from market.kernel.money import EXPONENTS, Money


@pytest.mark.parametrize(
    ("text", "currency", "stripe"),
    [
        ("100.00", "EUR", 10000),
        ("1000.00", "MGA", 1000),
        ("142000", "RWF", 142000),
        ("500", "JPY", 500),
        ("1500", "ISK", 150000),
        ("1.230", "KWD", 1230),
        ("99.00", "TWD", 9900),
        ("99.50", "HUF", 9950),
    ],
)
def test_amounts_are_written_as_stripe_expects(text, currency, stripe):
    money = Money.parse(text, currency)
    assert to_stripe(money) == stripe
    assert from_stripe(stripe, currency.lower()) == money


@pytest.mark.parametrize(("minor", "currency"), [(1, "UGX"), (101, "MGA"), (1235, "KWD"), (100, "CLF"), (100, "KPW")])
def test_what_stripe_cannot_take_is_refused(minor, currency):
    with pytest.raises(NotTaken):
        to_stripe(Money(minor, currency))


@pytest.mark.parametrize(("amount", "currency"), [(1, "xyz"), (150, "isk"), (100, "ugx")])
def test_what_stripe_cannot_mean_is_refused(amount, currency):
    with pytest.raises(NotTaken):
        from_stripe(amount, currency)


@given(st.sampled_from(sorted(ZERO_DECIMAL | TWO_DECIMAL | THREE_DECIMAL)), st.integers(1, 10**9))
def test_both_ways_agree_for_every_currency(currency, minor):
    try:
        amount = to_stripe(Money(minor, currency))
    except NotTaken:
        assert currency == "MGA" or currency in THREE_DECIMAL
    else:
        assert from_stripe(amount, currency.lower()) == Money(minor, currency)


def test_every_currency_of_the_table_is_known_to_iso_4217():
    assert EXPONENTS.keys() >= ZERO_DECIMAL | TWO_DECIMAL | THREE_DECIMAL
    assert not ZERO_DECIMAL & TWO_DECIMAL
