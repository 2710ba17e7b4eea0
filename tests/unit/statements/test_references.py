"""References as payers write them (money.md 5, 8.1)."""

import pytest

from market.kernel.references import Kind, parse, reference
from market.statements.rules.references import find_references

REFERENCE = reference(Kind.PAYMENT, 4711)


def test_the_example_of_the_design_is_made_and_read() -> None:
    assert parse(REFERENCE)
    assert REFERENCE.endswith("1000004711")


@pytest.mark.parametrize(
    "written",
    [
        REFERENCE,
        REFERENCE.lower(),
        " ".join(REFERENCE[at : at + 4] for at in range(0, 14, 4)),
        f"order {REFERENCE[:6]}-{REFERENCE[6:]} thanks",
        f"first line {REFERENCE[:5]}\n{REFERENCE[5:]} second line",
        f"{REFERENCE[:1]}\n{REFERENCE[1:]}",
        f"EREF+{REFERENCE}",
    ],
)
def test_a_reference_is_found_however_it_is_written(written: str) -> None:
    assert find_references("nothing here", written) == (REFERENCE,)


def test_every_wrong_digit_and_every_swap_is_refused() -> None:
    for at in range(2, 14):
        for digit in "0123456789":
            wrong = REFERENCE[:at] + digit + REFERENCE[at + 1 :]
            assert (find_references(wrong) == (REFERENCE,)) == (wrong == REFERENCE)
    for one in range(2, 14):
        for other in range(one + 1, 14):
            digits = list(REFERENCE)
            digits[one], digits[other] = digits[other], digits[one]
            swapped = "".join(digits)
            assert swapped == REFERENCE or not parse(swapped)


def test_several_references_are_found_once_each() -> None:
    second = reference(Kind.PAYOUT, 12)
    assert find_references(f"{REFERENCE} and {second}", REFERENCE) == (REFERENCE, second)


def test_cut_and_foreign_references_are_not_ours() -> None:
    assert find_references(REFERENCE[:13], "RF18539007547034", "RF18 5390 0754 7034", "") == ()
