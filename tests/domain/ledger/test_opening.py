"""Opening balances: read strictly, posted once, by two persons (E01)."""

from datetime import date

import pytest

from market.kernel.money import Money
from market.ledger import opening, queries
from market.ledger.service import book_of
from tests.factories.producers import make_coop

FILE = "account,currency,amount\nbank:1,EUR,50000.00\npayable:m1,EUR,120.50\nbank_charges,EUR,-3.00\n"
DAY = date(2026, 1, 1)


@pytest.fixture
def book(session):
    return book_of(session, make_coop(session).id)


def open_it(session, book, text=FILE, seen_by="Bo"):
    return opening.open_books(session, book, opening.read(text), on=DAY, by="Ada", seen_by=seen_by)


def test_balances_stand_as_they_were_handed_over(session, book):
    first = open_it(session, book)
    assert open_it(session, book) == first
    assert queries.balance(session, book, "bank:1", "EUR") == Money(5_000_000, "EUR")
    assert queries.balance(session, book, "payable:m1", "EUR") == Money(12_050, "EUR")
    assert queries.balance(session, book, "bank_charges", "EUR") == Money(-300, "EUR")
    assert queries.balance(session, book, "opening", "EUR") == Money(5_000_000 - 12_050 - 300, "EUR")
    assert queries.check(session) == []


def test_other_figures_for_an_opened_book_are_refused(session, book):
    open_it(session, book)
    with pytest.raises(opening.OpenedAlready):
        open_it(session, book, FILE.replace("50000.00", "50001.00"))


def test_one_person_is_not_two(session, book):
    with pytest.raises(opening.OpeningNeedsTwo):
        open_it(session, book, seen_by="Ada")


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("account;currency;amount\n", 1),
        ("account,currency,amount\n", 1),
        ("account,currency,amount\nno_such,EUR,1.00\n", 2),
        ("account,currency,amount\nbank:1,EUR,1.005\n", 2),
        ("account,currency,amount\nbank:1,XXQ,1.00\n", 2),
        ("account,currency,amount\nbank:1,EUR,1.00\nbank:1,EUR,1.00\n", 3),
        ("account,currency,amount\nopening,EUR,1.00\n", 2),
        ("account,currency,amount\nbank:main office,EUR,1.00\n", 2),
        ("account,currency,amount\nbank:1,EUR,10000000000000.01\n", 2),
    ],
    ids=["heads", "empty", "account", "digits", "currency", "twice", "counterpart", "signs", "beyond"],
)
def test_a_file_that_cannot_be_is_refused_with_its_row(text, row):
    with pytest.raises(opening.OpeningRefused) as refused:
        opening.read(text)
    assert refused.value.facts["row"] == row
