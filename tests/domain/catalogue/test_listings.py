"""Publishing needs a price that holds; whoever may not touch a listing does not find it."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from market.catalogue import photos, queries, service
from market.catalogue.errors import ListingFaulty, ListingMissing, ListingNotForSale
from market.catalogue.models import Listing, ListingCard
from market.catalogue.service import Draft
from market.kernel.actor import system
from market.pricing.errors import ClaimNotProven, PriceBelowFloor
from market.pricing.models import PriceReference
from market.pricing.queries import checks_of
from market.producers.models import Certificate
from tests.conftest import NOW
from tests.factories.catalogue import make_product
from tests.factories.prices import make_quote, make_reference
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import make_actor, make_lot
from tests.unit.test_catalogue_photos import picture


@pytest.fixture
def coop(session):
    return make_coop(session, currency="USD", country="CO", time_zone="America/Bogota")


@pytest.fixture
def producer(session, coop):
    return make_producer(session, coop=coop)


@pytest.fixture
def draft(session, coop, producer):
    """Arabica, washed, at 4.50 USD/kg under the Fairtrade claim: the floor is 1.80 USD/lb = 3.968321 USD/kg."""
    make_reference(session)
    make_quote(session)
    session.add(
        Certificate(
            coop_id=coop.id, scheme="fairtrade", kind="trade", number="FLO 1234", issuer="FLOCERT", product_scope=["coffee"],
            valid_from=date(2025, 1, 1), valid_to=date(2027, 1, 1), status="active", entered_at=NOW,
        )
    )  # fmt: skip
    product = make_product(session, variety="arabica", form="washed_green", name="Coffee, arabica, washed green")
    lot = make_lot(session, coop=coop, producer=producer)
    return Draft(product.id, lot.id, "Huila, washed", "kg", Decimal("4.50"), "USD", claims=("fairtrade",), incoterm="FOB")


@pytest.fixture
def actor(coop, producer):
    return make_actor(coop, producer)


def published(session, actor, draft):
    listing_id = service.create_listing(session, actor=actor, draft=draft, now=NOW)
    service.publish_listing(session, actor=actor, listing_id=listing_id, now=NOW)
    return listing_id


def test_publish_stores_the_checks_and_shows_the_offer(session, actor, draft):
    listing_id = published(session, actor, draft)
    view = queries.listing(session, listing_id)
    assert (view.state, view.free, view.stock_unit) == ("published", Decimal(480), "kg")
    assert view.premium_per_unit == Decimal("0.440925")
    assert view.floor_price == Decimal("3.968321")
    assert view.market_price == Decimal("3.791951")  # C 1.62 + 0.10 USD/lb, of the day of the check
    assert view.goods.origin_country == "CO"
    stored = checks_of(session, subject_kind="listing", subject_id=listing_id)
    assert {check.id for check in stored} == set(view.check_ids)
    card = json.loads(queries.listing_json(session.connection(), listing_id))
    assert card["certificates"] == [{"scheme": "fairtrade", "number": "FLO 1234"}]
    assert sum(part["minor"] for part in card["parts"]) == card["price"]["minor"]


def test_publish_refuses_a_price_below_the_floor_with_the_arithmetic(session, actor, draft):
    listing_id = service.create_listing(session, actor=actor, draft=replace(draft, unit_price=Decimal("3.9683")), now=NOW)
    with pytest.raises(PriceBelowFloor) as refused:
        service.publish_listing(session, actor=actor, listing_id=listing_id, now=NOW)
    assert refused.value.facts["rule"] == "R-01"
    assert refused.value.facts["passing_price"] == "3.968321"
    assert queries.listing(session, listing_id).state == "draft"
    service.edit_listing(session, actor=actor, listing_id=listing_id, changes={"unit_price": Decimal("3.968321")}, now=NOW)
    service.publish_listing(session, actor=actor, listing_id=listing_id, now=NOW)


def test_publish_refuses_a_claim_without_certificate(session, actor, draft):
    listing_id = service.create_listing(session, actor=actor, draft=replace(draft, claims=("spp",)), now=NOW)
    with pytest.raises(ClaimNotProven):
        service.publish_listing(session, actor=actor, listing_id=listing_id, now=NOW)


def test_a_change_of_a_published_offer_is_checked_again(session, actor, draft):
    listing_id = published(session, actor, draft)
    undone = session.begin_nested()
    with pytest.raises(PriceBelowFloor):
        service.edit_listing(session, actor=actor, listing_id=listing_id, changes={"unit_price": Decimal("3")}, now=NOW)
    undone.rollback()
    service.edit_listing(session, actor=actor, listing_id=listing_id, changes={"title": "Huila, new name"}, now=NOW)
    assert b"Huila, new name" in queries.listing_json(session.connection(), listing_id)


def test_check_draft_tells_and_stores_nothing(session, actor, draft):
    verdict = service.check_draft(session, actor=actor, draft=replace(draft, unit_price=Decimal(3)), now=NOW)
    assert verdict.proposed_price == Decimal("3.968321")
    assert verdict.blocking("G1")
    assert session.scalars(select(Listing.id)).all() == []


def test_withdraw_takes_it_out_and_publish_brings_it_back(session, actor, draft):
    listing_id = published(session, actor, draft)
    service.withdraw_listing(session, actor=actor, listing_id=listing_id, reason="Sold to the roaster", now=NOW)
    assert session.get(ListingCard, listing_id) is None
    with pytest.raises(ListingMissing):
        queries.listing_json(session.connection(), listing_id)
    with pytest.raises(ListingNotForSale):
        service.withdraw_listing(session, actor=actor, listing_id=listing_id, reason="again", now=NOW)
    service.publish_listing(session, actor=actor, listing_id=listing_id, now=NOW)
    assert queries.listing(session, listing_id).withdrawn_reason is None


def test_a_new_price_row_takes_an_offer_out_that_no_longer_holds(session, actor, draft):
    fine = published(session, actor, replace(draft, unit_price=Decimal(9)))
    cheap = published(session, actor, draft)
    make_reference(session, valid_from=date(2026, 11, 1), minimum_price=Decimal("2.50"))
    result = service.reevaluate_listings(session, actor=system("test"), now=NOW, kind="coffee")
    assert result.withdrawn == (cheap,)
    assert result.checked == 2
    assert "2.50" in queries.listing(session, cheap).withdrawn_reason
    assert queries.listing(session, fine).state == "published"
    assert session.scalars(select(PriceReference.id)).all()


def test_an_ended_certificate_takes_the_offer_out(session, actor, draft):
    listing_id = published(session, actor, draft)
    session.scalars(select(Certificate)).one().valid_to = date(2026, 11, 24)
    session.flush()
    assert service.reevaluate_listings(session, actor=system("test"), now=NOW).withdrawn == (listing_id,)


def test_a_stranger_finds_nothing_to_change(session, actor, draft, coop):
    listing_id = published(session, actor, draft)
    stranger = make_actor(coop, make_producer(session, coop=coop))
    for act in (
        lambda: service.create_listing(session, actor=stranger, draft=draft, now=NOW),
        lambda: service.edit_listing(session, actor=stranger, listing_id=listing_id, changes={"title": "mine"}, now=NOW),
        lambda: service.publish_listing(session, actor=stranger, listing_id=listing_id, now=NOW),
        lambda: service.withdraw_listing(session, actor=stranger, listing_id=listing_id, reason="mine", now=NOW),
    ):
        with pytest.raises(ListingMissing):
            act()
    with pytest.raises(ListingMissing):
        queries.listing(session, listing_id, producer_id=stranger.producer_id)
    service.edit_listing(session, actor=make_actor(coop), listing_id=listing_id, changes={"title": "By staff"}, now=NOW)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"unit": "litre"}, "/unit"),
        ({"unit": "bag"}, "/unit"),
        ({"currency": "XXX"}, "/currency"),
        ({"unit_price": Decimal("0")}, "/unit_price"),
        ({"unit_price": Decimal("1.1234567")}, "/unit_price"),
        ({"unit_price": Decimal("NaN")}, "/unit_price"),
        ({"order_step": Decimal("-1")}, "/order_step"),
        ({"order_step": Decimal(1059), "unit": "lb"}, "/order_step"),  # 480 kg are 1058.2 lb
        ({"title": " x "}, "/title"),
    ],
)
def test_a_faulty_field_is_named(session, actor, draft, changes, pointer):
    with pytest.raises(ListingFaulty) as refused:
        service.create_listing(session, actor=actor, draft=replace(draft, **changes), now=NOW)
    assert refused.value.pointer == pointer


def test_a_photo_stands_on_the_card(session, actor, draft):
    listing_id = published(session, actor, draft)
    service.add_photo(session, actor=actor, listing_id=listing_id, sizes=photos.render(picture()), alt="Drying beds", now=NOW)
    card = json.loads(queries.listing_json(session.connection(), listing_id))
    assert card["photo"]["alt"] == "Drying beds"
    assert card["photo"]["sizes"][0]["key"].endswith("-320.webp")


def test_the_unit_of_a_listing_is_converted_to_that_of_the_stock(session, actor, draft):
    view = queries.listing(session, published(session, actor, replace(draft, unit="lb", unit_price=Decimal("1.80"))))
    assert queries.in_stock_unit(view, Decimal(100)) == Decimal("45.359237")
    assert queries.price_offer(view, Decimal(2)).unit == "lb"


def test_create_product_gives_the_one_that_is_there(session):
    values = {"category": "coffee", "kind": "coffee", "name": "Coffee", "variety": "robusta"}
    assert service.create_product(session, **values) == service.create_product(session, **values)
