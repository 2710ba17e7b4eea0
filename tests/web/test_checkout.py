"""A buyer without an account goes from a listing to a confirmed order, by pages alone."""

import re

import pytest

from market.orders import queries
from tests.factories.accounts import csrf_token
from tests.factories.catalogue import make_listing

FORM = {
    "name": "Ana",
    "email": "ana@example.org",
    "street": "Calle",
    "building": "1",
    "postcode": "28001",
    "town": "Madrid",
    "country": "es",
    "method": "transfer",
    "currency": "EUR",
}


@pytest.fixture
def basket(client, session):
    """A browser with one listing in its basket."""
    listing = make_listing(session)
    session.commit()
    token = csrf_token(client)
    answer = client.post("/basket/lines", data={"listing_id": listing.id, "quantity": "2", "csrf_token": token})
    assert answer.status_code == 303
    return listing


def post(client, path, **data):
    return client.post(path, data={"csrf_token": csrf_token(client)} | data)


def test_basket_shows_lines_and_changes_them(client, basket):
    page = client.get("/basket").text
    assert basket.title in page
    assert post(client, "/basket", **{f"quantity-{basket.id}": "3"}).status_code == 303
    assert 'value="3"' in client.get("/basket").text
    wrong = post(client, "/basket", **{f"quantity-{basket.id}": "many"})
    assert wrong.status_code == 422
    assert 'value="many"' in wrong.text
    post(client, "/basket", **{f"quantity-{basket.id}": "3", "remove": str(basket.id)})
    assert "Nothing in it yet" in client.get("/basket").text


def test_checkout_keeps_what_was_typed_when_something_is_missing(client, basket):
    page = client.get("/checkout?currency=EUR").text
    assert "Where it goes" in page
    answer = post(client, "/checkout", **(FORM | {"town": "", "country": "Spain"}))
    assert answer.status_code == 422
    assert 'value="Calle"' in answer.text
    assert 'value="ana@example.org"' in answer.text
    assert answer.text.count("aria-invalid") == 2


def test_transfer_order_shows_its_reference_and_the_key_opens_it(client, session, basket):
    answer = post(client, "/checkout", **FORM)
    assert answer.status_code == 303
    page = client.get(answer.location)
    assert page.status_code == 200
    assert re.search(r"RF\d\d", page.text)
    assert client.get(answer.location.split("?")[0]).status_code == 404
    assert "Nothing in it yet" in client.get("/basket").text


def test_card_order_goes_to_the_hosted_page_and_back(client, session, ports, basket):
    answer = post(client, "/checkout", **(FORM | {"method": "card"}))
    assert answer.status_code == 303
    assert answer.location.startswith("http")
    (order_id,) = {part.order_id for part in queries.seller_orders(session).items}
    session.rollback()
    assert queries.order(session, order_id).state == "placed"


def test_a_forged_post_is_refused(client, basket):
    assert client.post("/checkout", data=FORM).status_code == 400
