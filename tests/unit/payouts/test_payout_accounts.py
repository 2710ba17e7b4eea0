"""Bank details: each refusal names the wrong part."""

import pytest

from market.payouts.errors import DetailsRefused
from market.payouts.rules.accounts import check_bank_account, masked


def test_a_valid_account_comes_back_compact() -> None:
    account = check_bank_account(iban="de89 3704 0044 0532 0130 00", bic="cobadeffxxx")
    assert (account.iban, account.country, account.bic, account.in_sepa) == (
        "DE89370400440532013000",
        "DE",
        "COBADEFFXXX",
        True,
    )


@pytest.mark.parametrize(
    ("iban", "bic", "words"),
    [
        ("", None, "missing"),
        (None, None, "missing"),
        ("DE89370400440532013001", None, "check digits"),
        ("DE8937040044053201300", None, "number of characters"),
        ("XX89370400440532013000", None, "two letters of a country"),
        ("DE8937040044053201300A", None, "form"),
        ("DE89370400440532013000", "COBADEF", "8 or 11"),
        ("DE89370400440532013000", "BNPAFRPP", "belongs to FR"),
    ],
)
def test_a_wrong_account_is_refused_in_words(iban: str | None, bic: str | None, words: str) -> None:
    with pytest.raises(DetailsRefused, match=words):
        check_bank_account(iban=iban, bic=bic)


def test_an_account_outside_sepa_is_valid_but_marked() -> None:
    assert not check_bank_account(iban="MU17BOMM0101101030300200000MUR", bic=None).in_sepa


def test_a_masked_account_shows_its_ends_only() -> None:
    assert masked("DE89370400440532013000") == "DE89 … 3000"
    assert masked("DE89") == "…"
