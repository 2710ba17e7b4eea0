"""What the two processors are asked, and how their answers are made comparable: facts by dotted names, ids by their kind."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import stripe

from tests.simulators.conftest import Processor

ID = re.compile(r"(pi|ch|re|pm|txn|evt|po|req)_\w{14,}")
ABSENT = "(absent)"
EUR = {"amount": 10_000, "currency": "eur"}
LATER = {"capture_method": "manual"}
FAILS = "pm_card_chargeCustomerFail"  # the one token of a declined card that both decline when it is charged

Ask = Callable[[Processor], Any]
Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A question, and the facts of the answer that both give."""

    name: str
    ask: Ask
    facts: Facts


@dataclass(frozen=True)
class Difference:
    """A question that localstripe answers otherwise than Stripe's documentation says."""

    name: str
    ask: Ask
    ours: Facts
    theirs: Facts
    why: str


def facts(asked: Processor, ask: Ask, wanted: Facts) -> dict[str, Any]:
    """Ask and return the wanted facts; a refusal is an answer, too."""
    try:
        answer = ask(asked)
    except stripe.StripeError as error:
        body = error.json_body if isinstance(error.json_body, dict) else {}
        answer = {"raised": type(error).__name__, "http": error.http_status, **body.get("error", {})}
    return {name: _look(answer, name) for name in wanted}


def _look(answer: Any, name: str) -> Any:
    for step in name.split("."):
        if isinstance(answer, stripe.StripeObject):
            answer = answer.to_dict()
        if isinstance(answer, list) and step.isdigit():
            answer = answer[int(step)] if int(step) < len(answer) else ABSENT
        else:
            answer = answer.get(step, ABSENT) if isinstance(answer, dict) else ABSENT
    if isinstance(answer, str) and (found := ID.match(answer)):
        return f"{found[1]}_"
    return answer


def card(of: Processor, number: str = "4242424242424242", **more: Any) -> stripe.PaymentMethod:
    return of.api.payment_methods.create(
        {"type": "card", "card": {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123", **more}}
    )


def debit(of: Processor) -> stripe.PaymentMethod:
    return of.api.payment_methods.create({"type": "sepa_debit", "sepa_debit": {"iban": "AT611904300234573201"}})


def made(of: Processor, **more: Any) -> stripe.PaymentIntent:
    return of.api.payment_intents.create({**EUR, **more})  # type: ignore[arg-type]


def paid(of: Processor, **more: Any) -> stripe.PaymentIntent:
    return made(of, **{"confirm": True, "payment_method": "pm_card_visa", **more})


def charged(of: Processor, number: str, **more: Any) -> stripe.PaymentIntent:
    return paid(of, payment_method=card(of, number).id, **more)


def answered(of: Processor, number: str, *, approve: bool) -> stripe.PaymentIntent:
    """An intent whose buyer the bank asked, and who answered."""
    intent = charged(of, number)
    of.server.answer_challenge(intent, approve=approve)
    return again(of, intent)


def declined(of: Processor) -> stripe.PaymentIntent:
    """An intent as it is after its card was declined."""
    intent = made(of, payment_method=FAILS)
    try:
        of.api.payment_intents.confirm(intent.id)
    except stripe.CardError:
        return again(of, intent)
    raise AssertionError("the card was not declined")


def captured(of: Processor, amount: int | None = None) -> stripe.PaymentIntent:
    intent = paid(of, **LATER)
    return of.api.payment_intents.capture(intent.id, {"amount_to_capture": amount} if amount else {})


def cancelled(of: Processor, **more: Any) -> stripe.PaymentIntent:
    return of.api.payment_intents.cancel(made(of, **more).id)


def again(of: Processor, intent: stripe.PaymentIntent) -> stripe.PaymentIntent:
    return of.api.payment_intents.retrieve(intent.id)


def charge_of(of: Processor, intent: stripe.PaymentIntent) -> stripe.Charge:
    """The charge of an intent; localstripe names it by the whole object."""
    latest = again(of, intent).latest_charge
    assert latest is not None
    return of.api.charges.retrieve(latest if isinstance(latest, str) else latest.id)


def booked(of: Processor, source: stripe.Charge | stripe.Refund) -> stripe.BalanceTransaction:
    return of.api.balance_transactions.retrieve(str(source.balance_transaction))


def refunded(of: Processor, *amounts: int, **more: Any) -> stripe.PaymentIntent:
    """A paid intent of which these amounts were given back."""
    intent = paid(of)
    for amount in amounts:
        of.api.refunds.create({"payment_intent": intent.id, "amount": amount, **more})  # type: ignore[typeddict-item]
    return intent


def refund(of: Processor, **params: Any) -> stripe.Refund:
    """Give back of a fresh intent, or of what `params` name."""
    subject = {} if params.keys() & {"charge", "payment_intent"} else {"payment_intent": paid(of).id}
    return of.api.refunds.create({**subject, **params})  # type: ignore[arg-type]


def amounts_of(of: Processor, intent: stripe.PaymentIntent) -> dict[str, Any]:
    found = of.api.refunds.list({"payment_intent": intent.id})
    return {"amounts": sorted(one.amount for one in found.data), "more": found.has_more, "object": found.object}


def told_of(of: Processor, intent: stripe.PaymentIntent, kind: str) -> dict[str, Any]:
    """The events of a kind about an intent, as the list of events has them."""
    events = of.api.events.list({"type": kind, "limit": 100}).auto_paging_iter()
    found = [event for event in events if event.data.object.to_dict().get("id") == intent.id]
    return {"count": len(found), "event": found[0] if found else None, "subject": found[0].data.object if found else None}
