"""A buyer without an account goes from a listing to a confirmed order, by pages alone."""

import re
from decimal import Decimal

import pytest

from market.catalogue import service as catalogue
from market.kernel.actor import system
from market.orders import queries
from market.orders.models import Order
from market.producers.queries import Text
from tests.conftest import NOW
from tests.factories.accounts import csrf_token, make_account, sign_in
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
    post(client, "/basket", **{f"quantity-{basket.id}": "1250"})
    assert 'value="1250"' in client.get("/basket").text, "a field is drawn as it is read back"
    unclear = post(client, "/basket", **{f"quantity-{basket.id}": "1,250"})
    assert (unclear.status_code, "Write 1250 or 1.2500." in unclear.text) == (422, True)
    post(client, "/basket", **{f"quantity-{basket.id}": "3", "remove": str(basket.id)})
    assert "Nothing in it yet" in client.get("/basket").text


def test_a_quantity_that_is_no_multiple_leads_back_to_its_field(client, session):
    listing = make_listing(session, order_step=Decimal(5))
    session.commit()
    answer = post(client, "/basket/lines", listing_id=listing.id, quantity="3")
    assert answer.location.endswith("?quantity=3#f-quantity")
    page = client.get(answer.location).text
    assert ('value="3"' in page, "Please order a multiple of 5" in page, "e-quantity" in page) == (True, True, True)


def test_checkout_keeps_what_was_typed_when_something_is_missing(client, basket):
    page = client.get("/checkout?currency=EUR").text
    assert "Where it goes" in page
    answer = post(client, "/checkout", **(FORM | {"town": "", "country": "Spain", "building": "9" * 201}))
    assert "This is too long: at most 200 characters." in answer.text
    assert answer.status_code == 422
    assert 'value="Calle"' in answer.text
    assert 'value="ana@example.org"' in answer.text
    assert answer.text.count("aria-invalid") == 3


def test_checkout_says_beside_the_field_what_an_address_looks_like(client, basket):
    answer = post(client, "/checkout", **(FORM | {"email": "ana@buyers", "postcode": "1"}))
    assert answer.status_code == 422
    for kept in ('value="ana@buyers"', 'value="1"', "ana@example.org", "looks like 12345", "Such as 12345"):
        assert kept in answer.text
    assert answer.text.count("aria-invalid") == 2
    assert "no postcodes" in post(client, "/checkout", **(FORM | {"country": "AE", "postcode": "00000"})).text


def test_where_there_are_no_postcodes_an_order_needs_none(client, session, basket):
    answer = post(client, "/checkout", **(FORM | {"email": "ANA@example.org", "country": "AE", "postcode": ""}))
    assert answer.status_code == 303
    placed = session.query(Order).one()
    assert (placed.email, placed.postcode, placed.country) == ("ana@example.org", "", "AE")


def test_transfer_order_shows_its_reference_and_the_key_opens_it(client, session, basket):
    sent = FORM | {"key": re.search(r'name="key" value="([^"]+)"', client.get("/checkout").text)[1], "name": "Ana\r\nBcc: x"}
    answer = post(client, "/checkout", **sent)
    assert answer.status_code == 303
    for again in (sent, sent | {"method": "card"}, FORM):  # a second click, the way back, another window
        assert post(client, "/checkout", **again).location == answer.location
    assert session.query(Order).one().name == "Ana Bcc: x", "a line end would keep every letter from being sent"
    page = client.get(answer.location)
    assert "what was in it is ordered" in page.text
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


def transfer_order(client):
    """Place an order to be paid by transfer; return the address of its page."""
    return post(client, "/checkout", **FORM).location


def test_the_basket_shows_who_gets_what_of_all_of_it(client, basket):
    page = client.get("/basket").text
    assert "Service of the co-ops" in page
    assert "Arrives between" in page
    assert '<span class="count">1</span>' in client.get("/coops").text


def test_a_transfer_in_euro_has_a_code_for_banking_apps(client, basket):
    page = client.get(transfer_order(client)).text
    assert "pay-code" in page
    assert re.search(r'dir="ltr">[A-Z]{2}\d\d( [0-9A-Z]{1,4}){3,}</span>', page), "to be typed by hand, and to fit a small phone"


def test_an_order_can_be_ordered_again(client, basket):
    path, _, key = transfer_order(client).partition("?key=")
    assert "Nothing in it yet" in client.get("/basket").text
    assert post(client, f"{path}/again", key=key).status_code == 303
    assert 'value="2"' in client.get("/basket").text


def test_a_complaint_needs_words_and_a_paid_part(client, session, basket):
    path, _, key = transfer_order(client).partition("?key=")
    (part,) = queries.seller_orders(session).items
    silent = post(client, f"{path}/parts/{part.id}/complaint", key=key, **{"words-1": " "})
    assert silent.status_code == 422
    early = client.get(post(client, f"{path}/parts/{part.id}/complaint", key=key, **{"words-1": "Too late"}).location)
    assert "This part is not paid." in early.text
    assert post(client, f"{path}/parts/{part.id}/complaint", **{"words-1": "Somebody else's"}).status_code == 404


def test_a_member_types_the_address_once(client, session):
    ana = make_account(session, email="ana@members.example", name="Ana Weber")
    listing = make_listing(session)
    session.commit()
    sign_in(client, session, ana)

    def checkout() -> str:
        post(client, "/basket/lines", listing_id=listing.id, quantity="2")
        return client.get("/checkout").text

    first = checkout()
    assert 'value="Ana Weber"' in first
    assert 'value="ana@members.example"' in first
    assert post(client, "/checkout", **FORM).status_code == 303
    again = checkout()
    for typed in ("Calle", "28001", "Madrid", "ana@example.org"):
        assert f'value="{typed}"' in again
    assert '<option value="ES" selected>' in again


def test_titles_stand_in_the_readers_language_where_their_producer_gave_them(client, session, basket):
    texts = {"ar": Text("قهوة مغسولة", "")}
    catalogue.set_listing_texts(session, actor=system("test"), listing_id=basket.id, language="en", translations=texts, now=NOW)
    session.commit()
    for page in ("/basket?lang=ar", "/checkout?lang=ar"):
        assert "قهوة مغسولة" in client.get(page).text
    assert "قهوة مغسولة" in client.get(post(client, "/checkout?lang=ar", **FORM).headers["Location"]).text
