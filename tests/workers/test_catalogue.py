"""Tasks of the catalogue: they do it, and doing it twice does nothing more."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from celery.signals import worker_ready
from sqlalchemy import select

from market.catalogue import service
from market.catalogue.cards import PROGRAM
from market.catalogue.models import Listing, ListingCard, Stock
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.outbox import OutboxRow
from market.producers.errors import BadProducer
from market.producers.models import Coop
from market.producers.service import end_membership
from market.provenance.models import Lot
from tests.conftest import NOW
from tests.factories.catalogue import make_listing
from tests.factories.producers import make_producer
from workers import catalogue
from workers.outbox import TOPICS


def test_holds_expire_once_and_not_before_their_time(app, session, clock):
    listing = make_listing(session, on_hand=5)
    expires_at = NOW + timedelta(minutes=30)
    service.hold_stock(session, wants=[(listing.lot_id, Decimal(2))], order_id=new_id(), expires_at=expires_at)
    session.commit()
    assert catalogue.expire_holds() == 0
    clock.instant = expires_at
    assert catalogue.expire_holds() == 1
    assert catalogue.expire_holds() == 0
    assert session.scalars(select(Stock.held).where(Stock.lot_id == listing.lot_id)).one() == 0


@pytest.mark.parametrize(("round_of_cards", "counted"), [(catalogue.remake_cards, 1), (catalogue.reevaluate, 0)])
def test_a_card_of_an_older_program_is_made_anew_when_a_worker_starts_and_by_the_hourly_round(
    app, session, round_of_cards, counted
):
    listings = [make_listing(session) for _ in range(2)]
    service.refresh_cards(session, listing_ids=[listing.id for listing in listings], on=NOW.date())
    card = session.get_one(ListingCard, listings[0].id)
    made, card.html, card.program = card.html, "as it was drawn last year", "last year's"
    session.commit()
    assert round_of_cards() == counted
    session.expire_all()
    card = session.get_one(ListingCard, listings[0].id)
    assert (card.html, card.program) == (made, PROGRAM)
    assert catalogue.remake_cards() == 0


def test_a_worker_that_starts_asks_for_old_cards():
    asked: list[str] = []
    worker_ready.send(sender=type("Consumer", (), {"app": SimpleNamespace(send_task=asked.append)}))
    assert asked == ["catalogue.remake_cards"]


def test_an_offer_whose_claim_is_no_longer_carried_leaves_the_shop(app, session):
    listing = make_listing(session, claims=["organic"])
    fine = make_listing(session)
    session.commit()
    assert catalogue.reevaluate(coop_id=str(fine.coop_id)) == 0
    assert catalogue.reevaluate(coop_id=str(listing.coop_id)) == 1
    assert catalogue.reevaluate() == 0
    states = dict(session.execute(select(Listing.id, Listing.state)).all())
    assert states == {listing.id: "withdrawn", fine.id: "published"}


def test_what_was_made_into_something_else_is_not_sold_as_well(app, session):
    listing, plenty = make_listing(session, on_hand=600), make_listing(session, on_hand=480)
    lots = f"{listing.lot_id},{plenty.lot_id}"  # 480 kg each
    session.commit()
    assert [catalogue.keep_to_lots(lot_ids=lots) for _ in range(2)] == [1, 0]
    service.hold_stock(session, wants=[(listing.lot_id, Decimal(30))], order_id=new_id(), expires_at=NOW + timedelta(minutes=30))
    session.get_one(Lot, listing.lot_id).drawn = Decimal(480)
    session.commit()
    assert catalogue.keep_to_lots(lot_ids=lots) == 1
    stock = dict(session.execute(select(Stock.lot_id, Stock.on_hand)).all())
    assert stock == {listing.lot_id: 30, plenty.lot_id: 480}, "what is held for an order stays"


def test_whoever_leaves_sells_nothing_any_more(app, session):
    listing = make_listing(session)
    stays = make_listing(session, producer=make_producer(session, coop=session.get_one(Coop, listing.coop_id)))
    staff = Actor(account_id=new_id(), coop_id=listing.coop_id, roles=frozenset({"preparer"}))
    leaving = {"actor": staff, "producer_id": listing.producer_id, "now": NOW}
    with pytest.raises(BadProducer):
        end_membership(session, left_on=NOW.date() + timedelta(days=1), **leaving)
    end_membership(session, left_on=NOW.date(), **leaving)
    session.commit()
    (fact,) = session.scalars(select(OutboxRow).where(OutboxRow.topic == "producers.membership_ended"))
    assert TOPICS[fact.topic] == ("catalogue.reevaluate",)
    assert catalogue.reevaluate(**fact.payload) == 1
    states = dict(session.execute(select(Listing.id, Listing.state)).all())
    assert states == {listing.id: "withdrawn", stays.id: "published"}
