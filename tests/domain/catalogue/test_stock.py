"""Stock and holds (law 6)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from market.catalogue import service
from market.catalogue.errors import ListingFaulty, ListingSoldOut, StockTooLow
from market.catalogue.models import Hold, ListingCard, Stock
from market.kernel.ids import new_id
from tests.conftest import NOW
from tests.factories.catalogue import make_listing
from tests.factories.provenance import make_actor

LATER = NOW + timedelta(minutes=30)


def stock_of(session, listing):
    return session.execute(select(Stock.on_hand, Stock.held).where(Stock.lot_id == listing.lot_id)).one()


def available(session, listing):
    return session.scalars(select(ListingCard.available).where(ListingCard.listing_id == listing.id)).one()


def hold(session, listing, quantity, order_id=None):
    order_id = order_id or new_id()
    service.hold_stock(session, wants=[(listing.lot_id, Decimal(quantity))], order_id=order_id, expires_at=LATER)
    return order_id


def test_hold_take_changes_stock_once(session):
    listing = make_listing(session, on_hand=10)
    order = hold(session, listing, 4)
    assert stock_of(session, listing) == (10, 4)
    assert service.take_holds(session, order_id=order) == []
    assert service.take_holds(session, order_id=order) == []
    assert stock_of(session, listing) == (6, 0)


def test_hold_refuses_more_than_is_free_and_says_how_much_is(session):
    listing, other = make_listing(session, on_hand=10), make_listing(session, on_hand=5)
    hold(session, listing, 8)
    wants = [(other.lot_id, Decimal(1)), (listing.lot_id, Decimal(3))]
    undone = session.begin_nested()
    with pytest.raises(ListingSoldOut) as refused:
        service.hold_stock(session, wants=wants, order_id=new_id(), expires_at=LATER)
    undone.rollback()
    assert refused.value.facts["lots"] == [{"lot_id": str(listing.lot_id), "free": "2"}]
    assert stock_of(session, other) == (5, 0)


def test_hold_adds_up_two_lines_of_one_lot(session):
    listing = make_listing(session, on_hand=10)
    order = new_id()
    wants = [(listing.lot_id, Decimal(3)), (listing.lot_id, Decimal(4))]
    service.hold_stock(session, wants=wants, order_id=order, expires_at=LATER)
    assert session.scalars(select(Hold.quantity).where(Hold.order_id == order)).all() == [7]


def test_a_card_says_sold_out_and_comes_back(session):
    listing = make_listing(session, on_hand=3)
    order = hold(session, listing, 3)
    assert available(session, listing) is False
    assert service.release_holds(session, order_id=order) == 1
    assert available(session, listing) is True
    assert stock_of(session, listing) == (3, 0)


def test_expired_holds_are_given_back_and_a_late_payment_takes_what_is_free(session):
    listing = make_listing(session, on_hand=3)
    order = hold(session, listing, 2)
    assert service.expire_holds(session, now=NOW) == 0
    assert service.expire_holds(session, now=LATER) == 1
    assert service.expire_holds(session, now=LATER) == 0
    assert service.take_holds(session, order_id=order) == []
    assert stock_of(session, listing) == (1, 0)


def test_a_late_payment_for_what_is_gone_is_returned_for_staff(session):
    listing = make_listing(session, on_hand=3)
    late = hold(session, listing, 2)
    service.expire_holds(session, now=LATER)
    service.take_holds(session, order_id=hold(session, listing, 3))
    short = service.take_holds(session, order_id=late)
    assert [(found.lot_id, found.quantity) for found in short] == [(listing.lot_id, 2)]
    assert stock_of(session, listing) == (0, 0)


def test_return_stock_puts_goods_back(session):
    listing = make_listing(session, on_hand=3)
    order_id = hold(session, listing, 3)
    service.take_holds(session, order_id=order_id)
    assert available(session, listing) is False
    service.return_stock(session, order_id=new_id(), wants=[(listing.lot_id, Decimal(2))])
    assert stock_of(session, listing) == (0, 0), "who took nothing gives nothing back"
    service.return_stock(session, order_id=order_id, wants=[(listing.lot_id, Decimal(2))])
    assert stock_of(session, listing) == (2, 0)
    assert available(session, listing) is True


def test_set_stock_refuses_less_than_is_held(session):
    listing = make_listing(session, on_hand=9)
    hold(session, listing, 4)
    actor = make_actor(listing)
    with pytest.raises(StockTooLow):
        service.set_stock(session, actor=actor, lot_id=listing.lot_id, on_hand=Decimal(3), now=NOW)
    service.set_stock(session, actor=actor, lot_id=listing.lot_id, on_hand=Decimal(5), now=NOW)
    with pytest.raises(ListingFaulty, match="are left"):
        service.set_stock(session, actor=actor, lot_id=listing.lot_id, on_hand=Decimal(50_000), now=NOW)
    assert stock_of(session, listing) == (5, 4)


@pytest.mark.parametrize("values", [{"held": Decimal(11)}, {"held": Decimal(-1)}, {"on_hand": Decimal(-1)}])
def test_the_database_refuses_what_the_code_forgets(session, values):
    listing = make_listing(session, on_hand=10)
    stock = session.get_one(Stock, listing.lot_id)
    for name, value in values.items():
        setattr(stock, name, value)
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()
