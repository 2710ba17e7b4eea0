"""The webhook door: signed once, stored once, answered."""

from sqlalchemy import func, select

from market.http.db import unit_of_work
from market.kernel.inbox import InboxRow
from market.payments import service
from tests.conftest import NOW
from tests.factories.payments import make_payment


def _paid_event(session, ports):
    payment = make_payment(session)
    session.commit()
    opened = service.start_checkout(
        unit_of_work, ports.cards, payment_id=payment.id, return_url="http://r", cancel_url="http://c", now=NOW
    )
    ports.cards.pay(opened.checkout_id)
    return payment, ports.cards.signed(ports.cards.events_since(NOW)[-1])


def test_a_signed_event_is_stored_once_and_handled(client, session, ports):
    payment, (body, signature) = _paid_event(session, ports)
    for known in (False, True):
        answer = client.post("/hooks/stripe", data=body, headers={"Stripe-Signature": signature})
        assert (answer.status_code, answer.json) == (200, {"received": True, "known": known})
    row = session.scalars(select(InboxRow)).one()
    assert row.payload["payment_id"] == str(payment.id)
    assert service.handle_event(unit_of_work, ports.cards, inbox_id=row.id, now=NOW) == "applied"


def test_a_forged_event_is_refused_and_leaves_no_trace(client, session, ports):
    _, (body, signature) = _paid_event(session, ports)
    for headers in ({}, {"Stripe-Signature": "t=1,v1=00"}):
        answer = client.post("/hooks/stripe", data=body, headers=headers)
        assert answer.status_code == 400
        assert answer.json["code"] == "webhook.bad_signature"
    assert client.post("/hooks/stripe", data=body + b" ", headers={"Stripe-Signature": signature}).status_code == 400
    assert client.get("/hooks/stripe").status_code == 405
    assert session.scalar(select(func.count()).select_from(InboxRow)) == 0
