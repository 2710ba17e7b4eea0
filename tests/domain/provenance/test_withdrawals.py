"""Which lots a withdrawal keeps from being sold: itself, what is made of it, and not what staff kept on purpose."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import update

from market.provenance import service
from market.provenance.errors import LotMissing, LotNotWithdrawn, LotWithdrawn, WithdrawalFaulty
from market.provenance.models import Lot
from market.provenance.queries import lot as lot_of
from market.provenance.withdrawal_queries import barred_by, in_force, withdrawals_of
from tests.conftest import NOW
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import HOST, make_actor, make_lot, make_place


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def made(session, coop):
    """Make a lot from as much of another one."""
    place = make_place(session, coop=coop)

    def make(lot, name, much=10):
        new = service.NewLot(name=name, quantity=Decimal(much), uom="KGM", on=date(2026, 6, 20))
        return service.record_transformation(
            session, actor=make_actor(coop), host=HOST, coop_id=coop.id, producer_id=None, process="other",
            inputs=[(lot.id, Decimal(much))], new=new, place_id=place.id, zone="America/Bogota", now=NOW,
        )  # fmt: skip

    return make


def withdraw(session, coop, lot, *with_lots, **values):
    facts = {"reason": "Mould", "advice": "return"} | values
    return service.withdraw(
        session, actor=make_actor(coop), lot_id=lot.id, with_lots=[one.id for one in with_lots], now=NOW, **facts
    )


def test_what_is_made_of_a_withdrawn_lot_is_barred_and_what_was_kept_is_not(session, coop, made):
    lot = make_lot(session, coop=coop)
    gone, kept = made(lot, "Gone", 100), made(lot, "Kept", 100)
    deeper = made(kept, "Deeper")
    view = withdraw(session, coop, lot, gone)
    assert (view.lots, set(view.kept)) == ((lot.id, gone.id), {kept.id, deeper.id})
    assert set(in_force(session, [lot.id, gone.id, kept.id])) == {lot.id, gone.id}
    with pytest.raises(LotWithdrawn):
        made(gone, "By the form")
    # What others report as an event is a fact, whatever was withdrawn: such a lot exists, and is not sold.
    session.execute(update(Lot).where(Lot.id == gone.id).values(withdrawn_at=None, withdrawn_reason=None))
    later, fine = made(gone, "Later"), made(kept, "Of what was kept")
    assert [barred_by(session, one.id) is not None for one in (lot, gone, kept, deeper, later, fine)] == [
        True, True, False, False, True, False,
    ]  # fmt: skip


def test_a_lot_of_two_withdrawals_stays_withdrawn_by_the_other(session, coop, made):
    lot = make_lot(session, coop=coop)
    washed = made(lot, "Washed")
    withdraw(session, coop, washed, reason="Smells")
    withdraw(session, coop, lot, washed)
    service.take_back(session, actor=make_actor(coop), lot_id=washed.id, reason="Only the sack", now=NOW)
    assert lot_of(session, washed.id).withdrawn_reason == "Mould"
    service.take_back(session, actor=make_actor(coop), lot_id=lot.id, reason="Wrong sack", now=NOW)
    assert [lot_of(session, one.id).withdrawn_at for one in (lot, washed)] == [None, None]
    assert len(withdrawals_of(session, washed.id)) == 2
    with pytest.raises(LotNotWithdrawn):
        service.take_back(session, actor=make_actor(coop), lot_id=lot.id, reason="Again", now=NOW)


def test_a_withdrawal_says_why_and_speaks_of_its_own_lots_alone(session, coop):
    lot, other = make_lot(session, coop=coop), make_lot(session, coop=coop, label="2")
    with pytest.raises(WithdrawalFaulty):
        withdraw(session, coop, lot, reason=" ")
    with pytest.raises(LotMissing):
        withdraw(session, coop, lot, other)
    producer = make_producer(session, coop=coop)
    own = make_lot(session, coop=coop, producer=producer)
    with pytest.raises(LotMissing):  # a producer takes offers out of the shop; a lot is the co-op's to withdraw
        service.withdraw(
            session, actor=make_actor(coop, producer), lot_id=own.id, with_lots=(), reason="x", advice="keep", now=NOW
        )
    withdraw(session, coop, lot)
    with pytest.raises(LotWithdrawn):
        withdraw(session, coop, lot)
