"""Numbers of fields are read as people write them, and as pages draw them, in every language."""

from decimal import Decimal

import pytest

from market.kernel import languages, numbers

DRAWN = [Decimal(text) for text in ("1250", "12.345", "1.25", "0.125", "-6.034", "1234567.891", "7.000000")]


@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_what_a_field_was_drawn_with_comes_back_as_the_same(language):
    for value in DRAWN:
        assert numbers.written(languages.typed(value, language), languages.grouping(language)) == value


@pytest.mark.parametrize(
    ("text", "grouping", "value"),
    [
        ("12,5", ",", "12.5"), ("12.5", ".", "12.5"), ("1.250", ",", "1.25"), ("1,250", ".", "1.25"), ("0,250", ",", "0.25"),
        ("1 250", ",", "1250"), ("1\u202f250,5", "\u202f", "1250.5"), ("1,250.5", ".", "1250.5"), ("1.250,5", ",", "1250.5"),
        ("1,250,000", ".", "1250000"), ("1'250.5", ",", "1250.5"), ("١٬٢٥٠٫٥", ",", "1250.5"), ("٣", ",", "3"), ("2\u00a0\r\n", ",", "2"),
        ("\u200f-6.034", "", "-6.034"), ("12.0345", ".", "12.0345"),
    ],
)  # fmt: skip
def test_a_number_is_read_as_people_write_it(text, grouping, value):
    assert numbers.written(text, grouping) == Decimal(value)


@pytest.mark.parametrize(("text", "grouping"), [("1,250", ","), ("1.250", "."), ("١٬٢٥٠", ",")])
def test_thousands_or_decimals_is_asked_where_the_language_groups_so(text, grouping):
    with pytest.raises(numbers.Unclear) as refused:
        numbers.written(text, grouping)
    assert (refused.value.plain, refused.value.decimals) == ("1250", "1.2500")
    assert numbers.written(refused.value.plain, grouping) == 1250
    assert numbers.written(refused.value.decimals, grouping) == Decimal("1.25")


@pytest.mark.parametrize("text", ["", "many", "1,2,3", "1.25.00", "1e3", "NaN", "--2", "2 kg", "½", "9" * 16, "."])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match="is not a number"):
        numbers.written(text, ",")
