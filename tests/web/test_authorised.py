"""The pages and calls of an order whose card is charged when it is packed: buyer, producer, staff."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from market.http import links
from market.http.card_page import LINK
from market.orders import queries, service
from market.payments import queries as payment_queries
from market.payments import service as payments
from market.payments.ports import Checkout
from market.producers.models import Coop, Producer
from tests.factories.accounts import csrf_token, make_producer_account, make_staff, sign_in
from tests.factories.catalogue import make_listing
from tests.factories.orders import parts_of, place


@pytest.fixture
def kept(session):
    """An order of 4 whose amount is kept on a card: the order, its only part, its co-op and its producer."""
    listing, now = make_listing(session), datetime.now(UTC)
    session.get_one(Coop, listing.coop_id).charge_when_packed = True
    placed = place(session, listing, quantity=4, now=now)
    page = payments.prepare_checkout(session, payment_id=placed.payment_id, return_url="http://r", cancel_url="http://c", now=now)
    assert page.take_later
    seen = Checkout(f"cs_{placed.payment_id.hex}", "authorised", None, f"pi_{placed.payment_id.hex}")
    payments.record_checkout(session, payment_id=placed.payment_id, seen=seen, now=now)
    service.mark_authorised(session, order_id=placed.order_id, now=now)
    session.commit()
    (part,) = parts_of(session, placed.order_id)
    return placed, part, part.coop_id, part.producer_id


def address(placed) -> str:
    return f"/orders/{placed.order_id}?key={links.key_for(LINK, placed.order_id)}"


def decision(session, placed):
    session.expire_all()
    service.charge_packed(session, order_id=placed.order_id, now=datetime.now(UTC))
    return payment_queries.authorisation(session, placed.payment_id)


def test_a_producer_weighs_on_the_packing_note_and_the_buyer_sees_it(client, session, kept):
    placed, part, _, producer_id = kept
    assert "is kept on your card" in client.get(address(placed)).text
    sign_in(client, session, make_producer_account(session, producer=session.get_one(Producer, producer_id)))
    page = client.get(f"/producer/orders/{part.id}").text
    assert "Weigh and pack" in page
    name, form = f"sent-{part.lines[0].id}", {"csrf_token": csrf_token(client)}
    for wrong in ("5", "much"):
        refused = client.post(f"/producer/orders/{part.id}/pack", data=form | {name: wrong})
        assert refused.status_code == 422
        assert f'id="e-{name}"' in refused.text
    url, said = f"/producer/orders/{part.id}/pack", form | {name: "2.5"}
    assert "Is this what you send" in client.post(url, data=said).text
    assert 'value="2.5"' in client.post(url, data=said | {"sure": "no"}).text, "what was typed is kept"
    assert decision(session, placed).decision is None
    assert client.post(url, data=said | {"sure": "yes"}).status_code == 303
    assert "Noted. The card is charged now" in client.get(f"/producer/orders/{part.id}").text
    kept_now = decision(session, placed)
    assert kept_now.captured == queries.order(session, placed.order_id).charged
    seen = client.get(address(placed)).text
    assert "not there, not charged: 1.5" in seen
    assert "Cancel this order" not in seen


def test_staff_are_asked_once_more_and_weigh_for_the_producer(client, session, kept):
    placed, part, coop_id, _ = kept
    sign_in(client, session, make_staff(session, coop=session.get_one(Coop, coop_id)))
    assert "is kept on the buyer" in client.get(f"/console/orders/{part.id}").text
    form = {"csrf_token": csrf_token(client), f"sent-{part.lines[0].id}": "0"}
    url = f"/console/orders/{part.id}/pack"
    assert "Is this what is sent" in client.post(url, data=form).text
    assert client.post(url, data=form | {"sure": "yes"}).status_code == 303
    assert decision(session, placed).decision == "release"
    late = client.post(url, data=form | {"sure": "yes"})
    assert late.status_code == 422


def test_a_program_packs_and_a_buyer_cancels(client, session, kept):
    placed, part, coop_id, _ = kept
    gone = client.post(f"/api/v1/orders/{placed.order_id}/cancel?key={links.key_for(LINK, placed.order_id)}")
    assert (gone.status_code, gone.json["state"]) == (200, "authorised"), "it ends when the card company lets go"
    assert payment_queries.authorisation(session, placed.payment_id).decision == "release"
    sign_in(client, session, make_staff(session, coop=session.get_one(Coop, coop_id)))
    body = {"lines": [{"line_id": str(part.lines[0].id), "quantity": "3"}]}
    packed = client.post(f"/api/v1/seller-orders/{part.id}/pack", json=body, headers={"X-CSRFToken": csrf_token(client)})
    assert packed.status_code == 200, packed.json
    assert Decimal(packed.json["lines"][0]["unsent"]) == 1
