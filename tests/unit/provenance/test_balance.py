"""Nothing is taken that was not made; the worked coffee chain balances and its shares are known."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from market.provenance.rules.balance import Balance, Book, Effects, Line, effects_of, yield_faults
from market.provenance.rules.events import our_fields
from market.provenance.rules.faults import ROOT, Fault
from market.provenance.rules.identifiers import IdHost
from market.provenance.rules.lineage import Edge, shares
from market.provenance.rules.reading import read_json
from market.provenance.rules.schema import events_of
from market.provenance.rules.yields import YIELDS

HOST = IdHost("https://id.market.example")
CHAIN = Path(__file__).parents[4] / "shared" / "data" / "epcis" / "coffee_chain.json"


def line(lot: str, quantity: str, uom: str = "KGM") -> Line:
    return Line(lot, Decimal(quantity), uom, (ROOT, lot))


def book(*lots: Balance) -> Book:
    return Book({lot.uri: lot for lot in lots})


def codes(faults: list[Fault]) -> list[str]:
    return [fault.code for fault in faults]


def test_the_last_kilo_can_be_taken_once() -> None:
    ours = book(Balance("a", "KGM", Decimal(1)))
    take = Effects(taken=(line("a", "1"),), made=(line("b", "1"),))
    assert ours.check(take) == []
    ours.apply(take)
    assert codes(ours.check(take)) == ["lineage.overdrawn"]
    assert ours.lots["b"].left == 1
    assert ours.overdrawn() == []


def test_two_lines_of_one_lot_count_together() -> None:
    take = Effects(taken=(line("a", "0.6"), line("a", "0.6")))
    assert codes(book(Balance("a", "KGM", Decimal(1))).check(take)) == ["lineage.overdrawn"]


@pytest.mark.parametrize(
    ("effects", "code"),
    [
        (Effects(made=(line("sealed", "1"),)), "lineage.sealed"),
        (Effects(made=(line("open", "1", "GRM"),)), "lineage.unit"),
        (Effects(taken=(line("open", "1", "GRM"),)), "lineage.unit"),
        (Effects(taken=(line("nobody", "1"),)), "lineage.unknown_lot"),
        (Effects(named=(line("nobody", "1"),)), "lineage.unknown_lot"),
        (Effects(taken=(line("open", "1"),), made=(line("open", "1"),)), "lineage.cycle"),
    ],
)
def test_refusals_about_lots(effects: Effects, code: str) -> None:
    ours = book(Balance("sealed", "KGM", Decimal(9), sealed=True), Balance("open", "KGM", Decimal(9)))
    assert codes(ours.check(effects)) == [code]


def test_a_declared_error_is_taken_back_and_a_shortage_shows() -> None:
    made = Effects(made=(line("a", "5"),))
    ours = book(Balance("a", "KGM", Decimal(5), drawn=Decimal(3)))
    ours.reverse(made)
    assert ours.overdrawn() == ["a"]
    ours.apply(Effects(made=(line("a", "4"),)))
    assert ours.overdrawn() == []


@pytest.mark.parametrize(
    ("fields", "inputs", "outputs", "rules"),
    [
        ({"processType": "roasted"}, [("100", "KGM")], [("84", "KGM")], []),
        ({"processType": "roasted"}, [("100", "KGM")], [("95", "KGM")], ["H5"]),
        ({"processType": "roasted"}, [("100", "KGM")], [("10", "KGM")], ["W3"]),
        ({}, [("100", "KGM")], [("100.5", "KGM")], ["H5"]),
        ({}, [("10", "H87")], [("11", "H87")], ["H5"]),
        ({}, [("100", "KGM")], [("9", "H87")], ["W3"]),
        ({"netContent": "0.250", "netContentUom": "KGM"}, [("1", "KGM")], [("4", "H87")], []),
        ({"netContent": "250", "netContentUom": "GRM"}, [("1", "KGM")], [("5", "H87")], ["H5"]),
        ({"netContent": "much", "netContentUom": "KGM"}, [("1", "KGM")], [("4", "H87")], ["W3"]),
    ],
)
def test_yields(
    fields: dict[str, str],
    inputs: list[tuple[str, str]],
    outputs: list[tuple[str, str]],
    rules: list[str],
) -> None:
    effects = Effects(
        taken=tuple(line("a", *side) for side in inputs),
        made=tuple(line("b", *side) for side in outputs),
    )
    assert [fault.rule for fault in yield_faults(effects, ROOT, fields, YIELDS)] == rules


def test_the_coffee_chain_balances_and_its_shares_are_12_and_13_of_25() -> None:
    if not CHAIN.is_file():
        pytest.skip("../shared/data/epcis is absent: no worked chain")
    document = read_json(CHAIN.read_bytes())
    path, events = events_of(document)
    ours, edges = Book({}), []
    for index, event in enumerate(events):
        if "errorDeclaration" in event:
            continue
        effects = effects_of(event, (path, index), HOST)
        fields = our_fields(event, document["@context"], HOST)
        assert ours.check(effects) == []
        assert yield_faults(effects, ROOT, fields, YIELDS) == []
        ours.apply(effects)
        edges += edges_of(event, effects)
    parts = shares(HOST.uri("class", "rf8y2sqmgc8"), edges)
    assert parts == {
        HOST.uri("class", "h3yfcy7mts7"): Fraction(12, 25),
        HOST.uri("class", "szeh0vxkbcs"): Fraction(13, 25),
    }
    assert ours.overdrawn() == []
    assert ours.lots[HOST.uri("class", "rf8y2sqmgc8")].produced == 528


def edges_of(event: dict[str, Any], effects: Effects) -> list[Edge]:
    return [
        Edge(event["eventID"], i.lot, o.lot, i.quantity, i.uom, o.quantity, o.uom) for i in effects.taken for o in effects.made
    ]
