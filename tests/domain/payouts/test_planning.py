"""Planning by sets: one payout per payee and currency, nobody forgotten, claims netted within their cap."""

from datetime import date

import pytest
from sqlalchemy import text

from market.kernel.money import Money
from market.ledger import service as ledger
from market.ledger.rules import Entry, legs
from market.payouts import queries, service
from market.payouts.errors import NothingToPay
from tests.conftest import NOW
from tests.factories.payouts import approved_run, make_run, only_payout, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer


@pytest.fixture
def coop(session):
    return make_coop(session)


def payee(session, coop, **account):
    producer = make_producer(session, coop=coop)
    make_payee_account(session, producer=producer, **account)
    return producer


def claim(session, producer, minor: int) -> None:
    """The producer owes the co-op `minor` after a refund (E20)."""
    moves = legs((f"claim:{producer.id}", "refund_payable", Money(minor, "EUR")))
    book = ledger.book_of(session, producer.coop_id)
    ledger.post(session, [Entry(book, "test", f"claim:{producer.id}", date(2026, 11, 20), "test", moves)])


CASH = {"rail": "cash", "iban": None, "bic": None}


def test_every_payable_is_in_exactly_one_place_and_no_money_is_lost(session, coop):
    people = [payee(session, coop), payee(session, coop, **CASH), make_producer(session, coop=coop)]
    bad = payee(session, coop, iban="DE02120300000000202052")
    amounts = {owe(session, person, 100 + n).id: 100 + n for person in (*people, bad) for n in range(5)}
    run = make_run(session, coop.id)
    rows = queries.payouts_of_run(session, run.id).items
    assert [row.payee_id for row in rows] == sorted(person.id for person in people[:2])
    inside = [one for row in rows for one in queries.items(session, row.id)]
    assert len(dict(inside)) == len(inside) == 10
    assert all(amounts[payable] == minor for payable, minor in inside)
    assert {row.payee_id for row in run.skipped} == {people[2].id, bad.id}
    assert [row.money.minor for row in run.skipped] == [510, 510]
    assert {total.rail: (total.count, total.money.minor) for total in run.totals} == {"cash": (1, 510), "sepa": (1, 510)}
    assert session.scalar(text("SELECT count(*) FROM payable WHERE state = 'open'")) == 10


def test_a_preview_says_what_the_run_then_does_and_writes_nothing(session, coop):
    owed, poor = payee(session, coop), make_producer(session, coop=coop)
    owe(session, owed, 500), owe(session, poor, 7), claim(session, owed, 30)
    preview = service.preview_run(session, coop_id=coop.id, due_by=NOW.date())
    assert session.scalar(text("SELECT count(*) FROM payout")) == 0
    run = make_run(session, coop.id)
    assert list(run.skipped) == preview.skipped
    assert [(one.rail, one.count, one.money) for one in run.totals] == [
        (one.rail, one.count, one.money) for one in preview.totals
    ]
    assert preview.totals[0].deducted.minor == 30


@pytest.mark.parametrize(("owed", "deducted"), [(30, 30), (50, 50), (720, 50)])
def test_a_claim_is_netted_up_to_half_and_booked_with_the_payout(session, coop, owed, deducted):
    producer = payee(session, coop)
    owe(session, producer, 101), claim(session, producer, owed)
    run = approved_run(session, coop.id)
    row = only_payout(session, run)
    assert (row.deducted.minor, row.money.minor) == (deducted, 101 - deducted)
    assert session.scalar(text("SELECT count(*) FROM ledger_posting WHERE subject = :id"), {"id": row.id}) == 2
    session.flush()
    assert queries.check(session) == []


def test_when_nobody_can_be_paid_there_is_no_run_and_it_says_why(session, coop):
    owe(session, make_producer(session, coop=coop))
    with pytest.raises(NothingToPay, match="second person"), session.begin_nested():
        make_run(session, coop.id)
    assert session.scalar(text("SELECT count(*) FROM payable WHERE state = 'open'")) == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE payee_account SET country = 'FR'",
        "UPDATE payee_account SET holder = 'Eva'",
        "UPDATE payee_account SET town = 'Vigo'",
    ],
)
def test_the_fingerprint_changes_with_anything_that_a_person_approves(session, coop, change):
    owe(session, payee(session, coop))
    prints = []
    for statement in (None, None, change):
        if statement:
            session.execute(text(statement))
        nested = session.begin_nested()
        prints.append(make_run(session, coop.id).list_sha256)
        nested.rollback()
        session.expire_all()
    assert prints[0] == prints[1] != prints[2]
