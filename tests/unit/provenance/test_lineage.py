"""Shares are exact, sum to one, and cost what the edges cost, not the paths."""

from decimal import Decimal
from fractions import Fraction
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.provenance.rules.lineage import Edge, LineageCycle, percentages, shares


def edge(event: str, source: str, target: str, quantity: str, **other: str) -> Edge:
    return Edge(
        event,
        source,
        target,
        Decimal(quantity),
        other.get("uom", "KGM"),
        Decimal(other.get("made", "1")),
        "KGM",
    )


def test_a_blend_of_480_and_520_is_twelve_and_thirteen_twenty_fifths() -> None:
    edges = [
        edge("wash", "ana", "parchment", "480"),
        edge("wash", "luz", "parchment", "520"),
        edge("hull", "parchment", "green", "196.5"),
        edge("roast", "green", "bag", "157.2"),
    ]
    assert shares("bag", edges) == {"ana": Fraction(12, 25), "luz": Fraction(13, 25)}


def test_a_lot_without_edges_is_its_own_origin() -> None:
    assert shares("ana", []) == {"ana": Fraction(1)}


def test_a_lot_filled_by_two_events_weighs_them_by_what_they_made() -> None:
    edges = [edge("one", "a", "x", "10", made="30"), edge("two", "b", "x", "99", made="10")]
    assert shares("x", edges) == {"a": Fraction(3, 4), "b": Fraction(1, 4)}


def test_mixed_units_have_no_shares() -> None:
    assert shares("x", [edge("e", "a", "x", "1"), edge("e", "b", "x", "1", uom="H87")]) is None


def test_a_cycle_is_named() -> None:
    with pytest.raises(LineageCycle, match="→"):
        shares("a", [edge("e", "b", "a", "1"), edge("f", "a", "b", "1")])


def test_twenty_levels_of_two_into_two_take_no_time() -> None:
    edges = [
        edge(f"e{level}{target}", f"{level + 1}{source}", f"{level}{target}", "3")
        for level in range(20)
        for target in "xy"
        for source in "xy"
    ]
    start = perf_counter()
    assert shares("0x", edges) == {"20x": Fraction(1, 2), "20y": Fraction(1, 2)}
    assert perf_counter() - start < 0.05


@given(st.dictionaries(st.integers(0, 20).map(str), st.decimals("0.001", "9999", places=3), min_size=1))
def test_shares_sum_to_one_and_percentages_to_a_hundred(inputs: dict[str, Decimal]) -> None:
    parts = shares("mix", [edge("e", name, "mix", str(q)) for name, q in inputs.items()])
    assert parts is not None
    assert sum(parts.values()) == 1
    rounded = percentages(parts)
    assert sum(rounded.values()) == 100
    assert all(abs(rounded[name] - parts[name] * 100) < 1 for name in parts)
