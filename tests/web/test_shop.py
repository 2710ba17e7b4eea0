"""The shop as people see it, without JavaScript."""

import re
from decimal import Decimal

import pytest

from market.catalogue import photos, service
from tests.conftest import NOW
from tests.factories.catalogue import make_listing
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import make_actor
from tests.unit.test_catalogue_photos import picture


@pytest.fixture
def listing(session):
    coop = make_coop(session, name="Río Azul", slug="rio-azul", transport_minor_per_line=150)
    made = make_listing(session, producer=make_producer(session, coop=coop, name="José"), title="Café de altura")
    session.commit()  # a request closes the session, and what was not committed goes with it
    return made


@pytest.mark.parametrize(
    "path", ["/", "/shop", "/shop?q=cafe", "/shop?q=kafe", "/shop?category=coffee&currency=EUR&price_to=100"]
)
def test_pages_show_the_cards(client, listing, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert "Café de altura" in answer.text
    assert f"/listings/{listing.id}" in answer.text


def test_a_correction_is_told(client, listing):
    assert "looked for “cafe”" in client.get("/shop?q=kafe").text


def test_nothing_found_says_what_to_do(client, listing):
    assert "Nothing found" in client.get("/shop?q=zzzzzz").text


@pytest.mark.parametrize("query", ["price_to=5", "price_from=much&currency=EUR"])
def test_a_faulty_filter_keeps_the_input_and_says_what_is_wrong(client, listing, query):
    answer = client.get(f"/shop?q=cafe&{query}")
    assert answer.status_code == 422
    assert 'value="cafe"' in answer.text
    assert 'class="error"' in answer.text


def test_an_unchanged_page_is_not_sent_again(client, listing):
    first = client.get("/shop")
    assert first.headers["Cache-Control"] == "public, no-cache"
    again = client.get("/shop", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_listing_shows_parts_that_sum_to_its_price(client, listing):
    page = client.get(f"/listings/{listing.id}?quantity=2").text
    assert "€20.21" in page  # 16.80 goods, service 9 %, transport 1.50, payment 2 % on all
    assert "€16.80" in page
    assert "Into the basket" in page
    assert client.get(f"/listings/{listing.id}?quantity=nonsense").status_code == 200


def test_a_sold_out_listing_cannot_be_ordered(client, session, listing):
    service.set_stock(session, actor=make_actor(make_coop(session)), lot_id=listing.lot_id, on_hand=Decimal(0), now=NOW)
    session.commit()
    assert "Into the basket" not in client.get(f"/listings/{listing.id}").text
    assert "card goods sold-out" in client.get("/shop").text


def test_a_draft_is_not_in_the_shop(client, session):
    draft = make_listing(session, state="draft")
    assert client.get(f"/listings/{draft.id}").status_code == 404


def test_a_photo_is_kept_for_ever_and_no_other_file_is_given(client, app):
    small = photos.render(picture())[0]
    app.extensions["ports"].files.put(key=small.key, content=small.content, content_type="image/webp")
    answer = client.get(f"/media/{small.key}")
    assert answer.content_type == "image/webp"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for path in ("photos/nothing.webp", "../secret", "photos/" + "0" * 32 + "-320.webp"):
        assert client.get(f"/media/{path}").status_code == 404


CARD_WORDS = {
    "en": ("Price", "Sold out", "€10.87</bdi> <small>/ <bdi>piece", 'aria-label="Producer 77%', "Colombia"),
    "es": ("Precio", "Agotado", "10,87\xa0€</bdi> <small>/ <bdi>pieza", 'aria-label="Productor 77', "Colombia"),
    "ar": ("السعر", "نفدت", "10.87\xa0€</bdi> <small>/ <bdi>قطعة", 'aria-label="المنتج 77', "كولومبيا"),
}


@pytest.mark.parametrize("language", CARD_WORDS)
def test_a_card_speaks_the_language_of_the_page(client, session, language):
    coop = make_coop(session, slug="rio-azul", country="CO", transport_minor_per_line=150)
    made = make_listing(session, producer=make_producer(session, coop=coop), title="Vasija <roja>", unit="piece")
    session.commit()
    shop = client.get(f"/shop?lang={language}").text
    card = re.search(r'(?s)<li class="card goods">.*?</li>', shop)[0]
    assert f'<a href="/listings/{made.id}?lang={language}"' in card
    assert "Vasija &lt;roja&gt;" in card
    for words in CARD_WORDS[language][1:]:
        assert words in card
    by_browser = client.get("/shop", headers={"Accept-Language": language}).text
    assert card.replace(f"?lang={language}", "") in by_browser
    for path in ("/", "/coops/rio-azul"):
        assert card in client.get(f"{path}?lang={language}").text
