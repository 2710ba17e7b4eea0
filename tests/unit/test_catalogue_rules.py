"""Search words, typing errors, states and steps of the catalogue: pure."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.catalogue import rules
from market.catalogue.rules import Filters, Group

WORD = st.text(alphabet="abcde", min_size=4, max_size=9)
LETTER = st.sampled_from("abcdez")


def test_words_fold_accents_and_case_and_drop_single_letters() -> None:
    assert rules.words("Café de Đắk Lắk, a 2024 CAFÉ") == ["cafe", "de", "dak", "lak", "2024"]


def test_query_words_stop_at_six() -> None:
    assert len(rules.query_words("one two three four five six seven")) == 6


@pytest.mark.parametrize(
    ("word", "other", "near"),
    [
        ("cocoa", "cocoa", True),
        ("cocoa", "coco", True),
        ("cocoa", "cocova", True),
        ("cocoa", "cacoa", True),
        ("cocoa", "ccooa", True),
        ("cocoa", "coffee", False),
        ("cocoa", "coca", True),
        ("cocoa", "aococ", False),
        ("", "ab", False),
    ],
)
def test_within_one_error(word: str, other: str, near: bool) -> None:
    assert rules.within_one_error(word, other) is near
    assert rules.within_one_error(other, word) is near


@given(WORD, st.integers(0, 8), LETTER, st.sampled_from(["drop", "add", "change", "swap"]))
def test_a_word_with_one_typing_error_shares_a_spelling_with_it(word: str, at: int, letter: str, kind: str) -> None:
    at %= len(word)
    typed = {
        "drop": word[:at] + word[at + 1 :],
        "add": word[:at] + letter + word[at:],
        "change": word[:at] + letter + word[at + 1 :],
        "swap": word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    }[kind]
    assert rules.within_one_error(word, typed)
    if len(typed) >= 4:
        assert set(rules.spellings(word)) & set(rules.spellings(typed))


def test_filters_and_words_never_meet() -> None:
    terms = rules.listing_terms(
        texts=["Category coffee"], category="coffee", coop="c", certificates=["Fairtrade"], currency="EUR"
    )
    assert terms == ["#all", "#category:coffee", "#certificate:fairtrade", "#coop:c", "#currency:eur", "category", "coffee"]
    assert Filters().exact_terms == ["#all"]
    assert Filters(category="coffee", certificate="Fairtrade").exact_terms == ["#category:coffee", "#certificate:fairtrade"]


def test_the_rarest_group_is_walked_first() -> None:
    rare, common, everywhere, several = Group(("a",), 2), Group(("b",), 9), Group(("c",), 90), Group(("d", "e"), 5)
    one, gathered, each = rules.Walk.ONE, rules.Walk.GATHERED, rules.Walk.EACH
    assert rules.plan([common, rare]) == rules.Plan(rare, one, common, [])
    assert rules.plan([everywhere, rare]) == rules.Plan(rare, one, None, [everywhere])
    assert rules.plan([everywhere, several, rare, common]) == rules.Plan(rare, one, common, [several, everywhere])
    assert rules.plan([common, several]) == rules.Plan(several, gathered, common, [])
    assert rules.plan([several]) == rules.Plan(several, each, None, [])
    many, more = Group(("f", "g"), 4000), Group(("h",), 5000)
    assert rules.plan([more, many]) == rules.Plan(many, each, None, [more])


def test_next_state() -> None:
    assert rules.next_state("draft", "publish") == "published"
    assert rules.next_state("draft", "withdraw") is None
    assert rules.next_state("withdrawn", "publish") == "published"


@pytest.mark.parametrize(
    ("quantity", "step", "fine"), [("0.5", "0.25", True), ("0.3", "0.25", False), ("0", "1", False), ("-1", "1", False)]
)
def test_is_orderable(quantity: str, step: str, fine: bool) -> None:
    assert rules.is_orderable(Decimal(quantity), Decimal(step)) is fine


def test_ordered_wants_adds_up_per_lot_in_lock_order() -> None:
    a, b = UUID(int=1), UUID(int=2)
    assert rules.ordered_wants([(b, Decimal(1)), (a, Decimal(2)), (b, Decimal(3))]) == [(a, Decimal(2)), (b, Decimal(4))]
