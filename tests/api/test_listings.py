"""The catalogue over the API: its answers fit their schemas, and producers manage their own offers alone."""

import json

import pytest

from market.api.v1.schemas.listings import CardPage, ListingDetail
from market.producers.models import Coop
from tests.factories.accounts import csrf_token, make_producer_account, make_staff, sign_in
from tests.factories.catalogue import make_listing, make_product
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import make_lot
from tests.unit.test_catalogue_photos import picture


@pytest.fixture
def producer(session):
    return make_producer(session, coop=make_coop(session, currency="EUR"))


@pytest.fixture
def listing(session, producer):
    made = make_listing(session, producer=producer, title="Café de altura")
    session.commit()
    return made


@pytest.fixture
def mine(client, session, producer):
    account = make_producer_account(session, producer=producer)
    session.commit()
    return sign_in(client, session, account)


def send(client, method, path, body=None, **kw):
    return client.open(path, method=method, json=body, headers={"X-CSRFToken": csrf_token(client)}, **kw)


def test_ready_made_answers_fit_their_schemas(client, listing):
    page = client.get("/api/v1/listings").get_data()
    CardPage().load(json.loads(page))
    ListingDetail().load(json.loads(client.get(f"/api/v1/listings/{listing.id}").get_data()))


def test_search_filters_and_conditional_get(client, listing):
    first = client.get("/api/v1/listings?q=cafe&category=coffee")
    assert [item["title"] for item in first.json["items"]] == ["Café de altura"]
    assert (
        client.get("/api/v1/listings?q=cafe&category=coffee", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    )
    assert client.get("/api/v1/listings?category=cocoa").json["items"] == []


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("categroy=coffee", 422, "http.422"),
        ("price_to=5", 422, "catalogue.price_filter_needs_currency"),
        ("cursor=nonsense", 422, "paging.bad_cursor"),
        ("price_to=abc&currency=EUR", 422, "http.422"),
        ("currency=euro", 422, "http.422"),
        ("price_to=NaN&currency=EUR", 422, "http.422"),
        ("q=" + "x" * 201, 422, "http.422"),
    ],
)
def test_a_faulty_query_is_a_problem(client, listing, query, status, code):
    answer = client.get(f"/api/v1/listings?{query}")
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_missing_listing_is_404(client, session):
    draft = make_listing(session, state="draft")
    session.commit()
    assert client.get(f"/api/v1/listings/{draft.id}").json["code"] == "catalogue.listing_missing"
    assert client.get("/api/v1/listings/nonsense").status_code == 404


@pytest.fixture
def body(session, producer):
    coop = session.get(Coop, producer.coop_id)
    lot, product = make_lot(session, coop=coop, producer=producer), make_product(session, kind="honey", category="honey")
    session.commit()
    return {
        "product_id": str(product.id),
        "lot_id": str(lot.id),
        "title": "Wild honey",
        "unit": "kg",
        "unit_price": "8.40",
        "currency": "EUR",
    }


def test_a_producer_drafts_publishes_changes_and_withdraws(mine, client, body):
    made = send(client, "POST", "/api/v1/listings", body)
    assert (made.status_code, made.json["state"]) == (201, "draft")
    path = f"/api/v1/listings/{made.json['id']}"
    assert send(client, "POST", f"{path}/publish").json["state"] == "published"
    assert send(client, "PATCH", path, {"unit_price": "9.10"}).json["unit_price"] == "9.100000"
    assert client.get(path).json["unit_price"] == "9.100000"
    assert send(client, "PUT", f"/api/v1/lots/{body['lot_id']}/stock", {"on_hand": "12"}).status_code == 204
    assert client.get(path).json["stock"] == {"free": "12.000000", "unit": "kg"}
    assert send(client, "POST", f"{path}/withdraw", {"reason": "sold"}).json["state"] == "withdrawn"
    assert client.get(path).status_code == 404
    assert [item["title"] for item in client.get("/api/v1/my/listings").json["items"]] == ["Wild honey"]


def test_a_photo_is_resized_and_a_hostile_one_refused(mine, client, listing):
    path = f"/api/v1/listings/{listing.id}/photo?alt=Drying+beds"
    headers = {"X-CSRFToken": csrf_token(client), "Content-Type": "image/jpeg"}
    answer = client.put(path, data=picture(), headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json["photo"]["alt"] == "Drying beds"
    assert client.get("/media/" + answer.json["photo"]["sizes"][0]["key"]).status_code == 200
    assert client.put(path, data=b"<svg onload=alert(1)>", headers=headers).json["code"] == "catalogue.photo_refused"


def test_the_stock_of_somebody_else_in_the_same_co_op_is_missing(client, session, listing, producer):
    coop = session.get(Coop, producer.coop_id)
    sign_in(client, session, make_producer_account(session, producer=make_producer(session, coop=coop)))
    session.commit()
    assert send(client, "PUT", f"/api/v1/lots/{listing.lot_id}/stock", {"on_hand": "1"}).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"title": "Taken over"}),
        ("POST", "/publish", None),
        ("POST", "/withdraw", {"reason": "mine now"}),
    ],
)
def test_other_peoples_listings_are_missing(client, session, listing, method, path, body):
    elsewhere = make_coop(session)
    for account in (
        make_producer_account(session, producer=make_producer(session, coop=elsewhere)),
        make_staff(session, coop=elsewhere),
    ):
        session.commit()
        sign_in(client, session, account)
        assert send(client, method, f"/api/v1/listings/{listing.id}{path}", body).status_code == 404
    assert client.get(f"/api/v1/listings/{listing.id}").json["title"] == "Café de altura"


def test_products_are_added_once(mine, client):
    body = {"category": "coffee", "kind": "coffee", "variety": "robusta", "name": "Robusta"}
    one, two = (send(client, "POST", "/api/v1/products", body).json for _ in range(2))
    assert one == two
    assert one in client.get("/api/v1/products").json["items"]


def test_commands_rebuild_and_reevaluate(app, session, listing):
    runner = app.test_cli_runner()
    assert "1 cards written" in runner.invoke(args=["catalogue", "rebuild-cards"]).output
    assert "offers checked" in runner.invoke(args=["catalogue", "reevaluate"]).output
