"""A card processor and a transfer rail kept in memory, for unit tests. They keep every promise of their protocols:

one effect per key, other content under a used key stays unknown, refunds never exceed what was paid. A test plays the
buyer by `pay`, `start_debit` and `refuse_debit`, and orders trouble by `trouble`: a list of `before` and `after`, one for
each call to come, that says whether the call is lost before or after its effect.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from market.kernel.ids import new_token
from market.kernel.money import Money
from market.kernel.uow import gateway
from market.payments.ports import (
    BadSignature,
    BalanceLine,
    CaptureOrder,
    Checkout,
    CheckoutOrder,
    DisputeAnswer,
    ProcessorRefused,
    ProcessorUnsure,
    ProviderEvent,
    RefundAnswer,
    RefundOrder,
)
from market.payouts.ports import Accepted, Answer, NotFound, Refused, TransferOrder, Unsure
from market.payouts.rules.timing import Capabilities

START = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@gateway
class MemoryCards:
    """`market.payments.ports.CardProcessor` without a network."""

    def __init__(self) -> None:
        self.trouble: list[str] = []
        self._orders: dict[str, CheckoutOrder] = {}
        self._checkouts: dict[str, Checkout] = {}
        self._by_key: dict[str, str] = {}
        self._refunds: dict[str, tuple[RefundOrder, RefundAnswer]] = {}
        self._disputes: dict[str, DisputeAnswer] = {}
        self._settled: dict[str, CaptureOrder] = {}
        self._lines: list[BalanceLine] = []
        self._events: list[ProviderEvent] = []

    def open_checkout(self, order: CheckoutOrder) -> Checkout:
        """Open a page, or give the page of an earlier call with the same key."""
        lost = self._lost()
        if order.key not in self._by_key:
            opened = Checkout(f"cs_{new_token(8)}", "requires_action", f"https://pay.example/{order.payment_id}")
            self._by_key[order.key] = opened.checkout_id
            self._orders[opened.checkout_id], self._checkouts[opened.checkout_id] = order, opened
        checkout_id = self._by_key[order.key]
        if self._orders[checkout_id] != order:
            raise ProcessorUnsure("the key was used with other content")
        self._lose(lost)
        return self._checkouts[checkout_id]

    def checkout(self, checkout_id: str) -> Checkout:
        """Return the state of a page."""
        self._lose(self._lost())
        try:
            return self._checkouts[checkout_id]
        except KeyError:
            raise ProcessorRefused("no such checkout", "resource_missing") from None

    def close_checkout(self, checkout_id: str) -> Checkout:
        """Close a page that nobody paid."""
        if self._checkouts[checkout_id].state == "requires_action":
            self._see(checkout_id, state="expired", url=None)
        return self._checkouts[checkout_id]

    def capture(self, order: CaptureOrder) -> Checkout:
        """Take an authorisation, once."""
        return self._settle(order, order.money)

    def release(self, order: CaptureOrder) -> Checkout:
        """Let an authorisation go."""
        return self._settle(order, None)

    def _settle(self, order: CaptureOrder, taken: Money | None) -> Checkout:
        lost, now = self._lost(), self._checkouts[order.checkout_id]
        if order.key not in self._settled:
            if now.state != "authorised":
                raise ProcessorRefused(f"You cannot capture this PaymentIntent because it is {now.state}.")
            if taken is None:
                self._see(order.checkout_id, state="expired")
                self._happen("payment_intent.canceled", order.intent_id, payment_id=self._orders[order.checkout_id].payment_id)
            else:
                self._take(order.checkout_id, taken, START)
            self._settled[order.key] = order
        self._lose(lost)
        return self._checkouts[order.checkout_id]

    def refund(self, order: RefundOrder) -> RefundAnswer:
        """Give back, once per key."""
        lost = self._lost()
        if order.key not in self._refunds:
            paid = next((c.paid for c in self._checkouts.values() if c.intent_id == order.intent_id), None)
            given = sum(answer.money.minor for answer in self.refunds_of(order.intent_id))
            if paid is None or given + order.money.minor > paid.minor:
                raise ProcessorRefused("Refund amount is greater than unrefunded amount on charge.")
            answer = RefundAnswer(f"re_{new_token(8)}", "succeeded", order.money, order.refund_id, order.intent_id)
            self._refunds[order.key] = (order, answer)
            self._book("refund", answer.provider_ref, -order.money, Money.zero(order.money.currency), refund_id=order.refund_id)
            self._happen("refund.created", answer.provider_ref, refund_id=order.refund_id, intent_id=order.intent_id)
        if self._refunds[order.key][0] != order:
            raise ProcessorUnsure("the key was used with other content")
        self._lose(lost)
        return self._refunds[order.key][1]

    def refunds_of(self, intent_id: str) -> Sequence[RefundAnswer]:
        """Return the refunds of a payment."""
        return [answer for _, answer in self._refunds.values() if answer.intent_id == intent_id]

    def dispute(self, provider_ref: str) -> DisputeAnswer:
        """Return a dispute."""
        self._lose(self._lost())
        return self._known_dispute(provider_ref)

    def _known_dispute(self, provider_ref: str) -> DisputeAnswer:
        if provider_ref not in self._disputes:
            raise ProcessorRefused(f"No such dispute: {provider_ref}", "resource_missing")
        return self._disputes[provider_ref]

    def submit_evidence(self, provider_ref: str, text: str) -> DisputeAnswer:
        """Take evidence, once."""
        lost = self._lost()
        known = self._known_dispute(provider_ref)
        if known.state == "needs_response":
            self._disputes[provider_ref] = replace(known, state="under_review")
        self._lose(lost)
        return self._disputes[provider_ref]

    def object_to(self, intent_id: str, money: Money, at: datetime = START) -> str:
        """The buyer disputes a payment: the amount and a fee of 20.00 are taken; return the dispute's id."""
        ref = f"du_{new_token(8)}"
        self._disputes[ref] = DisputeAnswer(ref, "needs_response", "fraudulent", money, intent_id, at, at + timedelta(days=9))
        self._book("adjustment", ref, -money, Money(2000, money.currency))
        self._happen("charge.dispute.created", ref, intent_id=intent_id)
        return ref

    def decide(self, provider_ref: str, state: str) -> None:
        """The card network decides a dispute: `won` brings the amount back."""
        found = self._disputes[provider_ref] = replace(self._disputes[provider_ref], state=state)
        if state == "won":
            self._book("adjustment", provider_ref, found.money, Money.zero(found.money.currency))
        self._happen("charge.dispute.closed", provider_ref, intent_id=found.intent_id)

    def read_event(self, body: bytes, signature: str) -> ProviderEvent:
        """Read an event that `signed` made."""
        if signature != _signature(body):
            raise BadSignature("not signed here")
        wanted = json.loads(body)["id"]
        return next(event for event in self._events if event.event_id == wanted)

    def events_since(self, since: datetime) -> Sequence[ProviderEvent]:
        """Return what happened since."""
        return [event for event in self._events if event.happened_at >= since]

    def balance_lines(self, since: datetime) -> Sequence[BalanceLine]:
        """Return the statement since."""
        return [line for line in self._lines if line.booked_at >= since]

    def lines_of_payout(self, bank_payout: str) -> Sequence[str]:
        """Nothing is paid out to the bank here."""
        return []

    def pay(self, checkout_id: str, at: datetime = START) -> Checkout:
        """The buyer pays, or a bank debit arrives; what is to be taken later is authorised."""
        money, now = self._orders[checkout_id].money, self._checkouts[checkout_id]
        if now.state not in ("requires_action", "processing"):
            raise ProcessorRefused(f"This session is {now.state}.")
        payment_id = self._orders[checkout_id].payment_id
        self._see(checkout_id, url=None, intent_id=now.intent_id or f"pi_{new_token(8)}", charge_id=f"ch_{new_token(8)}")
        if self._orders[checkout_id].take_later:
            seen = self._see(checkout_id, state="authorised", capture_before=at + timedelta(days=7))
            self._happen("payment_intent.amount_capturable_updated", seen.intent_id or "", payment_id=payment_id)
            return seen
        return self._take(checkout_id, money, at)

    def _take(self, checkout_id: str, money: Money, at: datetime) -> Checkout:
        seen = self._see(checkout_id, state="succeeded", paid=money, charged_at=at, capture_before=None)
        payment_id = self._orders[checkout_id].payment_id
        fee = Money((money.minor * 15 + 500) // 1000, money.currency)
        self._book("charge", seen.intent_id or "", money, fee, payment_id=payment_id)
        self._happen("checkout.session.completed", checkout_id, payment_id=payment_id)
        return seen

    def start_debit(self, checkout_id: str) -> Checkout:
        """The buyer authorises a bank debit, which takes days."""
        return self._see(checkout_id, state="processing", url=None, intent_id=f"pi_{new_token(8)}")

    def refuse_debit(self, checkout_id: str) -> Checkout:
        """The buyer's bank refuses the debit."""
        return self._see(checkout_id, state="failed", problem="The customer's bank refused the debit.")

    def signed(self, event: ProviderEvent) -> tuple[bytes, str]:
        """Return body and signature as the processor would send them."""
        body = json.dumps({"id": event.event_id}).encode()
        return body, _signature(body)

    def _see(self, checkout_id: str, **changes: object) -> Checkout:
        self._checkouts[checkout_id] = replace(self._checkouts[checkout_id], **changes)  # type: ignore[arg-type]
        return self._checkouts[checkout_id]

    def _happen(self, kind: str, object_id: str, *, intent_id: str | None = None, **ids: UUID) -> None:
        ours = {name: str(value) for name, value in ids.items()}
        at = START + timedelta(seconds=len(self._events))
        self._events.append(ProviderEvent(f"evt_{new_token(8)}", kind, object_id, at, intent_id, **ours))

    def _book(self, kind: str, source: str, gross: Money, fee: Money, **ids: UUID) -> None:
        ours = {name: str(value) for name, value in ids.items()}
        at = START + timedelta(seconds=len(self._lines))
        self._lines.append(BalanceLine(f"txn_{new_token(8)}", kind, source, gross, fee, gross - fee, at, **ours))

    def _lost(self) -> str:
        lost = self.trouble.pop(0) if self.trouble else ""
        if lost == "before":
            raise ProcessorUnsure("lost before its effect")
        return lost

    def _lose(self, lost: str) -> None:
        if lost == "after":
            raise ProcessorUnsure("lost after its effect")


def _signature(body: bytes) -> str:
    return hashlib.sha256(b"memory" + body).hexdigest()


@gateway
class MemoryTransfers:
    """`market.payouts.ports.Rail` without a network; `sent` is its effect log."""

    capabilities = Capabilities(idempotent=True, askable=True, statement=True, reversible=True)

    def __init__(self) -> None:
        self.trouble: list[str] = []
        self.sent: dict[str, tuple[TransferOrder, str]] = {}

    def check_details(self, details: Mapping[str, str]) -> str | None:
        """Return what is wrong with a payee's details, in words for staff."""
        account = details.get("stripe_account", "")
        return None if account.startswith("acct_") else "The payee has no Stripe account: its id begins with acct_."

    def send(self, order: TransferOrder) -> Answer:
        """Transfer, once per key."""
        if problem := self.check_details(order.details):
            return Refused(problem)
        lost = self.trouble.pop(0) if self.trouble else ""
        if lost == "before":
            return Unsure("lost before its effect")
        known, reference = self.sent.setdefault(order.key, (order, f"tr_{new_token(8)}"))
        if known != order:
            return Unsure("the key was used with other content")
        return Unsure("lost after its effect") if lost == "after" else Accepted(reference)

    def ask(self, order: TransferOrder) -> Answer:
        """Say whether the transfer of a payout is known."""
        found = [reference for known, reference in self.sent.values() if known.payout_id == order.payout_id]
        return Accepted(found[0]) if found else NotFound()

    def cancel(self, order: TransferOrder) -> Answer:
        """Nothing can be stopped here."""
        answer = self.ask(order)
        return Unsure("a transfer cannot be stopped before it arrives") if isinstance(answer, NotFound) else answer

    def reverse(self, order: TransferOrder, provider_ref: str, money: Money) -> Answer:
        """Take a transfer back."""
        known = [reference for _, reference in self.sent.values()]
        return Accepted(f"trr_{new_token(8)}") if provider_ref in known else Refused("no such transfer")

    def reversal(self, order: TransferOrder, provider_ref: str) -> Answer:
        """Nothing is kept of what was taken back."""
        return Unsure(f"what was taken back of {provider_ref} is not known")
