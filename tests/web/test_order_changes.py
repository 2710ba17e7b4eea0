"""The pages and calls by which a paid order changes, as buyer, as guest with the key, and as producer."""

from uuid import UUID

import pytest

from market.http import links
from market.http.card_page import LINK
from market.orders import change_queries
from market.producers.models import Producer
from tests.factories.accounts import csrf_token, make_producer_account, sign_in
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order, parts_of


@pytest.fixture
def bought(session):
    """A paid order of 2 with something else of its producer on sale, as a guest has it: the key and the only part."""
    listing = make_listing(session)
    producer = session.get_one(Producer, listing.producer_id)
    other = make_listing(session, producer=producer)
    placed = paid_order(session, listing)
    session.commit()
    (part,) = parts_of(session, placed.order_id)
    return placed.order_id, links.key_for(LINK, placed.order_id), part, other.id, producer.id


def part_now(session, order_id):
    (part,) = parts_of(session, order_id)
    return part


def test_a_guest_takes_less_and_then_more_on_the_page_of_the_order(client, session, bought):
    order_id, key, part, _, _ = bought
    page = client.get(f"/orders/{order_id}?key={key}").text
    assert "Change or cancel" in page
    name, url = f"quantity-{part.lines[0].id}", f"/orders/{order_id}/parts/{part.id}/change"
    form = {"csrf_token": csrf_token(client), "key": key}
    assert client.post(url, data=form | {"key": "wrong", name: "1"}).status_code == 404
    assert client.post(url, data=form | {name: "1"}).status_code == 303
    assert part_now(session, order_id).lines[0].returned == 1
    for _ in range(2):  # the same form twice is one further order
        client.post(url, data=form | {name: "3"})
    (further,) = change_queries.supplements(session, order_id)
    page = client.get(f"/orders/{order_id}?key={key}").text
    assert f"order {further.number} waits for" in page
    beside = client.get(f"/orders/{further.order_id}?key={links.key_for(LINK, further.order_id)}").text
    assert "Ordered besides order" in beside


def test_the_same_call_twice_changes_once(client, session, bought):
    order_id, key, part, _, _ = bought
    url = f"/api/v1/orders/{order_id}/parts/{part.id}/changes?key={key}"
    body = {"lines": [{"line_id": str(part.lines[0].id), "quantity": "3"}]}
    first, second = (client.post(url, json=body, headers={"Idempotency-Key": "change-0001"}) for _ in range(2))
    assert (first.status_code, second.json["more"]["id"]) == (201, first.json["more"]["id"])
    assert first.json["refund_id"] is None
    gone = {"lines": [{"line_id": str(part.lines[0].id), "quantity": "0"}]}
    cancelled = client.post(url, json=gone, headers={"Idempotency-Key": "change-0002"})
    assert UUID(cancelled.json["refund_id"])
    assert part_now(session, order_id).state == "refunded"


def test_a_producer_asks_and_the_buyer_says_yes(client, session, bought):
    order_id, key, part, other, producer = bought
    sign_in(client, session, make_producer_account(session, producer=session.get_one(Producer, producer)))
    url = f"/producer/orders/{part.id}"
    assert "Offer something else" in client.get(url).text
    form = {"csrf_token": csrf_token(client), "line": part.lines[0].id, "listing": other, "quantity": "1", "words": "Broke"}
    client.post(f"{url}/substitute", data=form)
    assert "The buyer is asked" in client.get(url).text
    sign_in(client, session, None)
    page = client.get(f"/orders/{order_id}?key={key}").text
    assert "may this be sent instead?" in page
    (asked,) = client.get(f"/api/v1/orders/{order_id}/substitutes?key={key}").json["items"]
    assert (asked["state"], asked["words"]) == ("proposed", "Broke")
    answer = {"csrf_token": csrf_token(client), "key": key, "answer": "yes"}
    assert client.post(f"/orders/{order_id}/substitutes/{asked['id']}", data=answer).status_code == 303
    assert [line.returned for line in part_now(session, order_id).lines] == [2, 0]
    said = client.put(
        f"/api/v1/orders/{order_id}/substitutes/{asked['id']}?key={key}",
        json={"accept": False},
        headers={"X-CSRFToken": answer["csrf_token"]},
    )
    assert said.json["code"] == "orders.wrong_state"
