"""What a postcode is, country by country."""

import pytest

from market.kernel import postcodes
from market.kernel.languages import country_codes
from market.kernel.postcodes import BadPostcode


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("10115", "DE", "10115"),
        ("d-10115", "DE", "10115"),
        ("١٠١١٥", "DE", "10115"),
        ("11122", "SE", "111 22"),
        ("1017ab", "NL", "1017 AB"),
        ("sw1a1aa", "GB", "SW1A 1AA"),
        ("m1 1ae", "GB", "M1 1AE"),
        ("d02 x285", "IE", "D02 X285"),
        ("k1a0b1", "CA", "K1A 0B1"),
        ("1010", "LV", "LV-1010"),
        ("1000205", "PT", "1000-205"),
        ("205001234", "US", "20500-1234"),
        ("any 1", "ET", "ANY 1"),
        ("", "AE", ""),
        ("", "DE", ""),
    ],
)
def test_a_postcode_is_kept_as_its_country_writes_it(typed, country, kept):
    assert postcodes.checked(typed, country) == kept


@pytest.mark.parametrize(
    ("typed", "country"),
    [("1", "DE"), ("101150", "DE"), ("1O115", "DE"), ("10115; x", "DE"), ("SW1A", "GB"), ("00000", "AE"), ("x" * 17, "ET")],
)
def test_another_text_is_refused(typed, country):
    with pytest.raises(BadPostcode):
        postcodes.checked(typed, country)


def test_it_is_needed_only_where_every_address_has_one():
    assert postcodes.checked("", "AE", needed=True) == postcodes.checked("", "ET", needed=True) == ""
    with pytest.raises(BadPostcode, match="12345"):
        postcodes.checked(" ", "DE", needed=True)


def test_every_example_is_a_postcode_of_its_country():
    shown = {country: postcodes.example(country) for country in country_codes()}
    assert all(not text or postcodes.checked(text, country) == text for country, text in shown.items())
    assert (shown["DE"], shown["AE"]) == ("12345", "")
