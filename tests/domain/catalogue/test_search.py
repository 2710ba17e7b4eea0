"""Search: what finds a listing, in which order, and that the index equals what it was made from."""

import json
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from market.catalogue import queries, service
from market.catalogue.errors import PriceFilterNeedsCurrency
from market.catalogue.models import ListingCard, SearchPosting, SearchTerm
from market.catalogue.rules import Filters
from market.kernel.paging import BadCursor
from tests.factories.catalogue import TODAY, make_listing, make_product
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import make_lot


@pytest.fixture
def shop(session):
    """Three offers: two coffees of José, one cocoa of Ana; another page of them comes where it is needed."""
    blue = make_coop(session, name="Cooperativa Río Azul", slug="rio-azul", currency="USD")
    jose = make_producer(session, coop=blue, name="José Núñez", region="Đắk Lắk")
    ana = make_producer(session, name="Ana", region="Kumasi")
    coffee, cocoa = make_product(session, name="Arabica, washed"), make_product(session, category="cocoa", name="Cocoa nibs")
    return {
        "cheap": make_listing(
            session, producer=jose, product=coffee, title="Café de altura", unit_price=Decimal(5), currency="USD"
        ),
        "dear": make_listing(
            session, producer=jose, product=coffee, title="Café especial", unit_price=Decimal(50), currency="USD"
        ),
        "cocoa": make_listing(session, producer=ana, product=cocoa, title="Organic cocoa"),
    }


def found(session, shop, cursor=None, **filters):
    page = json.loads(queries.catalogue_page_json(session.connection(), Filters(**filters), cursor=cursor))
    names = {str(listing.id): name for name, listing in shop.items()}
    return [names.get(item["id"], "?") for item in page["items"]]


def test_words_find_listings(session, shop):
    wanted = [
        ("", ["cocoa", "dear", "cheap"]),
        ("cafe", ["dear", "cheap"]),
        ("CAFÉ", ["dear", "cheap"]),
        ("caf", ["dear", "cheap"]),
        ("cafe especial", ["dear"]),
        ("especial cafe", ["dear"]),
        ("espicial", ["dear"]),
        ("dak lak", ["dear", "cheap"]),
        ("nunez", ["dear", "cheap"]),
        ("rio azul altura", ["cheap"]),
        ("coco nibbs", ["cocoa"]),
        ("kahawa", ["dear", "cheap"]),
        ("kaka", ["cocoa"]),
        ("قهوة", ["dear", "cheap"]),
        ("kahawa especial", ["dear"]),
        ("محمصة", []),
        ("cocoa coffee", []),
        ("qqqqqq", []),
        ("!!!", ["cocoa", "dear", "cheap"]),
    ]
    assert [(words, found(session, shop, q=words)) for words, _ in wanted] == wanted


def test_filters_narrow(session, shop):
    wanted = [
        ({"category": "coffee"}, ["dear", "cheap"]),
        ({"category": "cocoa", "coop": "rio-azul"}, []),
        ({"coop": "rio-azul"}, ["dear", "cheap"]),
        ({"category": "coffee", "q": "altura"}, ["cheap"]),
        ({"currency": "USD", "price_to": Decimal(20)}, ["cheap"]),
        ({"currency": "USD", "price_from": Decimal(20), "q": "cafe"}, ["dear"]),
        ({"category": "nothing"}, []),
        ({"certificate": "fairtrade"}, []),
    ]
    assert [(filters, found(session, shop, **filters)) for filters, _ in wanted] == wanted


def test_a_correction_is_told(session, shop):
    page = json.loads(queries.catalogue_page_json(session.connection(), Filters(q="espicial")))
    assert page["corrections"] == {"espicial": "especial"}
    assert queries.catalogue_page_html(session.connection(), Filters(q="espicial")).corrections == {"espicial": "especial"}


def test_a_price_range_needs_a_currency_and_a_cursor_must_be_ours(session, shop):
    with pytest.raises(PriceFilterNeedsCurrency):
        found(session, shop, price_to=Decimal(3))
    with pytest.raises(BadCursor):
        found(session, shop, cursor="1 OR 1=1")


def test_pages_follow_each_other_without_gap_or_repeat(session):
    producer = make_producer(session)
    lot = make_lot(session, coop=make_coop(session), producer=producer)
    product = make_product(session)
    made = [make_listing(session, producer=producer, product=product, lot=lot, title=f"Organic batch {n}") for n in range(53)]
    for filters in ({}, {"q": "batch"}, {"q": "batch organic"}, {"category": "coffee", "q": "bat"}):
        seen, cursor, sizes = [], None, []
        while cursor or not sizes:
            page = json.loads(queries.catalogue_page_json(session.connection(), Filters(**filters), cursor=cursor))
            seen += [item["id"] for item in page["items"]]
            sizes.append(len(page["items"]))
            cursor = page["next"]
        assert sizes == [24, 24, 5], filters
        assert seen == [str(listing.id) for listing in sorted(made, key=lambda row: row.id, reverse=True)], filters


def test_the_html_page_shows_the_same_listings_and_escapes_them(session, shop):
    shop["cocoa"].title = "<script>alert(1)</script> cocoa"
    service.refresh_cards(session, listing_ids=[shop["cocoa"].id], on=TODAY)
    page = queries.catalogue_page_html(session.connection(), Filters())
    assert page.cards.count("<li class=") == 3
    assert "<script>" not in page.cards
    assert page.next_cursor is None


def index_of(session):
    postings = set(session.execute(select(SearchPosting.term, SearchPosting.listing_id, SearchPosting.price)).all())
    cards = set(session.execute(select(ListingCard.listing_id, ListingCard.json, ListingCard.html, ListingCard.available)).all())
    terms = dict(session.execute(select(SearchTerm.term, SearchTerm.listings).where(SearchTerm.listings > 0)).all())
    return postings, cards, terms


def test_cards_and_index_equal_what_a_rebuild_makes(session, shop):
    shop["dear"].title, shop["dear"].unit_price = "Café nuevo", Decimal(41)
    shop["cheap"].state = "withdrawn"
    service.refresh_cards(session, listing_ids=[listing.id for listing in shop.values()], on=TODAY)
    before = index_of(session)
    counted = dict(session.execute(select(SearchPosting.term, func.count()).group_by(SearchPosting.term)).all())
    assert before[2] == counted
    assert service.rebuild_cards(session, on=TODAY) == 2
    assert index_of(session) == before


def test_a_withdrawn_listing_is_found_no_more(session, shop):
    shop["cocoa"].state = "withdrawn"
    service.refresh_cards(session, listing_ids=[shop["cocoa"].id], on=TODAY)
    assert found(session, shop) == ["dear", "cheap"]
    assert found(session, shop, q="cocoa") == []


def test_facets_count(session, shop):
    facets = queries.facets(session.connection())
    assert [(facet.value, facet.listings) for facet in facets["category"]] == [("cocoa", 1), ("coffee", 2)]
    assert ("rio-azul", 2) in [(facet.value, facet.listings) for facet in facets["coop"]]
