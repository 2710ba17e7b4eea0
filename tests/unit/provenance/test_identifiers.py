"""Slugs catch typing errors; URIs of ours are known from those of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.provenance.rules.identifiers import (
    ALPHABET,
    IdHost,
    canonical_slug,
    gtin_is_sound,
    slug_of,
)

HOST = IdHost("https://id.market.example")
SLUGS = st.integers(0, 2**50 - 1).map(slug_of)


@pytest.mark.parametrize("slug", ["h3yfcy7mts7", "szeh0vxkbcs", "rf8y2sqmgc8", "zab5rrb146j"])
def test_slugs_of_the_worked_chain_are_sound(slug: str) -> None:
    assert canonical_slug(slug) == slug


@given(SLUGS, st.integers(0, 10), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_caught(slug: str, place: int, letter: str) -> None:
    typed = slug[:place] + letter + slug[place + 1 :]
    assert canonical_slug(typed) == (slug if typed == slug else None)


@given(SLUGS)
def test_a_slug_is_read_in_any_case_and_with_letters_for_digits(slug: str) -> None:
    assert canonical_slug(slug.upper()) == slug
    assert canonical_slug(slug.replace("0", "O").replace("1", "l")) == slug


@pytest.mark.parametrize("text", ["", "h3yfcy7mts", "h3yfcy7mts77", "h3yfcy7mt/7", "h3yfcy7mtsé"])
def test_other_texts_are_no_slug(text: str) -> None:
    assert canonical_slug(text) is None


@pytest.mark.parametrize("entropy", [-1, 2**50])
def test_a_slug_needs_fifty_bits(entropy: int) -> None:
    with pytest.raises(ValueError, match="50 bits"):
        slug_of(entropy)


def test_uris_of_ours_are_taken_apart_and_others_left_alone() -> None:
    uri = HOST.uri("class", "h3yfcy7mts7")
    assert uri == "https://id.market.example/id/class/h3yfcy7mts7"
    assert HOST.parse(uri) == ("class", "h3yfcy7mts7")
    assert HOST.parse(uri.replace("h3yf", "H3YF")) == ("class", "h3yfcy7mts7")
    assert HOST.parse("https://id.market.example/id/class/h3yfcy7mts8") is None
    assert HOST.parse("https://id.market.example.evil/id/class/h3yfcy7mts7") is None
    assert not HOST.names("https://id.market.example.evil/id/class/h3yfcy7mts7")
    with pytest.raises(ValueError, match="no kind"):
        HOST.uri("lot", "h3yfcy7mts7")


def test_gtins_carry_a_check_digit() -> None:
    assert gtin_is_sound("09521141012345")
    assert not gtin_is_sound("09521141012346")
    assert not gtin_is_sound("0952")
    assert not gtin_is_sound("0952114101234x")
