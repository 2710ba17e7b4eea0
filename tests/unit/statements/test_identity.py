"""When two lines are the same line, and what does not add up (money.md 7.1)."""

from dataclasses import replace
from datetime import date

from market.statements.rules.identity import line_key, occurrences
from market.statements.rules.shapes import Balance, Line, Statement, Totals
from market.statements.rules.sums import check_chain, check_sums

COFFEE = Line(0, 1, 1, date(2026, 4, 7), date(2026, 4, 7), -450, "EUR", "BOOK", text="Card payment  CITY COFFEE")


def test_equal_texts_give_one_key_whatever_their_spacing_and_position() -> None:
    again = replace(COFFEE, n=9, statement=3, source_line=77, text="card payment city coffee")
    assert line_key(again) == line_key(COFFEE)


def test_amount_day_or_text_make_another_key() -> None:
    others = [
        replace(COFFEE, amount_minor=450),
        replace(COFFEE, booked_on=date(2026, 4, 8)),
        replace(COFFEE, currency="CHF"),
        replace(COFFEE, text="tea"),
    ]
    assert len({line_key(line) for line in (COFFEE, *others)}) == 5


def test_the_banks_own_id_counts_more_than_the_text() -> None:
    one, two = replace(COFFEE, bank_ref="A1"), replace(COFFEE, bank_ref="A1", text="other words")
    assert line_key(one) == line_key(two) != line_key(replace(COFFEE, bank_ref="A2"))


def test_a_running_balance_tells_equal_lines_apart_where_the_bank_gives_no_id() -> None:
    one, two = (replace(COFFEE, running_minor=minor) for minor in (1000, 550))
    assert line_key(one) != line_key(two)
    assert line_key(replace(one, bank_ref="A1")) == line_key(replace(two, bank_ref="A1"))


def test_two_coffees_are_two_lines_and_an_overlap_adds_none() -> None:
    key, tea = line_key(COFFEE), line_key(replace(COFFEE, text="tea"))
    assert list(occurrences([key, tea, key], {})) == [1, 1, 2]
    assert list(occurrences([key, key], {})) == [1, 2]  # an overlapping file starts again: the same two
    assert list(occurrences([key], {key: 2})) == [3]  # a file that continues counts on


def test_sums_are_checked_and_a_miss_waits_for_a_person() -> None:
    statement = Statement(0, account="DE1", currency="EUR", currencies={"EUR"})
    statement.opening, statement.closing = Balance(100, "EUR", None), Balance(160, "EUR", None)
    statement.booked["EUR"] = Totals(1, 50, 0, 0)
    (finding,) = check_sums(statement)
    assert finding.code == "does_not_close"
    assert finding.hold
    assert "0.10 EUR" in finding.text


def test_a_gap_to_the_previous_statement_is_found() -> None:
    statement = Statement(0, account="DE1", currency="EUR", opening=Balance(100, "EUR", None))
    assert check_chain(statement, Balance(100, "EUR", None)) == [] == check_chain(statement, None)
    assert check_chain(statement, Balance(90, "EUR", None))[0].code == "does_not_continue"
