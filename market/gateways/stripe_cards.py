"""Card payments by Stripe's hosted Checkout: the page creates the PaymentIntent, card data never touches us.

Every write carries our own idempotency key. Our ids travel in `metadata`, and `transfer_group` is the order, so that
whatever comes back (events, balance transactions) can be told apart without a table of their ids.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import stripe

from market.gateways.stripe_amounts import NotTaken, from_stripe, to_stripe
from market.gateways.stripe_client import make_client, sorted_errors
from market.kernel.uow import gateway
from market.payments.ports import (
    BadSignature,
    BalanceLine,
    CaptureOrder,
    Checkout,
    CheckoutOrder,
    DisputeAnswer,
    ProcessorRefused,
    ProviderEvent,
    RefundAnswer,
    RefundOrder,
)

PAGE = 100
DEEP = ["payment_intent.latest_charge.balance_transaction"]
SPOKEN = frozenset({"en", "es", "fr", "pt"})
"""Those of our languages that the hosted page knows; Swahili and Arabic are none of them."""
REFUND_STATES = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}


@gateway
class StripeCards:
    """`market.payments.ports.CardProcessor` over HTTP to Stripe, or to our simulator at another address."""

    def __init__(self, *, key: str, webhook_secret: str, api_base: str, retries: int = 2, timeout: float = 20.0) -> None:
        if not webhook_secret:
            raise ValueError("an empty webhook secret would accept anybody's events")
        self._client = make_client(key, api_base, retries=retries, timeout=timeout)
        self._secrets = tuple(webhook_secret.split(","))  # two while one is being replaced

    def open_checkout(self, order: CheckoutOrder) -> Checkout:
        """Create the Checkout Session under `order.key`."""
        with _calls():
            line = {
                "price_data": {
                    "currency": order.money.currency.lower(),
                    "unit_amount": to_stripe(order.money),
                    "product_data": {"name": order.title},
                },
                "quantity": 1,
            }
            metadata = {"payment_id": str(order.payment_id)}
            params: dict[str, Any] = {
                "mode": "payment",
                "line_items": [line],
                "success_url": order.return_url,
                "cancel_url": order.cancel_url,
                "expires_at": int(order.expires_at.timestamp()),
                "client_reference_id": str(order.payment_id),
                "metadata": metadata | {"language": order.language},
                "locale": order.language if order.language in SPOKEN else "auto",  # then the browser's, as far as it goes
                "payment_intent_data": {"transfer_group": order.group, "metadata": metadata},
            }
            if order.take_later:  # the page then offers only what can be authorised first
                params["payment_intent_data"]["capture_method"] = "manual"
            if order.email:
                params["customer_email"] = order.email
            session = self._client.v1.checkout.sessions.create(params, {"idempotency_key": order.key})  # type: ignore[arg-type]
            return _checkout(session.to_dict())

    def checkout(self, checkout_id: str) -> Checkout:
        """Fetch the session with its intent and charge: what counts is what Stripe says now."""
        with _calls():
            return _checkout(self._client.v1.checkout.sessions.retrieve(checkout_id, {"expand": DEEP}).to_dict())

    def close_checkout(self, checkout_id: str) -> Checkout:
        """Expire the session. One that is no longer open cannot be expired: then it is fetched as it is."""
        with _calls():
            try:
                options: Any = {"idempotency_key": f"expire-{checkout_id}"}
                self._client.v1.checkout.sessions.expire(checkout_id, {}, options)
            except stripe.InvalidRequestError as error:
                if error.http_status == 404:
                    raise
        return self.checkout(checkout_id)

    def capture(self, order: CaptureOrder) -> Checkout:
        """Capture under `order.key`, then fetch what came of it; Stripe releases the rest and captures no second time."""
        with _calls():
            options: Any = {"idempotency_key": order.key}
            self._client.v1.payment_intents.capture(order.intent_id, {"amount_to_capture": to_stripe(order.money)}, options)
        return self.checkout(order.checkout_id)

    def release(self, order: CaptureOrder) -> Checkout:
        """Cancel the intent under `order.key`, then fetch what came of it."""
        with _calls():
            options: Any = {"idempotency_key": order.key}
            self._client.v1.payment_intents.cancel(order.intent_id, {}, options)
        return self.checkout(order.checkout_id)

    def refund(self, order: RefundOrder) -> RefundAnswer:
        """Create the refund under `order.key`."""
        with _calls():
            made = self._client.v1.refunds.create(
                {
                    "payment_intent": order.intent_id,
                    "amount": to_stripe(order.money),
                    "metadata": {"refund_id": str(order.refund_id)},
                },
                {"idempotency_key": order.key},
            )
            return _refund(made.to_dict())

    def refunds_of(self, intent_id: str) -> Sequence[RefundAnswer]:
        """List the refunds of an intent, ours and those made in Stripe's dashboard."""
        with _calls():
            found = self._client.v1.refunds.list({"payment_intent": intent_id, "limit": PAGE})
            return [_refund(refund.to_dict()) for refund in found.auto_paging_iter()]

    def dispute(self, provider_ref: str) -> DisputeAnswer:
        """Fetch a dispute as it is now."""
        with _calls():
            return _dispute(self._client.v1.disputes.retrieve(provider_ref).to_dict())

    def submit_evidence(self, provider_ref: str, text: str) -> DisputeAnswer:
        """Send the evidence to the bank: one submission is all that Stripe takes."""
        with _calls():
            made = self._client.v1.disputes.update(
                provider_ref,
                {"evidence": {"uncategorized_text": text[:20_000]}, "submit": True},
                {"idempotency_key": f"evidence-{provider_ref}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"},
            )
            return _dispute(made.to_dict())

    def read_event(self, body: bytes, signature: str) -> ProviderEvent:
        """Verify the signature over the raw body with one of the secrets, five minutes old at most."""
        for secret in self._secrets:
            try:
                return _event(self._client.construct_event(body, signature, secret, 300).to_dict())
            except stripe.SignatureVerificationError:
                continue
            except (ValueError, KeyError) as error:
                raise BadSignature(f"not an event: {error}") from error
        raise BadSignature("signed by nobody we know, or changed, or too old")

    def events_since(self, since: datetime) -> Sequence[ProviderEvent]:
        """List the events since an instant; Stripe keeps them for 30 days."""
        with _calls():
            found = self._client.v1.events.list({"created": {"gte": int(since.timestamp())}, "limit": PAGE})
            return [_event(event.to_dict()) for event in found.auto_paging_iter()][::-1]

    def balance_lines(self, since: datetime) -> Sequence[BalanceLine]:
        """List the balance transactions since an instant, each with its source, which carries our ids."""
        with _calls():
            found = self._client.v1.balance_transactions.list(
                {"created": {"gte": int(since.timestamp())}, "limit": PAGE, "expand": ["data.source"]}
            )
            return [_balance_line(line.to_dict()) for line in found.auto_paging_iter()][::-1]

    def lines_of_payout(self, bank_payout: str) -> Sequence[str]:
        """List what an automatic payout consists of; Stripe can say that only of automatic ones."""
        with _calls():
            found = self._client.v1.balance_transactions.list({"payout": bank_payout, "limit": PAGE})
            return [line.id for line in found.auto_paging_iter() if line.type != "payout"]


@contextmanager
def _calls() -> Iterator[None]:
    with sorted_errors():
        try:
            yield
        except NotTaken as error:
            raise ProcessorRefused(str(error), "currency_not_taken") from error


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _checkout(session: dict[str, Any]) -> Checkout:
    intent = session["payment_intent"]
    intent = intent if isinstance(intent, dict) else {"id": intent} if intent else {}
    charge = intent.get("latest_charge")
    charge = charge if isinstance(charge, dict) else {}
    booked = charge.get("balance_transaction")  # of a bank debit it comes days after the charge
    succeeded = intent.get("status") == "succeeded"
    return Checkout(
        checkout_id=session["id"],
        state=_state(session, intent),
        url=session.get("url"),
        intent_id=intent.get("id"),
        charge_id=charge.get("id"),
        paid=from_stripe(intent["amount_received"], intent["currency"]) if succeeded else None,
        charged_at=_instant((booked if isinstance(booked, dict) else charge)["created"]) if succeeded and charge else None,
        problem=(intent.get("last_payment_error") or {}).get("message"),
        capture_before=_capture_before(charge) if intent.get("status") == "requires_capture" else None,
    )


def _capture_before(charge: dict[str, Any]) -> datetime | None:
    until = ((charge.get("payment_method_details") or {}).get("card") or {}).get("capture_before")
    return _instant(until) if until else None


def _state(session: dict[str, Any], intent: dict[str, Any]) -> str:
    """Our payment state: the intent decides about money, the session about whether anybody can still pay."""
    status = intent.get("status")
    if status in ("succeeded", "processing"):
        return str(status)
    if status == "requires_capture":
        return "authorised"
    if session["status"] == "expired" or status == "canceled":
        return "expired"
    return "requires_action" if session["status"] == "open" else "failed"


def _refund(refund: dict[str, Any]) -> RefundAnswer:
    ours = refund.get("metadata", {}).get("refund_id")
    return RefundAnswer(
        provider_ref=refund["id"],
        state=REFUND_STATES.get(refund["status"], "pending"),
        money=from_stripe(refund["amount"], refund["currency"]),
        refund_id=UUID(ours) if ours else None,
        intent_id=refund.get("payment_intent"),
    )


def _dispute(dispute: dict[str, Any]) -> DisputeAnswer:
    due = (dispute.get("evidence_details") or {}).get("due_by")
    return DisputeAnswer(
        provider_ref=dispute["id"],
        state=dispute["status"],
        reason=dispute["reason"],
        money=from_stripe(dispute["amount"], dispute["currency"]),
        intent_id=dispute["payment_intent"],
        opened_at=_instant(dispute["created"]),
        evidence_due_at=_instant(due) if due else None,
    )


def _event(event: dict[str, Any]) -> ProviderEvent:
    subject = event["data"]["object"]
    ours = subject.get("metadata") or {}
    return ProviderEvent(
        event_id=event["id"],
        kind=event["type"],
        object_id=subject.get("id", ""),
        happened_at=_instant(event["created"]),
        intent_id=subject["id"] if subject.get("object") == "payment_intent" else subject.get("payment_intent"),
        payment_id=ours.get("payment_id"),
        refund_id=ours.get("refund_id"),
        payout_id=ours.get("payout_id"),
    )


def _balance_line(line: dict[str, Any]) -> BalanceLine:
    source = line["source"]
    ours = (source.get("metadata") or {}) if isinstance(source, dict) else {}
    return BalanceLine(
        line_id=line["id"],
        kind=line["type"],
        source=source["id"] if isinstance(source, dict) else source or "",
        gross=from_stripe(line["amount"], line["currency"]),
        fee=from_stripe(line["fee"], line["currency"]),
        net=from_stripe(line["net"], line["currency"]),
        booked_at=_instant(line["created"]),
        payment_id=ours.get("payment_id"),
        refund_id=ours.get("refund_id"),
        payout_id=ours.get("payout_id"),
        bank_payout=source["id"] if line["type"] == "payout" and isinstance(source, dict) else None,
    )
