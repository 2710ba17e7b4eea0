"""Where localstripe 1.15.10 answers otherwise than Stripe's documentation, of which our stand-in keeps (decision 0096)."""

from typing import Any

import stripe

from market.gateways.stripe_client import API_VERSION
from tests.simulators.asking import (
    ABSENT,
    FAILS,
    LATER,
    Difference,
    Facts,
    again,
    amounts_of,
    booked,
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
from tests.simulators.conftest import Processor

NOT_SERVED: Facts = {"raised": "APIError", "http": 404}
BROKEN: Facts = {"raised": "APIError", "http": 500}
REFUSED: Facts = {"raised": "InvalidRequestError", "http": 400}


def refused(code: str, param: str | None = None) -> Facts:
    return {**REFUSED, "code": code, "param": param or ABSENT}


def twice(of: Processor) -> dict[str, Any]:
    """The same refund twice under one key, as after an answer that was lost."""
    intent = paid(of)
    order: Any = {"payment_intent": intent.id, "amount": 3_000}
    made_twice = [of.api.refunds.create(order, {"idempotency_key": f"refund-{intent.id}"}) for _ in range(2)]
    return {"refunds": len({one.id for one in made_twice}), **amounts_of(of, intent)}


def another_under_one_key(of: Processor) -> stripe.PaymentIntent:
    key: Any = {"idempotency_key": f"intent-{made(of).id}"}
    of.api.payment_intents.create({"amount": 10_000, "currency": "eur"}, key)
    return of.api.payment_intents.create({"amount": 9_000, "currency": "eur"}, key)


def too_much_in_parts(of: Processor) -> stripe.Refund:
    return refund(of, payment_intent=refunded(of, 3_000, 3_000).id, amount=9_000)


def let_go(of: Processor) -> stripe.PaymentIntent:
    return of.api.payment_intents.cancel(paid(of, **LATER).id)


def taken_in_part(of: Processor) -> dict[str, Any]:
    intent = captured(of, 4_000)
    charge = charge_of(of, intent)
    return {**amounts_of(of, intent), "refunded": charge.amount_refunded, "moved": booked(of, charge).amount}


def days_to_take(of: Processor) -> dict[str, Any]:
    told = charge_of(of, paid(of, **LATER)).to_dict()
    until = told.get("payment_method_details", {}).get("card", {}).get("capture_before")
    return {"days": round((until - told["created"]) / 86_400) if until else None}


def kinds_of(of: Processor, intent: stripe.PaymentIntent) -> list[str]:
    """The kinds of the last events about an intent or its charge, as the list has them."""
    charge = charge_of(of, intent).id
    events = of.api.events.list({"limit": 100}).auto_paging_iter()
    return [event.type for event in events if event.data.object.to_dict().get("id") in (intent.id, charge)]


def order_of_events(of: Processor) -> dict[str, Any]:
    """Whether the later of two payments stands first."""
    first, second = paid(of).id, paid(of).id
    events = of.api.events.list({"type": "payment_intent.succeeded", "limit": 100}).auto_paging_iter()
    seen = [event.data.object["id"] for event in events]
    return {"newest first": seen.index(second) < seen.index(first)}


DIFFERENT = [
    # What there is not
    Difference(
        "checkout sessions",
        lambda of: of.api.checkout.sessions.list(),
        ours={"object": "list"},
        theirs=NOT_SERVED,
        why="Our way in: the hosted page makes the intent (docs.stripe.com/api/checkout/sessions).",
    ),
    Difference(
        "transfers",
        lambda of: of.api.transfers.list(),
        ours={"object": "list"},
        theirs=NOT_SERVED,
        why="Our way out to payees with an account (docs.stripe.com/api/transfers).",
    ),
    Difference(
        "reversals",
        lambda of: of.api.transfers.reversals.list("tr_unknown"),
        ours={"raised": "InvalidRequestError", "http": 404},
        theirs=NOT_SERVED,
        why="A refusal in words, not a page that nobody wrote (docs.stripe.com/api/transfer_reversals).",
    ),
    Difference(
        "disputes",
        lambda of: of.api.disputes.list(),
        ours={"object": "list"},
        theirs=NOT_SERVED,
        why="A buyer's objection is answered by us (docs.stripe.com/api/disputes).",
    ),
    Difference(
        "recipients",
        lambda of: of.client.v2.core.accounts.retrieve("acct_unknown"),
        ours={"raised": "InvalidRequestError", "http": 404},
        theirs=NOT_SERVED,
        why="Accounts of payees are those of version 2 (docs.stripe.com/api/v2/core/accounts).",
    ),
    Difference(
        "charges of an intent",
        lambda of: of.api.charges.list({"payment_intent": paid(of).id}),
        ours={"data.0.status": "succeeded", "has_more": False},
        theirs=BROKEN | {"data.0.status": ABSENT},
        why="`payment_intent` filters the list (docs.stripe.com/api/charges/list).",
    ),
    Difference(
        "movements since an instant",
        lambda of: of.api.balance_transactions.list({"created": {"gte": 1_600_000_000}, "limit": 1}),
        ours={"object": "list"},
        theirs=REFUSED,
        why="Our statement of the processor is read by `created` (docs.stripe.com/api/balance_transactions/list).",
    ),
    Difference(
        "events of several kinds",
        lambda of: of.api.events.list({"types": ["payment_intent.succeeded", "charge.refunded"], "limit": 1}),
        ours={"object": "list"},
        theirs=REFUSED,
        why="`types` names up to twenty kinds (docs.stripe.com/api/events/list).",
    ),
    Difference(
        "the group of an order",
        lambda of: paid(of, transfer_group="order-1"),
        ours={"status": "succeeded", "transfer_group": "order-1"},
        theirs=REFUSED,
        why="`transfer_group` ties a payment to its payouts (docs.stripe.com/api/payment_intents/create).",
    ),
    Difference(
        "where the buyer comes back to",
        lambda of: charged(of, "4000002500003155", return_url="https://shop.example/back"),
        ours={"status": "requires_action", "next_action.type": "redirect_to_url"},
        theirs=REFUSED,
        why="With `return_url` the bank's question is a redirect (docs.stripe.com/payments/3d-secure/authentication-flow).",
    ),
    Difference(
        "another card at confirmation",
        lambda of: of.api.payment_intents.confirm(made(of).id, {"payment_method": "pm_card_visa"}),
        ours={"status": "succeeded"},
        theirs=BROKEN,
        why="`payment_method` may be named when it is confirmed (docs.stripe.com/api/payment_intents/confirm).",
    ),
    Difference(
        "why it was cancelled",
        lambda of: of.api.payment_intents.cancel(made(of).id, {"cancellation_reason": "abandoned"}),
        ours={"status": "canceled", "cancellation_reason": "abandoned"},
        theirs=REFUSED,
        why="The reason is kept (docs.stripe.com/api/payment_intents/cancel).",
    ),
    # One effect per key
    Difference(
        "one refund twice under one key",
        twice,
        ours={"refunds": 1, "amounts": [3_000]},
        theirs={"refunds": 2, "amounts": [3_000, 3_000]},
        why="The answer of the first call is given again, nothing is done twice (docs.stripe.com/api/idempotent_requests).",
    ),
    Difference(
        "something else under one key",
        another_under_one_key,
        ours={"raised": "IdempotencyError", "http": 400, "type": "idempotency_error"},
        theirs={"status": "requires_payment_method", "amount": 9_000},
        why="Other parameters under a used key are an error (docs.stripe.com/api/idempotent_requests).",
    ),
    # Money given back
    Difference(
        "more than is left",
        too_much_in_parts,
        ours={**REFUSED, "param": "amount"},
        theirs={"status": "succeeded", "amount": 9_000},
        why="Raises an error when trying to refund more money than is left on a charge (docs.stripe.com/api/refunds/create).",
    ),
    Difference(
        "more than was paid",
        lambda of: refund(of, amount=10_001),
        ours={**REFUSED, "param": "amount"},
        theirs={"status": "succeeded", "amount": 10_001},
        why="As before: never more than the charge (docs.stripe.com/api/refunds/create).",
    ),
    Difference(
        "all, twice",
        lambda of: refund(of, payment_intent=refunded(of, 10_000).id),
        ours=refused("charge_already_refunded"),
        theirs={"status": "succeeded", "amount": 10_000},
        why="Once entirely refunded, a charge cannot be refunded again (docs.stripe.com/api/refunds/create).",
    ),
    Difference(
        "an authorisation",
        lambda of: refund(of, payment_intent=paid(of, **LATER).id),
        ours=REFUSED,
        theirs={"status": "succeeded", "amount": 10_000},
        why="An uncaptured charge of an intent is let go by cancelling the intent (docs.stripe.com/refunds#cancel-payment).",
    ),
    Difference(
        "less is taken than was authorised",
        taken_in_part,
        ours={"amounts": [], "refunded": 0, "moved": 4_000},
        theirs={"amounts": [6_000], "refunded": 6_000, "moved": 10_000},
        why="Since 2025-03-31.basil a partial capture makes no refund, and one movement of what was captured "
        "(docs.stripe.com/changelog/basil/2025-03-31/remove-refund-from-partial-capture-and-payment-cancellation-flow).",
    ),
    Difference(
        "taken after it was let go",
        lambda of: of.api.payment_intents.capture(let_go(of).id),
        ours=refused("payment_intent_unexpected_state"),
        theirs={"status": "canceled", "latest_charge.captured": True},
        why="Once cancelled, all operations on the intent fail with an error (docs.stripe.com/api/payment_intents/cancel).",
    ),
    Difference(
        "taken before it is authorised",
        lambda of: of.api.payment_intents.capture(made(of).id),
        ours=refused("payment_intent_unexpected_state"),
        theirs=BROKEN,
        why="The status must be `requires_capture` (docs.stripe.com/api/payment_intents/capture).",
    ),
    # What an answer says
    Difference(
        "the charge of an intent",
        lambda of: again(of, paid(of)),
        ours={"latest_charge": "ch_", "latest_charge.id": ABSENT, "charges": ABSENT},
        theirs={"latest_charge.id": "ch_", "charges.object": "list"},
        why="An id unless it is expanded; `charges` went with 2022-11-15 (docs.stripe.com/changelog/2022-11-15).",
    ),
    Difference(
        "what was received",
        lambda of: again(of, paid(of)),
        ours={"amount_received": 10_000, "amount_capturable": 0},
        theirs={"amount_received": ABSENT, "amount_capturable": ABSENT},
        why="Our books take `amount_received`, not `amount` (docs.stripe.com/api/payment_intents/object).",
    ),
    Difference(
        "what can be taken",
        lambda of: paid(of, **LATER),
        ours={"amount_received": 0, "amount_capturable": 10_000},
        theirs={"amount_received": ABSENT, "amount_capturable": ABSENT},
        why="It says how much of an authorisation is left (docs.stripe.com/api/payment_intents/object).",
    ),
    Difference(
        "our ids on the charge",
        lambda of: charge_of(of, paid(of, metadata={"payment_id": "0193"})),
        ours={"metadata": {"payment_id": "0193"}},
        theirs={"metadata": {}},
        why="The charge of an intent has a copy of its metadata (docs.stripe.com/payments/payment-intents#storing-information-in-metadata).",
    ),
    Difference(
        "until when it can be taken",
        days_to_take,
        ours={"days": 7},
        theirs={"days": None},
        why="`capture_before` is in the details of the card (docs.stripe.com/api/charges/object).",
    ),
    Difference(
        "the card of a test token",
        lambda of: made(of, payment_method="pm_card_visa"),
        ours={"payment_method": "pm_"},
        theirs={"payment_method": "pm_card_visa"},
        why="A token becomes a PaymentMethod of its own, whose id the intent has (docs.stripe.com/testing).",
    ),
    Difference(
        "what a card costs",
        lambda of: booked(of, charge_of(of, paid(of))),
        ours={"fee": 175, "net": 9_825},
        theirs={"fee": 0, "net": 10_000},
        why="A movement has gross, fee and net (docs.stripe.com/api/balance_transactions/object); how much is the contract's.",
    ),
    Difference(
        "the balance",
        lambda of: (paid(of), of.api.balance.retrieve())[1],
        ours={"object": "balance", "available.0.currency": "eur"},
        theirs={"object": ABSENT, "available.currency": "eur", "available.amount": 2_000},
        why="A list by currency that moves with what happens (docs.stripe.com/api/balance/balance_object).",
    ),
    Difference(
        "pages of more than a hundred",
        lambda of: of.api.payment_intents.list({"limit": 101}),
        ours={**REFUSED, "param": "limit"},
        theirs={"object": "list"},
        why="A limit is between 1 and 100 (docs.stripe.com/api/pagination).",
    ),
    # Cards
    Difference(
        "what a decline is",
        lambda of: paid(of, payment_method=FAILS),
        ours={"type": "card_error", "decline_code": "generic_decline"},
        theirs={"type": "invalid_request_error", "decline_code": ABSENT},
        why="The type of a declined card is `card_error`, with the bank's reason (docs.stripe.com/declines/codes).",
    ),
    Difference(
        "the card that is always declined",
        lambda of: charged(of, "4000000000000002"),
        ours={"raised": "CardError", "http": 402, "code": "card_declined", "decline_code": "generic_decline"},
        theirs={"status": "succeeded"},
        why="4000 0000 0000 0002 is declined when it is charged, not only when it is kept (docs.stripe.com/testing#declined-payments).",
    ),
    Difference(
        "the card without enough money",
        lambda of: charged(of, "4000000000009995"),
        ours={"raised": "CardError", "http": 402, "code": "card_declined", "decline_code": "insufficient_funds"},
        theirs={"status": "succeeded"},
        why="As before, with `insufficient_funds` (docs.stripe.com/testing#declined-payments).",
    ),
    Difference(
        "the card of an intent that failed",
        declined,
        ours={"payment_method": None, "last_payment_error.type": "card_error"},
        theirs={"payment_method": "pm_", "last_payment_error.type": ABSENT},
        why="The intent waits for another method (docs.stripe.com/payments/paymentintents/lifecycle).",
    ),
    Difference(
        "a year that is over",
        lambda of: card(of, exp_year=2018),
        ours={"raised": "CardError", "http": 402, "type": "card_error"},
        theirs={**REFUSED, "type": "invalid_request_error"},
        why="What is wrong with a card is a `card_error` (docs.stripe.com/error-codes#invalid-expiry-year).",
    ),
    Difference(
        "a bank debit",
        lambda of: paid(of, payment_method=debit(of).id),
        ours={"status": "processing"},
        theirs={"status": "succeeded"},
        why="It takes days until the money is certain (docs.stripe.com/payments/sepa-debit).",
    ),
    # What is refused
    Difference(
        "which thing is unknown",
        lambda of: of.api.payment_intents.retrieve("pi_unknown"),
        ours={"code": "resource_missing"},
        theirs={"code": ABSENT},
        why="`resource_missing` is what tells it from a wrong address (docs.stripe.com/error-codes#resource-missing).",
    ),
    Difference(
        "which parameter is wrong",
        lambda of: made(of, amount=0),
        ours=refused("parameter_invalid_integer", "amount"),
        theirs={"code": ABSENT, "param": ABSENT},
        why="An error names code and parameter (docs.stripe.com/api/errors).",
    ),
    Difference(
        "an unknown thing in a parameter",
        lambda of: refund(of, payment_intent="pi_unknown"),
        ours=refused("resource_missing", "payment_intent"),
        theirs={"http": 404, "code": ABSENT},
        why="The documentation gives the code and no status; a definite no to our gateway either way (docs.stripe.com/error-codes).",
    ),
    Difference(
        "less than can be charged",
        lambda of: made(of, amount=49),
        ours=refused("amount_too_small", "amount"),
        theirs={"amount": 49},
        why="0.50 is the least in euros (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).",
    ),
    Difference(
        "more than can be charged",
        lambda of: made(of, amount=100_000_000),
        ours=refused("amount_too_large", "amount"),
        theirs={"amount": 100_000_000},
        why="Eight digits are the most (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).",
    ),
    Difference(
        "a currency that there is not",
        lambda of: made(of, currency="euro"),
        ours={**REFUSED, "param": "currency"},
        theirs={"currency": "euro"},
        why="Three letters of ISO 4217 (docs.stripe.com/currencies).",
    ),
    # Events
    Difference(
        "what happened of a payment",
        lambda of: {"kinds": kinds_of(of, paid(of))},
        ours={"kinds": ["payment_intent.succeeded", "charge.succeeded", "payment_intent.created"]},
        theirs={"kinds": ["payment_intent.succeeded"]},
        why="Creation and charge are events, too (docs.stripe.com/api/events/types).",
    ),
    Difference(
        "the order of events",
        order_of_events,
        ours={"newest first": True},
        theirs={"newest first": False},
        why="Lists are sorted by creation, the newest first (docs.stripe.com/api/pagination).",
    ),
    Difference(
        "the version and the call of an event",
        lambda of: told_of(of, paid(of), "payment_intent.succeeded"),
        ours={"event.api_version": API_VERSION, "event.request.id": "req_"},
        theirs={"event.api_version": "2017-08-15", "event.request.id": ABSENT},
        why="An event is drawn in the version asked for and names the request (docs.stripe.com/api/events/object).",
    ),
]
