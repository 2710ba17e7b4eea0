"""How much may be ordered and left unpaid: by e-mail address, by network, by account; and whose an idempotency key is."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.api.test_orders import BUYER
from tests.conftest import NOW
from tests.factories.accounts import csrf_token, make_account, sign_in
from tests.factories.catalogue import make_listing


@pytest.fixture
def listing(session):
    listing = make_listing(session, on_hand=1000)
    session.commit()
    return listing


@pytest.fixture
def limits(app, monkeypatch):
    """Set limits of the site for one test; those not named are off."""

    def set_limits(**values):
        off = dict.fromkeys(("guest_orders_per_email", "guest_orders_per_address", "unpaid_orders", "guest_unpaid_value"), 0)
        monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], **(off | values)))

    return set_limits


def place(client, listing, number, email="ana@example.org", **more):
    lines = more.pop("lines", None) or [{"listing_id": str(listing.id), "quantity": "2"}]
    document = {"lines": lines, "buyer": BUYER | {"email": email}, "method": "transfer"} | more
    return client.post("/api/v1/orders", json=document, headers={"Idempotency-Key": f"key-{number:08}"})


def signed_in(client, session):
    sign_in(client, session, make_account(session))
    session.commit()
    client.environ_base["HTTP_X_CSRFTOKEN"] = csrf_token(client)


def test_a_guest_places_only_so_many_orders_an_hour_by_one_address(client, listing, limits, clock):
    limits(guest_orders_per_email=2)
    assert [place(client, listing, number).status_code for number in (1, 2)] == [201, 201]
    refused = place(client, listing, 3)
    assert (refused.status_code, refused.json["code"], refused.headers["Retry-After"]) == (429, "orders.too_many", "3600")
    assert place(client, listing, 4, email="bo@example.org").status_code == 201
    assert place(client, listing, 1).headers["Idempotent-Replayed"] == "true"
    clock.instant = NOW + timedelta(minutes=61)
    assert place(client, listing, 5).status_code == 201


def test_other_addresses_from_the_same_network_are_counted_together(client, session, listing, limits):
    limits(guest_orders_per_address=2)
    assert [place(client, listing, n, email=f"b{n}@example.org").status_code for n in (1, 2, 3)] == [201, 201, 429]
    client.environ_base["REMOTE_ADDR"] = "2001:db8:1:2::3"
    assert [place(client, listing, n, email=f"b{n}@example.org").status_code for n in (4, 5)] == [201, 201]
    client.environ_base["REMOTE_ADDR"] = "2001:db8:1:2:ffff::9"  # another address of the same household
    assert place(client, listing, 6, email="b6@example.org").status_code == 429
    signed_in(client, session)
    assert place(client, listing, 7, email="b7@example.org").status_code == 201


def test_unpaid_transfers_of_one_buyer_are_few_and_a_card_is_always_taken(client, listing, limits):
    limits(unpaid_orders=1)
    first = place(client, listing, 1).json
    refused = place(client, listing, 2)
    assert (refused.status_code, refused.json["code"]) == (409, "orders.too_much_unpaid")
    assert place(client, listing, 3, method="card").status_code == 201
    client.post(f"/api/v1/orders/{first['id']}/cancel", query_string={"key": first["key"]})
    assert place(client, listing, 4).status_code == 201


def test_a_guest_keeps_goods_of_a_limited_value_and_an_account_more(client, session, listing, limits):
    limits(guest_unpaid_value=10)
    many = [{"listing_id": str(listing.id), "quantity": "100"}]
    refused = place(client, listing, 1, lines=many)
    assert (refused.status_code, refused.json["code"]) == (409, "orders.too_much_unpaid")
    assert "10.00 EUR" in refused.json["detail"]
    signed_in(client, session)
    assert place(client, None, 2, lines=many).status_code == 201


def test_an_account_has_its_own_count(client, session, listing, limits):
    limits(unpaid_orders=2)
    signed_in(client, session)
    assert [place(client, listing, n, email=f"b{n}@example.org").status_code for n in (1, 2, 3)] == [201, 201, 409]


def test_nobody_has_a_stranger_written_to_by_ordering_and_cancelling(client, session, listing, limits, clock):
    limits(guest_orders_per_email=2, unpaid_orders=5)
    signed_in(client, session)
    for number, method in ((1, "transfer"), (2, "card")):
        made = place(client, listing, number, email="eva@example.org", method=method).json
        client.post(f"/api/v1/orders/{made['id']}/cancel", query_string={"key": made["key"]})
    refused = place(client, listing, 3, email="eva@example.org", method="card")
    assert (refused.status_code, refused.json["code"], refused.headers["Retry-After"]) == (429, "orders.too_many", "3600")
    assert place(client, listing, 4, email="own@example.org").status_code == 201
    clock.instant = NOW + timedelta(minutes=61)
    assert place(client, listing, 5, email="eva@example.org").status_code == 201


def test_goods_are_kept_for_a_transfer_as_long_as_the_coop_says(client, session, listing):
    from market.producers.models import Coop

    session.get(Coop, listing.coop_id).transfer_hold_days = 2
    session.commit()
    placed = place(client, listing, 1).json
    seen = client.get(f"/api/v1/orders/{placed['id']}", query_string={"key": placed["key"]}).json
    assert datetime.fromisoformat(seen["expires_at"]) == NOW + timedelta(days=2)


def test_two_guests_with_the_same_key_do_not_meet(client, listing):
    first = place(client, listing, 1, email="ana@example.org")
    second = place(client, listing, 1, email="bo@example.org")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json["id"] != second.json["id"]
    assert "Idempotent-Replayed" not in second.headers


def test_the_answer_by_hand_is_what_its_schema_says(client, listing):
    from market.api.v1.schemas.orders import PlacedOut

    placed = place(client, listing, 1).json
    assert set(placed) == set(PlacedOut().fields)
    assert set(placed["transfer"]) == set(PlacedOut().fields["transfer"].schema.fields)
