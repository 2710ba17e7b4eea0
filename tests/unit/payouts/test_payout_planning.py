"""Planning: where a payee can be paid, and why not."""

from dataclasses import replace

import pytest

from market.payouts.rules.planning import Details, why_not

SEPA = Details(
    account_id="1", rail="sepa", currency="EUR", holder="Ana Ruiz", iban="ES9121000418450200051332", town="Vigo", country="ES"
)


@pytest.mark.parametrize(
    ("details", "words"),
    [
        (None, "second person"),
        (replace(SEPA, currency="RWF"), "carries euros"),
        (replace(SEPA, iban="ES9121000418450200051333"), "check digits"),
        (replace(SEPA, iban="MU17BOMM0101101030300200000MUR"), "does not reach MU"),
        (replace(SEPA, holder="x" * 71), "1 to 70"),
        (replace(SEPA, holder="አበበ"), "Latin"),
        (replace(SEPA, town="x" * 36), "longer than"),
        (replace(SEPA, rail="stripe"), "acct_"),
    ],
)
def test_details_that_cannot_be_paid_to_say_why(details: Details | None, words: str) -> None:
    assert words in (why_not(details, "EUR") or "")


def test_good_details_need_no_words() -> None:
    assert why_not(SEPA, "EUR") is None
