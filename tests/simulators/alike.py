"""What localstripe and our stand-in answer alike: what is asked, and the facts that both give (decision 0096)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from market.kernel.ids import new_id
from market.kernel.money import Money
from market.payments.ports import RefundOrder
from tests.simulators.asking import (
    FAILS,
    LATER,
    Case,
    again,
    amounts_of,
    answered,
    booked,
    cancelled,
    captured,
    card,
    charge_of,
    charged,
    debit,
    declined,
    made,
    paid,
    refund,
    refunded,
    told_of,
)
from tests.simulators.conftest import Processor, reach

REFUSED = {"raised": "InvalidRequestError", "http": 400, "type": "invalid_request_error"}
UNKNOWN = REFUSED | {"http": 404}
PAID = {"status": "succeeded", "amount": 10_000, "currency": "eur", "next_action": None, "last_payment_error": None}
CHALLENGES = ("4000002500003155", "4000002760003184", "4000000000003220")
CHALLENGED_THEN_DECLINED = "4000008260003178"
WHOLE = {"payment_id": "0193", "language": "es"}


def pages(of: Processor) -> dict[str, Any]:
    """Walk the list of intents in pages of two: each of three fresh ones comes once."""
    fresh = {made(of).id for _ in range(3)}
    first = of.api.payment_intents.list({"limit": 2})
    seen = [intent.id for intent in of.api.payment_intents.list({"limit": 7}).auto_paging_iter()]
    return {
        "object": first.object,
        "url": first.url,
        "first": len(first.data),
        "more": first.has_more,
        "all there": fresh <= set(seen),
        "once": len(seen) == len(set(seen)),
    }


def by_gateway(of: Processor) -> dict[str, Any]:
    """Give a part back by our own gateway and read it again by the same."""
    intent = paid(of)
    order = RefundOrder(new_id(), f"refund-{intent.id}", intent.id, Money(400, "EUR"))
    answer = of.cards.refund(order)
    return {
        "state": answer.state,
        "money": answer.money,
        "ours": answer.refund_id == order.refund_id,
        "intent": answer.intent_id == intent.id,
        "found": list(of.cards.refunds_of(intent.id)) == [answer],
    }


def events_by_gateway(of: Processor) -> dict[str, Any]:
    """What our gateway reads of the events since an hour ago about one payment."""
    payment_id = str(new_id())
    intent = paid(of, metadata={"payment_id": payment_id})
    events = [event for event in of.cards.events_since(datetime.now(UTC) - timedelta(hours=1)) if event.payment_id == payment_id]
    event = next(event for event in events if event.kind == "payment_intent.succeeded")
    return {
        "intent": event.intent_id == event.object_id == intent.id,
        "fresh": datetime.now(UTC) - event.happened_at < timedelta(minutes=5),
        "id": event.event_id,
    }


ALIKE = [
    # Test cards and accounts (docs.stripe.com/testing)
    Case(
        "a card is known by its number",
        card,
        {
            "object": "payment_method",
            "id": "pm_",
            "type": "card",
            "card.last4": "4242",
            "card.brand": "visa",
            "card.exp_year": 2034,
        },
    ),
    Case(
        "a card is read again",
        lambda of: of.api.payment_methods.retrieve(card(of).id),
        {"id": "pm_", "card.last4": "4242", "card.exp_month": 12, "customer": None, "livemode": False},
    ),
    Case("an account is known by its IBAN", debit, {"type": "sepa_debit", "sepa_debit.last4": "3201", "id": "pm_"}),
    Case("a card whose time is over", lambda of: card(of, exp_year=2018), {"code": "invalid_expiry_year"}),
    # An intent is made
    Case(
        "an intent is made and nothing moves",
        lambda of: made(of, metadata=WHOLE),
        {
            "object": "payment_intent",
            "id": "pi_",
            "status": "requires_payment_method",
            "amount": 10_000,
            "currency": "eur",
            "capture_method": "automatic_async",
            "latest_charge": None,
            "payment_method": None,
            "metadata": WHOLE,
            "livemode": False,
            "client_secret": "pi_",
        },
    ),
    Case(
        "it is read again",
        lambda of: again(of, made(of, metadata=WHOLE)),
        {"amount": 10_000, "metadata": WHOLE, "next_action": None},
    ),
    Case(
        "it waits for its confirmation", lambda of: made(of, payment_method="pm_card_visa"), {"status": "requires_confirmation"}
    ),
    Case(
        "amounts without decimals stay as they are",
        lambda of: paid(of, amount=500, currency="jpy"),
        PAID | {"amount": 500, "currency": "jpy"},
    ),
    Case("shillings", lambda of: charge_of(of, paid(of, amount=123_456, currency="kes")), {"amount": 123_456, "currency": "kes"}),
    # A card pays
    Case("4242 pays at once", paid, PAID),
    Case("4242 pays by its number", lambda of: charged(of, "4242424242424242"), PAID),
    Case(
        "4242 pays when it is confirmed",
        lambda of: of.api.payment_intents.confirm(made(of, payment_method="pm_card_visa").id),
        PAID,
    ),
    Case(
        "its charge",
        lambda of: charge_of(of, paid(of)),
        {
            "object": "charge",
            "id": "ch_",
            "status": "succeeded",
            "paid": True,
            "captured": True,
            "refunded": False,
            "amount": 10_000,
            "amount_refunded": 0,
            "currency": "eur",
            "payment_intent": "pi_",
            "payment_method": "pm_",
            "balance_transaction": "txn_",
            "failure_code": None,
            "failure_message": None,
        },
    ),
    Case(
        "what its charge moved",
        lambda of: booked(of, charge_of(of, paid(of))),
        {
            "type": "charge",
            "reporting_category": "charge",
            "amount": 10_000,
            "currency": "eur",
            "source": "ch_",
            "status": "available",
        },
    ),
    Case(
        "intent, charge and balance in one answer",
        lambda of: of.api.payment_intents.retrieve(paid(of).id, {"expand": ["latest_charge.balance_transaction"]}),
        {
            "id": "pi_",
            "latest_charge.id": "ch_",
            "latest_charge.balance_transaction.type": "charge",
            "latest_charge.balance_transaction.amount": 10_000,
        },
    ),
    Case(
        "what cannot be expanded", lambda of: of.api.payment_intents.retrieve(paid(of).id, {"expand": ["latest_honey"]}), REFUSED
    ),
    Case(
        "what is expanded too deep", lambda of: of.api.payment_intents.retrieve(paid(of).id, {"expand": ["a.b.c.d.e"]}), REFUSED
    ),
    # A card is declined
    Case(
        "a declined card",
        lambda of: paid(of, payment_method=FAILS),
        {"raised": "CardError", "http": 402, "code": "card_declined", "message": "Your card was declined.", "charge": "ch_"},
    ),
    Case(
        "a card declined by its number",
        lambda of: charged(of, "4000000000000341"),
        {"raised": "CardError", "http": 402, "code": "card_declined"},
    ),
    Case(
        "the intent of a declined card",
        declined,
        {
            "status": "requires_payment_method",
            "last_payment_error.code": "card_declined",
            "last_payment_error.message": "Your card was declined.",
            "last_payment_error.charge": "ch_",
        },
    ),
    Case(
        "the charge of a declined card moves nothing",
        lambda of: charge_of(of, declined(of)),
        {
            "status": "failed",
            "paid": False,
            "failure_code": "card_declined",
            "failure_message": "Your card was declined.",
            "balance_transaction": None,
            "amount_refunded": 0,
            "refunded": False,
        },
    ),
    # 3-D Secure
    *(
        Case(
            f"the bank asks before {number[-4:]} pays",
            lambda of, number=number: charged(of, number),
            {"status": "requires_action", "latest_charge": None},
        )
        for number in CHALLENGES
    ),
    *(
        Case(f"the buyer approves {number[-4:]}", lambda of, number=number: answered(of, number, approve=True), PAID)
        for number in CHALLENGES
    ),
    Case(
        "the buyer refuses",
        lambda of: answered(of, CHALLENGES[0], approve=False),
        {
            "status": "requires_payment_method",
            "last_payment_error.code": "payment_intent_authentication_failure",
            "next_action": None,
        },
    ),
    Case(
        "the buyer approves and the bank declines",
        lambda of: answered(of, CHALLENGED_THEN_DECLINED, approve=True),
        {"status": "requires_payment_method", "last_payment_error.code": "card_declined"},
    ),
    Case(
        "its charge failed",
        lambda of: charge_of(of, answered(of, CHALLENGED_THEN_DECLINED, approve=True)),
        {"status": "failed", "paid": False},
    ),
    # Taken when it is packed
    Case(
        "an authorisation",
        lambda of: paid(of, **LATER),
        {"status": "requires_capture", "capture_method": "manual", "amount": 10_000},
    ),
    Case(
        "the charge of an authorisation",
        lambda of: charge_of(of, paid(of, **LATER)),
        {
            "status": "succeeded",
            "paid": True,
            "captured": False,
            "balance_transaction": None,
            "amount_refunded": 0,
            "refunded": False,
        },
    ),
    Case("all of it is taken", captured, PAID | {"capture_method": "manual"}),
    Case(
        "the charge of what was taken",
        lambda of: charge_of(of, captured(of)),
        {"captured": True, "balance_transaction": "txn_", "refunded": False},
    ),
    Case(
        "what it moved", lambda of: booked(of, charge_of(of, captured(of))), {"type": "charge", "amount": 10_000, "source": "ch_"}
    ),
    Case("less of it is taken", lambda of: captured(of, 4_000), PAID),
    Case("more than was authorised", lambda of: captured(of, 10_001), REFUSED),
    Case("taken twice", lambda of: of.api.payment_intents.capture(captured(of).id), REFUSED),
    Case("taken of what is paid", lambda of: of.api.payment_intents.capture(paid(of).id), REFUSED),
    Case("an authorisation is let go", lambda of: of.api.payment_intents.cancel(paid(of, **LATER).id), {"status": "canceled"}),
    Case(
        "its charge was never taken",
        lambda of: charge_of(of, of.api.payment_intents.cancel(paid(of, **LATER).id)),
        {"captured": False, "balance_transaction": None, "amount_refunded": 0, "refunded": False},
    ),
    # Cancelled, and what cannot be done any more
    Case("an intent is cancelled", cancelled, {"status": "canceled", "latest_charge": None}),
    Case(
        "a challenge is cancelled",
        lambda of: of.api.payment_intents.cancel(charged(of, CHALLENGES[0]).id),
        {"status": "canceled", "next_action": None},
    ),
    Case("cancelled twice", lambda of: of.api.payment_intents.cancel(cancelled(of).id), REFUSED),
    Case("cancelled when it is paid", lambda of: of.api.payment_intents.cancel(paid(of).id), REFUSED),
    Case(
        "confirmed when it is cancelled",
        lambda of: of.api.payment_intents.confirm(cancelled(of, payment_method="pm_card_visa").id),
        REFUSED,
    ),
    Case("confirmed when it is paid", lambda of: of.api.payment_intents.confirm(paid(of).id), REFUSED),
    Case("confirmed without a card", lambda of: of.api.payment_intents.confirm(made(of).id), REFUSED),
    # Money given back
    Case(
        "all is given back",
        lambda of: refund(of, metadata={"refund_id": "0194"}),
        {
            "object": "refund",
            "id": "re_",
            "status": "succeeded",
            "amount": 10_000,
            "currency": "eur",
            "charge": "ch_",
            "payment_intent": "pi_",
            "balance_transaction": "txn_",
            "metadata": {"refund_id": "0194"},
        },
    ),
    Case("a part is given back", lambda of: refund(of, amount=3_000), {"status": "succeeded", "amount": 3_000}),
    Case(
        "a part of a charge", lambda of: refund(of, charge=charge_of(of, paid(of)).id, amount=1), {"amount": 1, "charge": "ch_"}
    ),
    Case("what was authorised, taken and given back", lambda of: refund(of, payment_intent=captured(of).id), {"amount": 10_000}),
    Case(
        "a refund is read again", lambda of: of.api.refunds.retrieve(refund(of, amount=3_000).id), {"id": "re_", "amount": 3_000}
    ),
    Case(
        "the charge after a part",
        lambda of: charge_of(of, refunded(of, 3_000)),
        {"amount_refunded": 3_000, "refunded": False, "amount": 10_000},
    ),
    Case(
        "the charge after two parts",
        lambda of: charge_of(of, refunded(of, 3_000, 4_000)),
        {"amount_refunded": 7_000, "refunded": False},
    ),
    Case(
        "the charge after all in parts",
        lambda of: charge_of(of, refunded(of, 3_000, 7_000)),
        {"amount_refunded": 10_000, "refunded": True},
    ),
    Case("the intent stays paid", lambda of: again(of, refunded(of, 10_000)), PAID),
    Case(
        "the refunds of an intent, and no others",
        lambda of: amounts_of(of, refunded(of, 3_000, 4_000)),
        {"amounts": [3_000, 4_000], "more": False, "object": "list"},
    ),
    Case("no refunds", lambda of: amounts_of(of, paid(of)), {"amounts": [], "more": False}),
    Case(
        "what a refund moved",
        lambda of: booked(of, refund(of, amount=3_000)),
        {
            "type": "refund",
            "reporting_category": "refund",
            "amount": -3_000,
            "net": -3_000,
            "fee": 0,
            "currency": "eur",
            "source": "re_",
        },
    ),
    Case("nothing is given back", lambda of: refund(of, amount=0), REFUSED),
    Case("less than nothing is given back", lambda of: refund(of, amount=-1), REFUSED),
    Case("a word is given back", lambda of: refund(of, amount="all"), REFUSED),
    Case("given back of nothing", lambda of: of.api.refunds.create({}), REFUSED),
    Case("given back of both", lambda of: refund(of, payment_intent=(i := paid(of)).id, charge=charge_of(of, i).id), REFUSED),
    Case("given back before it is paid", lambda of: refund(of, payment_intent=made(of).id), REFUSED),
    Case("given back of a declined card", lambda of: refund(of, payment_intent=declined(of).id), REFUSED),
    Case(
        "given back of an unknown intent", lambda of: refund(of, payment_intent="pi_unknown"), {"raised": "InvalidRequestError"}
    ),
    Case("given back of an unknown charge", lambda of: refund(of, charge="ch_unknown"), {"raised": "InvalidRequestError"}),
    # Wrong requests and unknown things
    *(
        Case(f"an amount of {amount}", lambda of, amount=amount: made(of, amount=amount), REFUSED)
        for amount in (0, -5, "many", "1.5", "")
    ),
    Case("no amount", lambda of: of.api.payment_intents.create({"currency": "eur"}), REFUSED),  # type: ignore[typeddict-item]
    Case("no currency", lambda of: of.api.payment_intents.create({"amount": 100}), REFUSED),  # type: ignore[typeddict-item]
    Case("a parameter that there is not", lambda of: made(of, amuont=1), REFUSED),
    Case("a way of capture that there is not", lambda of: made(of, capture_method="sometimes"), REFUSED),
    Case("a card that there is not", lambda of: paid(of, payment_method="pm_unknown"), {"raised": "InvalidRequestError"}),
    Case("pages of nothing", lambda of: of.api.payment_intents.list({"limit": 0}), REFUSED),
    Case("an unknown intent", lambda of: of.api.payment_intents.retrieve("pi_unknown"), UNKNOWN),
    Case("an unknown intent is confirmed", lambda of: of.api.payment_intents.confirm("pi_unknown"), UNKNOWN),
    Case("an unknown intent is taken", lambda of: of.api.payment_intents.capture("pi_unknown"), UNKNOWN),
    Case("an unknown intent is cancelled", lambda of: of.api.payment_intents.cancel("pi_unknown"), UNKNOWN),
    Case("an unknown charge", lambda of: of.api.charges.retrieve("ch_unknown"), UNKNOWN),
    Case("an unknown refund", lambda of: of.api.refunds.retrieve("re_unknown"), UNKNOWN),
    Case("an unknown card", lambda of: of.api.payment_methods.retrieve("pm_unknown"), UNKNOWN),
    Case("an unknown movement", lambda of: of.api.balance_transactions.retrieve("txn_unknown"), UNKNOWN),
    Case("an unknown payout", lambda of: of.api.payouts.retrieve("po_unknown"), UNKNOWN),
    Case("an unknown event", lambda of: of.api.events.retrieve("evt_unknown"), UNKNOWN),
    Case(
        "a key that is no secret key",
        lambda of: made(reach(of.server, "pk_test_local")),
        {"raised": "AuthenticationError", "http": 401, "type": "invalid_request_error"},
    ),
    # Lists and events
    Case(
        "lists in pages",
        pages,
        {"object": "list", "url": "/v1/payment_intents", "first": 2, "more": True, "all there": True, "once": True},
    ),
    Case(
        "payouts before there are any",
        lambda of: of.api.payouts.list(),
        {"object": "list", "data": [], "has_more": False, "url": "/v1/payouts"},
    ),
    Case(
        "the event of a paid intent",
        lambda of: told_of(of, paid(of, metadata=WHOLE), "payment_intent.succeeded"),
        {
            "count": 1,
            "event.object": "event",
            "event.id": "evt_",
            "event.livemode": False,
            "subject.id": "pi_",
            "subject.object": "payment_intent",
            "subject.status": "succeeded",
            "subject.amount": 10_000,
            "subject.metadata": WHOLE,
        },
    ),
    Case(
        "the event of what was taken",
        lambda of: told_of(of, captured(of), "payment_intent.succeeded"),
        {"count": 1, "subject.status": "succeeded"},
    ),
    Case("no event before it is taken", lambda of: told_of(of, paid(of, **LATER), "payment_intent.succeeded"), {"count": 0}),
    Case(
        "the event of a declined card",
        lambda of: told_of(of, declined(of), "payment_intent.payment_failed"),
        {"count": 1, "subject.status": "requires_payment_method", "subject.last_payment_error.code": "card_declined"},
    ),
    Case("no event of a challenge", lambda of: told_of(of, charged(of, CHALLENGES[0]), "payment_intent.succeeded"), {"count": 0}),
    Case(
        "an event is read again",
        lambda of: of.api.events.retrieve(told_of(of, paid(of), "payment_intent.succeeded")["event"].id),
        {"type": "payment_intent.succeeded", "data.object.status": "succeeded"},
    ),
    # Our own gateway
    Case(
        "our gateway gives back",
        by_gateway,
        {"state": "succeeded", "money": Money(400, "EUR"), "ours": True, "intent": True, "found": True},
    ),
    Case("our gateway reads events", events_by_gateway, {"intent": True, "fresh": True, "id": "evt_"}),
]
