from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.kernel.money import EXPONENTS, Money, Unclear, allocate, round_half_up, total


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(any))
def test_allocate_loses_nothing_and_differs_by_at_most_one_unit(minor, weights):
    parts = allocate(Money(minor, "EUR"), weights)
    assert total(parts, "EUR") == Money(minor, "EUR")
    for part, weight in zip(parts, weights, strict=True):
        assert abs(Decimal(part.minor) - Decimal(minor) * weight / sum(weights)) < 1


def test_allocate_gives_ties_to_the_first():
    assert [part.minor for part in allocate(Money(100000, "EUR"), [1, 1, 1])] == [33334, 33333, 33333]


@pytest.mark.parametrize(("weights"), [[], [0], [-1, 2]])
def test_allocate_refuses_senseless_weights(weights):
    with pytest.raises(ValueError):
        allocate(Money(1, "EUR"), weights)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "EUR", 1250),
        ("-0.01", "EUR", -1),
        ("8.850", "EUR", 885),
        ("1000", "RWF", 1000),
        ("1.234", "KWD", 1234),
        ("5", "MGA", 500),
    ],
)
def test_parse_reads_plain_decimals(text, currency, minor):
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize("text", ["1,50", "1e3", "1.234", "", "NaN", "+1", "1 000", "٣"])
def test_parse_refuses_everything_else(text):
    with pytest.raises(ValueError):
        Money.parse(text, "EUR")


def test_money_refuses_floats_and_bools_and_mixed_currencies():
    with pytest.raises(TypeError):
        Money(1.0, "EUR")
    with pytest.raises(TypeError):
        Money(True, "EUR")
    with pytest.raises(ValueError):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(ValueError):
        Money(1, "XXX")


@given(st.sampled_from(sorted(EXPONENTS)), st.integers(-(10**15) + 1, 10**15 - 1))
def test_text_and_parse_are_inverse(currency, minor):
    amount = Money(minor, currency)
    assert Money.parse(amount.text.split()[0], currency) == amount


@pytest.mark.parametrize(("value", "whole"), [("0.5", 1), ("-0.5", -1), ("1.4999", 1), ("2.5", 3)])
def test_round_half_up_rounds_half_away_from_zero(value, whole):
    assert round_half_up(Decimal(value)) == whole


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "EUR", 1250), ("12,50", "EUR", 1250), ("12,5", "EUR", 1250), (" 12 ", "EUR", 1200), ("-3,20", "EUR", -320),
        ("1,250.00", "EUR", 125000), ("1.250,00", "EUR", 125000), ("1 250,00 €", "EUR", 125000), ("1'250.00 CHF", "CHF", 125000),
        ("1.250.000", "EUR", 125000000), ("12.345,6", "EUR", 1234560), ("1,234,567", "UGX", 1234567), ("12.500", "UGX", 12500), ("1.250", "TND", 1250),
        ("١٢٫٥٠", "EUR", 1250), ("१२.५०", "EUR", 1250), ("−12,50", "EUR", -1250), ("1\u202f250,00", "EUR", 125000),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_people_write_it(text, currency, minor):
    assert Money.written(text, currency).minor == minor


@pytest.mark.parametrize(
    ("text", "currency", "plain", "decimals"),
    [("1.250", "EUR", "1250", "1.25"), ("-12,345 €", "EUR", "-12345", "-12.34"), ("١٬٢٥٠", "SAR", "1250", "1.25"), ("1.250", "CLF", "1250", "1.2500")],
)  # fmt: skip
def test_thousands_or_decimals_is_asked_and_never_guessed(text, currency, plain, decimals):
    with pytest.raises(Unclear) as refused:
        Money.written(text, currency)
    assert (refused.value.plain, refused.value.decimals) == (plain, decimals)
    assert Money.written(plain, currency) == refused.value.thousands
    assert Money.written(decimals, currency) != refused.value.thousands


@pytest.mark.parametrize("text", ["", "1,2,3", "0,250", "abc", "1.25.00", "12,50 USD", "1e3", "--2"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError):
        Money.written(text, "EUR")
