"""Booking a set that never leaves the database keeps the laws of `post`."""

from datetime import date

import pytest
from sqlalchemy import BigInteger, Integer, Text, Uuid, column, select, text, values
from sqlalchemy.exc import IntegrityError

from market.kernel.ids import derived_id
from market.kernel.money import Money
from market.ledger import queries, service
from market.ledger.errors import KeyUsedDifferently, LimitExceeded, PeriodClosed
from market.ledger.rules import Entry, Leg
from tests.factories.producers import make_coop

DAY = date(2026, 11, 25)


@pytest.fixture
def book(session) -> int:
    return service.book_of(session, make_coop(session).id)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def moves(*rows: tuple[str, int, str, str, int]):
    names = {
        "key": Text,
        "n": Integer,
        "debit": Text,
        "credit": Text,
        "currency": Text,
        "amount_minor": BigInteger,
        "subject": Uuid,
    }
    given = values(*(column(name, kind) for name, kind in names.items()), name="given")
    return select(given.data([(key, n, debit, credit, "EUR", minor, derived_id(key)) for key, n, debit, credit, minor in rows]))


def post(session, book, *rows, on=DAY) -> int:
    return service.post_selected(session, book_id=book, kind="test", on=on, actor="test", moves=moves(*rows))


TWO = (
    ("t:1", 1, "card_clearing", "held:goods", 7200),
    ("t:1", 2, "card_clearing", "held:premium", 800),
    ("t:2", 1, "card_clearing", "held:goods", 5),
)


def test_a_set_is_booked_as_its_entries_would_be_and_only_once(session, book):
    assert post(session, book, *reversed(TWO)) == 2
    legs = tuple(Leg(debit, credit, eur(minor), derived_id(key)) for key, _, debit, credit, minor in TWO if key == "t:1")
    (old,) = service.post(session, [Entry(book, "test", "t:1", DAY, "test", legs)])
    assert [(leg.debit, leg.credit) for leg in queries.legs_of(session, book, old)] == [(leg.debit, leg.credit) for leg in legs]
    assert post(session, book, *TWO, ("t:3", 1, "bank:1", "held:goods", 1)) == 3
    assert queries.balance(session, book, "card_clearing", "EUR") == eur(8005)
    assert session.scalar(text("SELECT count(*) FROM ledger_transaction WHERE book_id = :book"), {"book": book}) == 3
    assert queries.check(session) == []


def test_an_empty_set_books_nothing(session, book):
    assert post(session, book, ("t:0", 1, "bank:1", "held:goods", 1)) == 1
    empty = moves(*TWO).where(text("false"))
    assert service.post_selected(session, book_id=book, kind="test", on=DAY, actor="test", moves=empty) == 0


def test_a_set_keeps_the_laws(session, book):
    post(session, book, *TWO)
    with pytest.raises(KeyUsedDifferently), session.begin_nested():
        post(session, book, ("t:1", 1, "card_clearing", "held:goods", 1))
    with pytest.raises(LimitExceeded), session.begin_nested():
        post(session, book, ("t:4", 1, "bank:1", "held:goods", 1), ("t:5", 1, "payable:m1", "in_transit:sepa", 1))
    with pytest.raises(PeriodClosed), session.begin_nested():
        post(session, book, ("t:6", 1, "bank:1", "held:goods", 1), on=date(1999, 1, 1))
    assert queries.check(session) == []


def test_an_entry_without_a_posting_is_refused(session, book):
    with pytest.raises(IntegrityError, match="no posting"), session.begin_nested():
        service.post(session, [Entry(book, "test", "t:1", DAY, "test", ())])
