"""What is owed: one row per source, split instead of edited, taken by one run only."""

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from market.kernel.ids import new_id
from market.kernel.money import Money
from market.payables import queries, service
from market.payables.errors import AlreadyOnItsWay, NotAboveZero, PayableNotFound, RaisedDifferently
from tests.factories.payouts import owe
from tests.factories.producers import make_producer

DAY = date(2026, 11, 20)


@pytest.fixture
def producer(session):
    return make_producer(session)


def test_the_same_source_is_owed_once(session, producer):
    source = new_id()
    first = owe(session, producer, source_id=source)
    assert owe(session, producer, source_id=source) == first
    assert len(queries.open_payables(session, producer.coop_id)) == 1


def test_another_amount_for_the_same_source_is_refused(session, producer):
    source = new_id()
    owe(session, producer, 100, source_id=source)
    with pytest.raises(RaisedDifferently, match=r"1\.00 EUR"):
        owe(session, producer, 101, source_id=source)


def test_nothing_cannot_be_owed(session, producer):
    with pytest.raises(NotAboveZero):
        owe(session, producer, 0)


def take_back(session, owed, minor):
    return service.take_back(
        session,
        coop_id=owed.coop_id,
        source_kind=owed.source_kind,
        source_id=owed.source_id,
        kind=owed.kind,
        money=Money(minor, "EUR"),
    )


def test_a_refund_before_payout_splits_the_payable_twice_if_need_be(session, producer):
    owed, nothing = owe(session, producer, 7200), Money.zero("EUR")
    for minor, left in ((720, 6480), (480, 6000)):
        assert take_back(session, owed, minor) == (Money(minor, "EUR"), nothing)
        assert [total.open.minor for total in queries.owed_to(session, producer.id)] == [left]
    assert take_back(session, owed, 6000) == (Money(6000, "EUR"), nothing)
    assert queries.owed_to(session, producer.id) == []
    with pytest.raises(PayableNotFound):
        take_back(session, owed, 1)


def test_a_refund_of_what_is_on_its_way_is_a_claim(session, producer):
    owed, run = owe(session, producer, 7200), new_id()
    take_back(session, owed, 200)
    service.take_due(session, coop_id=producer.coop_id, due_by=DAY, taker=run)
    service.schedule_taken(session, taker=run)
    assert take_back(session, owed, 720) == (Money.zero("EUR"), Money(720, "EUR"))


def test_what_a_run_has_taken_cannot_be_reduced_or_taken_again(session, producer):
    owed = owe(session, producer)
    owe(session, producer, due_on=date(2026, 12, 1))
    run = new_id()
    assert service.take_due(session, coop_id=producer.coop_id, due_by=DAY, taker=run) == 1
    assert service.take_due(session, coop_id=producer.coop_id, due_by=DAY, taker=new_id()) == 0
    with pytest.raises(AlreadyOnItsWay):
        take_back(session, owed, 1)


def test_totals_say_what_is_open_and_what_is_on_its_way(session, producer):
    owe(session, producer, 100)
    service.take_due(session, coop_id=producer.coop_id, due_by=DAY, taker=new_id())
    owe(session, producer, 30)
    (total,) = queries.owed_to(session, producer.id)
    assert (total.open, total.on_its_way, total.count) == (Money(30, "EUR"), Money(100, "EUR"), 2)


def test_overdue_payables_are_counted_per_co_op(session, producer):
    owe(session, producer, 100)
    assert queries.overdue(session, on=DAY) == []
    assert queries.overdue(session, on=date(2026, 11, 21)) == [(producer.coop_id, "EUR", 1, 100, DAY)]


@pytest.mark.parametrize(
    "change", ["UPDATE payable SET amount_minor = 1", "UPDATE payable SET payee_id = id", "DELETE FROM payable"]
)
def test_a_payable_never_changes(session, producer, change):
    owe(session, producer)
    session.flush()
    with pytest.raises(DBAPIError, match="refused"), session.begin_nested():
        session.execute(text(change))
