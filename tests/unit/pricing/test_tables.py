"""Reading price tables: the shipped file gives exactly its counts, and each bad row its code (fair-prices.md 9)."""

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import market.pricing
from market.pricing.errors import TableUnreadable
from market.pricing.rules import Packaging
from market.pricing.rules.tables import HEADS, FileFacts, ReadRow, read_table

SEED = Path(market.pricing.__file__).parent / "seed" / "fair_price_references.csv"
FACTS = FileFacts("project_seed_v1", "fairtrade")
GOOD = {
    "product": "coffee", "variety": "arabica", "form": "washed green", "origin": "worldwide", "scope": "SPO", "incoterm": "FOB",
    "currency": "USD", "unit": "lb", "quality": "conventional", "minimum_price": "1.80", "premium": "0.20", "valid_from": "2023-08-01",
    "source": "a table", "confidence": "high", "price_kind": "FMP", "premium_kind": "abs", "note": "",
}  # fmt: skip


def seed_file(*rows: dict[str, str]) -> bytes:
    heads = HEADS["project_seed_v1"]
    lines = [",".join(heads)] + [",".join(f'"{({**GOOD, **row})[head]}"' for head in heads) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def answers(today: date, *rows: dict[str, str]) -> list[ReadRow]:
    return read_table(seed_file(*rows), FACTS, on=today)


def test_the_shipped_table_gives_34_to_review_14_that_inform_and_17_that_could_block(today: date) -> None:
    rows = read_table(SEED.read_bytes(), FACTS, on=today)
    states = Counter(row.state for row in rows)
    assert (len(rows), states) == (65, {"needs_review": 34, "accepted": 31})
    accepted = [row for row in rows if row.state == "accepted"]
    assert Counter(row.only_informs for row in accepted) == {True: 14, False: 17}
    causes = Counter(code for row in rows for code in set(row.codes))
    assert (causes["E02"], causes["E16"], causes["E06"]) == (23, 11, 7)
    assert causes["E13"] == causes["E14"] == 0, "aliases for all its terms ship with it"
    kinds = Counter(row.values.price_kind for row in rows if row.values)
    assert kinds == {"FMP": 19, "LIRP": 15, "STATUTE": 12, "COMMERCIAL": 9, "PCT_INDEX": 7, "SPP_MIN": 2, "DIFFERENTIAL": 1}
    assert Counter(row.cells["confidence"] for row in rows) == {"high": 52, "medium": 10, "low": 3}


def test_reading_the_same_file_again_changes_nothing(today: date) -> None:
    first = read_table(SEED.read_bytes(), FACTS, on=today)
    held = [(row.row_hash, row.values) for row in first if row.values]
    assert {row.state for row in read_table(SEED.read_bytes(), FACTS, on=today, existing=held)} == {"unchanged"}


@pytest.mark.parametrize(
    ("change", "code", "state"),
    [
        ({"valid_from": "2018"}, "E02", "needs_review"),
        ({"valid_from": "2021-07"}, "E02", "needs_review"),
        ({"valid_from": "2021-02-30"}, "E02", "needs_review"),
        ({"minimum_price": "1.602"}, "E03", "needs_review"),
        ({"minimum_price": "1,80"}, "E03", "needs_review"),
        ({"minimum_price": "1000000000000"}, "E03", "needs_review"),
        ({"premium": "0.2000001"}, "E03", "needs_review"),
        ({"minimum_price": "-1.80"}, "E04", "rejected"),
        ({"minimum_price": "0"}, "E04", "rejected"),
        ({"premium": "-0.20"}, "E04", "rejected"),
        ({"currency": "ZZZ"}, "E05", "rejected"),
        ({"currency": ""}, "E05", "rejected"),
        ({"unit": "firkin"}, "E06", "rejected"),
        ({"unit": "box"}, "E06", "needs_review"),
        ({"minimum_price": ""}, "E07", "needs_review"),
        ({"valid_from": "2030-01-01"}, "E10", "accepted"),
        ({"confidence": "low"}, "E11", "accepted"),
        ({"confidence": "Sure"}, "E11", "needs_review"),
        ({"premium_kind": "pct_of_something"}, "E12", "rejected"),
        ({"product": "coffea"}, "E13", "needs_review"),
        ({"product": ""}, "E13", "needs_review"),
        ({"origin": ""}, "E13", "needs_review"),
        ({"price_kind": "FMPX"}, "E15", "rejected"),
        ({"form": "beans Living Income Differential (added to price)"}, "E15", "needs_review"),
        ({"incoterm": ""}, "E16", "needs_review"),
        ({"incoterm": "FOB Callao"}, "E16", "needs_review"),
        ({"price_kind": "GOV_FLOOR", "scope": "statutory"}, "E17", "accepted"),
        ({"note": "=1+1"}, "E18", "accepted"),
        ({"note": "a\x07bell"}, "E18", "rejected"),
    ],
)
def test_each_bad_row_gets_its_code(today: date, change: dict[str, str], code: str, state: str) -> None:
    (row,) = answers(today, change)
    assert code in row.codes
    assert row.state == state


def test_words_are_known_whatever_letters_are_capitals(today: date) -> None:
    plain, loud = (
        answers(today, {}),
        answers(today, {"incoterm": "fob", "price_kind": "fmp", "confidence": "High", "quality": "Conventional"}),
    )
    assert (loud[0].state, loud[0].codes, loud[0].values) == ("accepted", (), plain[0].values)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_file_is_read_as_spreadsheets_of_other_countries_write_it(today: date, mark: str) -> None:
    data = seed_file({}).decode().replace(",", mark).replace("\n", "\r\n") + mark * 16 + "\r\n\r\n"
    (row,) = read_table(b"\xef\xbb\xbf" + data.encode(), FACTS, on=today)
    assert (row.state, row.values) == ("accepted", answers(today, {})[0].values)


def test_a_commercial_row_without_minimum_is_accepted(today: date) -> None:
    (row,) = answers(today, {"minimum_price": "", "price_kind": "COMMERCIAL"})
    assert (row.state, row.notes) == ("accepted", ())


def test_the_same_key_and_day_is_unchanged_or_a_conflict(today: date) -> None:
    rows = answers(today, {}, {"source": "another", "note": "copy"}, {"minimum_price": "1.90", "source": "third"})
    assert [row.state for row in rows] == ["accepted", "unchanged", "conflict"]
    assert [row.codes for row in rows[1:]] == [("E08",), ("E08",)]


def test_implausible_rows_go_to_a_person(today: date) -> None:
    organic, doubled = {"quality": "organic", "minimum_price": "1.80"}, {"valid_from": "2024-08-01", "minimum_price": "3.61"}
    rows = answers(today, {}, organic, doubled, {"valid_from": "2025-08-01", "minimum_price": "1.80"})
    assert [("E14" in row.codes, row.state) for row in rows] == [
        (False, "accepted"),
        (True, "needs_review"),
        (True, "needs_review"),
        (True, "needs_review"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"product,price\ncoffee,1\n",
        b"\xff\xfe",
        seed_file({})[:-10],
        seed_file({}) + b"one,two\n",
        seed_file() + b"\r\n",
        seed_file({}) + b'"coffee,',
        seed_file({"note": "x" * 200_000}),
        seed_file({"note": "\x00"}),
    ],
    ids=["empty", "heads", "encoding", "cut off", "field count", "no rows", "open quote", "long field", "zero byte"],
)
def test_a_file_that_is_not_the_table_is_refused_whole(data: bytes) -> None:
    with pytest.raises(TableUnreadable) as refusal:
        read_table(data, FACTS, on=date(2026, 11, 25))
    assert refusal.value.facts["rule"] == "E01"


def test_a_declared_box_needs_no_review(today: date) -> None:
    boxes = {"box_43_lb": Packaging("box_43_lb", Decimal(43), "lb")}
    (row,) = read_table(seed_file({"unit": "box 43 lb"}), FACTS, on=today, packagings=boxes)
    assert row.state == "accepted"


def test_the_official_table_is_read_as_printed() -> None:
    heads = ",".join(HEADS["official_table_v1"])
    rows = (
        'Coffee,Coffee Arabica,washed green,,Conventional,Worldwide,FOB,,Pound,1,USD,"1,80","0,20",ICE C,01.08.2023',
        "Cocoa,Cocoa,liquor,,Conventional,Worldwide,FOB,(*),MT,1,USD,,300,,01.10.2019",
        "Herbs,Cocoa,beans,,Conventional,Worldwide,FOB,,MT,1,USD,,15%,,01.10.2019",
    )
    facts = FileFacts("official_table_v1", "fairtrade", source_name="Fairtrade table", decimal_mark=",", date_style="dmy")
    coffee, liquor, percent = read_table("\n".join([heads, *rows]).encode(), facts, on=date(2026, 11, 25))
    assert coffee.values is not None
    assert (coffee.state, coffee.values.variety, coffee.values.unit) == ("accepted", "arabica", "lb")
    assert (coffee.values.minimum_price, coffee.values.relevant_market) == (Decimal("1.80"), "ICE C")
    assert coffee.values.valid_from == date(2023, 8, 1)
    assert liquor.values is not None
    assert (liquor.codes, liquor.values.special_terms) == (("E09",), True)
    assert (percent.state, percent.codes) == ("rejected", ("E12",))
