"""RF creditor references: every slip of the pen is caught."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.kernel.references import NUMBERS, Kind, grouped, parse, reference

KINDS, NUMBER = st.sampled_from(Kind), st.integers(1, NUMBERS - 1)


def test_the_reference_of_the_design_page():
    assert reference(Kind.PAYMENT, 4711) == "RF261000004711"
    assert grouped("RF261000004711") == "RF26 1000 0047 11"
    assert parse(" rf26 1000-0047 11 ") == (Kind.PAYMENT, 4711)


@given(KINDS, NUMBER)
def test_what_is_written_is_read(kind, number):
    assert parse(grouped(reference(kind, number)).lower()) == (kind, number)


@given(KINDS, NUMBER, st.integers(2, 13), st.integers(1, 9))
def test_every_wrong_digit_is_caught(kind, number, place, shift):
    right = reference(kind, number)
    wrong = right[:place] + str((int(right[place]) + shift) % 10) + right[place + 1 :]
    assert parse(wrong) is None


@given(KINDS, NUMBER, st.integers(2, 13), st.integers(2, 13))
def test_every_swap_of_two_digits_is_caught(kind, number, first, second):
    digits = list(reference(kind, number))
    if digits[first] != digits[second]:
        digits[first], digits[second] = digits[second], digits[first]
        assert parse("".join(digits)) is None


@pytest.mark.parametrize("text", ["", "RF26", "RF2610000047111", "XX261000004711", "RF266000004711", "RF٢٦1000004711"])
def test_what_is_no_reference_of_ours_is_none(text):
    assert parse(text) is None


@pytest.mark.parametrize("number", [0, -1, NUMBERS])
def test_numbers_beyond_nine_digits_are_refused(number):
    with pytest.raises(ValueError, match="nine digits"):
        reference(Kind.PAYOUT, number)
