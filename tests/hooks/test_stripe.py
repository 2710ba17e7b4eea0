"""The webhook door: signed once, stored once, answered."""

from datetime import timedelta

from sqlalchemy import func, select

from market.http.db import unit_of_work
from market.kernel.inbox import InboxRow
from market.kernel.outbox import OutboxRow
from market.ledger import queries as books
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


def test_a_signed_event_is_stored_once_and_handled_also_a_day_later(client, session, ports, clock):
    payment, (body, signature) = _paid_event(session, ports)

    def deliver(known: bool) -> None:
        answer = client.post("/hooks/stripe", data=body, headers={"Stripe-Signature": signature})
        assert (answer.status_code, answer.json) == (200, {"received": True, "known": known})

    deliver(known=False)
    deliver(known=True)
    row = session.scalars(select(InboxRow)).one()
    assert row.payload["payment_id"] == str(payment.id)
    assert service.handle_event(unit_of_work, ports.cards, inbox_id=row.id, now=NOW) == "applied"

    clock.instant = later = NOW + timedelta(hours=25)  # longer than the processor remembers a key
    deliver(known=True)
    assert service.handle_event(unit_of_work, ports.cards, inbox_id=row.id, now=later) is None
    assert [one.topic for one in session.scalars(select(OutboxRow)) if one.topic == "payments.paid"] == ["payments.paid"]
    assert books.check(session) == []


def test_a_forged_event_is_refused_and_leaves_no_trace(client, session, ports):
    _, (body, signature) = _paid_event(session, ports)
    for headers in ({}, {"Stripe-Signature": "t=1,v1=00"}):
        answer = client.post("/hooks/stripe", data=body, headers=headers)
        assert answer.status_code == 400
        assert answer.json["code"] == "webhook.bad_signature"
    assert client.post("/hooks/stripe", data=body + b" ", headers={"Stripe-Signature": signature}).status_code == 400
    assert client.get("/hooks/stripe").status_code == 405
    assert session.scalar(select(func.count()).select_from(InboxRow)) == 0
