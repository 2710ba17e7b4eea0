"""The reference of a payout: known values, and every single slip of the pen is caught."""

import pytest

from market.payouts.rules.numbers import LARGEST, payout_number, reference_of, run_number, shown


def remainder(reference: str) -> int:
    return int(reference[4:] + "2715" + reference[2:4]) % 97


def test_the_reference_has_the_check_digits_of_iso_11649() -> None:
    assert reference_of(471) == "RF982000000471"
    assert all(remainder(reference_of(number)) == 1 for number in (1, 471, 999, 123_456_789, LARGEST))


def test_every_wrong_digit_and_every_swap_changes_the_check() -> None:
    reference = reference_of(123_456_789)
    for place in range(4, 14):
        for digit in "0123456789":
            changed = reference[:place] + digit + reference[place + 1 :]
            assert changed == reference or remainder(changed) != 1
    for one in range(4, 14):
        for other in range(one + 1, 14):
            letters = list(reference)
            letters[one], letters[other] = letters[other], letters[one]
            assert "".join(letters) == reference or remainder("".join(letters)) != 1


@pytest.mark.parametrize("number", [0, -1, LARGEST + 1])
def test_a_number_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="payout number"):
        reference_of(number)


def test_numbers_are_short_enough_for_a_bank_and_readable() -> None:
    assert (payout_number(471), run_number(7), shown("RF982000000471")) == ("PO-000000471", "RUN-000007", "RF98 2000 0004 71")
