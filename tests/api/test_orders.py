"""Orders over the API: idempotent, refused in words, private to who may see them."""

from uuid import UUID

import pytest

from tests.factories.accounts import make_staff, sign_in
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order, parts_of
from tests.factories.producers import make_coop

BUYER = {"name": "Ana", "email": "ana@example.org", "street": "Calle", "postcode": "28001", "town": "Madrid", "country": "ES"}


@pytest.fixture
def listing(session):
    listing = make_listing(session)
    session.commit()
    return listing


def order(client, listing, key="key-0001-0001", **body):
    document = {"lines": [{"listing_id": str(listing.id), "quantity": "2"}], "buyer": BUYER, "method": "transfer"} | body
    return client.post("/api/v1/orders", json=document, headers={"Idempotency-Key": key})


def test_the_same_order_sent_twice_is_one(client, listing):
    first, second = order(client, listing), order(client, listing)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.json["transfer"]["reference"].startswith("RF")
    other = order(client, listing, method="card")
    assert (other.status_code, other.json["code"]) == (409, "idempotency.other_input")


def test_an_order_opens_by_its_key_only(client, listing):
    placed = order(client, listing).json
    url = f"/api/v1/orders/{placed['id']}"
    assert client.get(url).status_code == 404
    answer = client.get(url, query_string={"key": placed["key"]})
    assert answer.status_code == 200
    parts = answer.json["parts"]
    breakdown = parts[0]["lines"][0]["breakdown"]
    assert sum(part["amount"]["minor"] for part in breakdown) == answer.json["total"]["minor"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"lines": []}, 422, "http.422"),
        ({"lines": [{"listing_id": str(UUID(int=1)), "quantity": "1"}]}, 409, "orders.listing_gone"),
        ({"method": "cheque"}, 422, "http.422"),
        ({"surprise": 1}, 422, "http.422"),
        ({"buyer": BUYER | {"country": "Spain"}}, 422, "http.422"),
        ({"buyer": BUYER | {"country": "XX"}}, 422, "http.422"),
        ({"buyer": BUYER | {"email": "ana@buyers"}}, 422, "http.422"),
        ({"buyer": BUYER | {"postcode": "1"}}, 422, "address.bad_postcode"),
    ],
)
def test_refusals_are_problems_with_a_code(client, listing, change, status, code):
    answer = order(client, listing, **change)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"


def test_without_a_key_an_order_is_refused(client, listing):
    answer = client.post(
        "/api/v1/orders", json={"lines": [{"listing_id": str(listing.id), "quantity": "2"}], "buyer": BUYER, "method": "card"}
    )
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency.key_needed")


def test_misspelt_filters_are_refused(client, session, listing):
    coop = make_coop(session)
    sign_in(client, session, make_staff(session, coop=coop))
    assert client.get("/api/v1/seller-orders?stat=paid").status_code == 422


def test_staff_of_another_coop_finds_nothing(client, session, listing):
    placed = paid_order(session, listing)
    (part,) = parts_of(session, placed.order_id)
    sign_in(client, session, make_staff(session, coop=make_coop(session)))
    assert client.get("/api/v1/seller-orders").json["items"] == []
    assert client.get(f"/api/v1/seller-orders/{part.id}").status_code == 404
