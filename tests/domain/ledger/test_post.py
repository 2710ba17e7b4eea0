from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import queries, service
from market.ledger.errors import KeyUsedDifferently, LimitExceeded, NotAMirror, PeriodClosed, UnknownAccount
from market.ledger.rules import Entry, Leg, legs
from tests.factories.producers import make_coop

DAY = date(2026, 11, 25)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


@pytest.fixture
def book(session) -> int:
    return service.book_of(session, make_coop(session).id)


def entry(book: int, key: str, *moves: tuple[str, str, int], on: date = DAY, **more) -> Entry:
    return Entry(book, "test", key, on, "test", tuple(Leg(debit, credit, eur(minor)) for debit, credit, minor in moves), **more)


PAID = (("card_clearing", "held:goods", 7200), ("card_clearing", "held:premium", 800))


def test_post_moves_money_and_balances_follow(session, book):
    service.post(session, [entry(book, "payment:1:paid", *PAID)])
    assert queries.balance(session, book, "card_clearing", "EUR") == eur(8000)
    assert queries.balance(session, book, "held:goods", "EUR") == eur(7200)
    assert queries.check(session) == []


def test_post_twice_is_one_fact(session, book):
    first = service.post(session, [entry(book, "payment:1:paid", *PAID)])
    assert service.post(session, [entry(book, "payment:1:paid", *PAID)]) == first
    assert queries.balance(session, book, "card_clearing", "EUR") == eur(8000)


def test_post_refuses_the_key_with_other_content(session, book):
    service.post(session, [entry(book, "payment:1:paid", *PAID)])
    with pytest.raises(KeyUsedDifferently), session.begin_nested():
        service.post(session, [entry(book, "payment:1:paid", ("card_clearing", "held:goods", 1))])


def test_post_refuses_to_overdraw_what_is_owed(session, book):
    with pytest.raises(LimitExceeded), session.begin_nested():
        service.post(session, [entry(book, "payout:1", ("payable:m1", "in_transit:sepa", 1))])


def test_post_needs_an_open_period(session, book):
    session.execute(text("UPDATE ledger_period SET state = 'closed' WHERE starts_on = '2026-01-01'"))
    with pytest.raises(PeriodClosed), session.begin_nested():
        service.post(session, [entry(book, "payment:1:paid", *PAID)])
    service.post(session, [entry(book, "payment:1:paid", *PAID, on=date(2027, 1, 1))])


def test_one_bad_entry_refuses_the_whole_batch(session, book):
    batch = [entry(book, "payment:1:paid", *PAID), entry(book, "payout:1", ("payable:m1", "in_transit:sepa", 1))]
    with pytest.raises(LimitExceeded), session.begin_nested():
        service.post(session, batch)
    assert queries.balance(session, book, "card_clearing", "EUR") == eur(0)


def test_a_batch_books_what_is_new_and_answers_in_its_order(session, book):
    (known,) = service.post(session, [entry(book, "payment:2:paid", *PAID)])
    batch = [entry(book, f"payment:{number}:paid", *PAID) for number in (3, 2, 1, 3)]
    third, second, first, again = service.post(session, batch)
    assert (second, again) == (known, third)
    assert len({first, second, third}) == 3
    assert queries.balance(session, book, "card_clearing", "EUR") == eur(3 * 8000)
    assert queries.check(session) == []


def test_a_key_with_two_contents_in_one_batch_is_refused(session, book):
    batch = [entry(book, "payment:1:paid", *PAID), entry(book, "payment:1:paid", ("card_clearing", "held:goods", 1))]
    with pytest.raises(KeyUsedDifferently), session.begin_nested():
        service.post(session, batch)


def test_a_reversal_mirrors_its_original_once(session, book):
    (original,) = service.post(session, [entry(book, "payment:1:paid", *PAID)])
    mirrored = [(credit, debit, minor) for debit, credit, minor in PAID]
    with pytest.raises(NotAMirror), session.begin_nested():
        service.post(session, [entry(book, "payment:1:undone", mirrored[0], reverses=original)])
    service.post(session, [entry(book, "payment:1:undone", *mirrored, reverses=original)])
    with pytest.raises(NotAMirror), session.begin_nested():
        service.post(session, [entry(book, "payment:1:again", *mirrored, reverses=original)])
    assert queries.check(session) == []


def test_an_account_outside_the_chart_is_refused(session, book):
    with pytest.raises(UnknownAccount):
        service.post(session, [entry(book, "x:1", ("pocket", "held:goods", 1))])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_posting SET amount_minor = 1",
        "DELETE FROM ledger_posting",
        "TRUNCATE ledger_posting",
        "UPDATE ledger_transaction SET note = NULL",
        "UPDATE ledger_balance SET debits_minor = 0",
        "INSERT INTO ledger_posting SELECT book_id, transaction_id, 9, debit_id, credit_id, currency, 1, NULL FROM ledger_posting LIMIT 1",
        "UPDATE ledger_account SET code = 'bank:9'",
        "ALTER TABLE ledger_posting DISABLE TRIGGER ALL",
    ],
)
def test_the_application_cannot_touch_the_books_directly(session, book, statement):
    service.post(session, [entry(book, "payment:1:paid", *PAID)])
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_posting SET amount_minor = 1",
        "DELETE FROM ledger_transaction",
        "TRUNCATE ledger_posting",
    ],
)
def test_not_even_the_owner_changes_history(session, book, statement):
    service.post(session, [entry(book, "payment:1:paid", *PAID)])
    session.execute(text("SET ROLE NONE"))
    with pytest.raises(DBAPIError, match=r"append-only|only added|refused"), session.begin_nested():
        session.execute(text(statement))


def test_check_finds_a_cache_that_differs(session, book):
    service.post(session, [entry(book, "payment:1:paid", *PAID)])
    session.execute(text("SET ROLE NONE"))
    session.execute(text("UPDATE ledger_balance SET debits_minor = debits_minor + 1 WHERE debits_minor > 0"))
    laws = {finding.law for finding in queries.check(session)}
    assert laws == {"balance = fold of postings", "debits = credits"}


def test_subject_balance_follows_one_thing(session, book):
    order, other = new_id(), new_id()
    moves = [("card_clearing", "held:goods", eur(500)), ("card_clearing", "held:premium", eur(0))]
    service.post(
        session,
        [
            Entry(book, "test", f"payment:{subject}:paid", DAY, "test", legs(*moves, subject=subject))
            for subject in (order, other)
        ],
    )
    assert [row.money for row in queries.subject_balance(session, book, "held:", order)] == [eur(500)]


def test_another_coop_sees_no_books(session, book):
    service.post(session, [entry(book, "payment:1:paid", *PAID)])
    stranger = make_coop(session)
    session.execute(text("SELECT set_config('market.scope', :scope, true)"), {"scope": str(stranger.id)})
    assert [coop for _, coop in queries.books(session)] == [stranger.id]
    assert session.execute(text("SELECT count(*) FROM ledger_posting")).scalar_one() == 0
