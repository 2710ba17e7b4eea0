"""What payments need from the outside: a card processor with a hosted page.

Two refusals matter and must never be confused (money.md 4.2): `ProcessorRefused` is a definite no, nothing moved
and nothing will; `ProcessorUnsure` means that the call may have had its effect, so the same key is used again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from market.kernel.money import Money


class ProcessorRefused(Exception):
    """A definite no. `code` is the processor's own word for it."""

    def __init__(self, detail: str, code: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code


class ProcessorUnsure(Exception):
    """Time-out, dropped connection, conflict or fault of the processor: repeat with the same key, later."""


class BadSignature(Exception):
    """What came in was not signed by the processor, or was changed, or is too old."""


@dataclass(frozen=True, slots=True)
class CheckoutOrder:
    """A hosted payment page to open. `key` was committed before the first call and never changes.

    `return_url` gets the processor's session id in place of `{CHECKOUT_SESSION_ID}`; `group` is the order.
    """

    payment_id: UUID
    key: str
    money: Money
    title: str
    group: str
    return_url: str
    cancel_url: str
    expires_at: datetime
    email: str | None = None
    language: str = "en"
    take_later: bool = False  # the card is charged by `capture`; until then the money is only kept on it


@dataclass(frozen=True, slots=True)
class Checkout:
    """What the processor knows about one payment. `state` is one of our own payment states.

    `paid` is what was taken, None until it was; `charged_at` is the instant of the charge and never changes.
    """

    checkout_id: str
    state: str  # requires_action, processing, authorised, succeeded, failed, expired
    url: str | None
    intent_id: str | None = None
    charge_id: str | None = None
    paid: Money | None = None
    charged_at: datetime | None = None
    problem: str | None = None
    capture_before: datetime | None = None  # of an authorisation, where the processor says it


@dataclass(frozen=True, slots=True)
class CaptureOrder:
    """An authorisation to take, all or less of it: what is left of it is let go. It can be done once."""

    key: str
    checkout_id: str
    intent_id: str
    money: Money


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Money to give back to the card it came from."""

    refund_id: UUID
    key: str
    intent_id: str
    money: Money


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """A refund as the processor sees it: `pending`, `succeeded` or `failed`."""

    provider_ref: str
    state: str
    money: Money
    refund_id: UUID | None = None
    intent_id: str | None = None


@dataclass(frozen=True, slots=True)
class DisputeAnswer:
    """A dispute as the processor sees it; `state` is one of `rules.DISPUTE_OPEN` or `DISPUTE_CLOSED`."""

    provider_ref: str
    state: str
    reason: str
    money: Money
    intent_id: str
    opened_at: datetime
    evidence_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """A signed hint that something happened: go and look. Ids are ours where the processor carried them."""

    event_id: str
    kind: str
    object_id: str
    happened_at: datetime
    intent_id: str | None = None
    payment_id: str | None = None
    refund_id: str | None = None
    payout_id: str | None = None


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """One line of the processor's statement: `gross` - `fee` = `net`, negative when money leaves.

    `source` is the processor's object; the ids are ours, where its metadata carried them.
    `bank_payout` is the processor's payout to our bank that took this line.
    """

    line_id: str
    kind: str
    source: str
    gross: Money
    fee: Money
    net: Money
    booked_at: datetime
    payment_id: str | None = None
    refund_id: str | None = None
    payout_id: str | None = None
    bank_payout: str | None = None


class CardProcessor(Protocol):
    """Takes card payments on its own pages. Every method may raise ProcessorUnsure."""

    def open_checkout(self, order: CheckoutOrder) -> Checkout:
        """Open the page; the same key gives the same page. Raises ProcessorRefused."""

    def checkout(self, checkout_id: str) -> Checkout:
        """Return the present state of a page and its payment. Raises ProcessorRefused when it is unknown."""

    def close_checkout(self, checkout_id: str) -> Checkout:
        """Close the page so that nobody can pay any more, and return how it ended: it may just have been paid."""

    def capture(self, order: CaptureOrder) -> Checkout:
        """Take what was authorised, or less, and return how the payment stands. Raises ProcessorRefused, also the second time."""

    def release(self, order: CaptureOrder) -> Checkout:
        """Let all of an authorisation go, and return how the payment stands. Raises ProcessorRefused."""

    def refund(self, order: RefundOrder) -> RefundAnswer:
        """Give money back; the same key gives back once. Raises ProcessorRefused."""

    def refunds_of(self, intent_id: str) -> Sequence[RefundAnswer]:
        """Return every refund of a payment, also those made elsewhere."""

    def dispute(self, provider_ref: str) -> DisputeAnswer:
        """Return the present state of a dispute. Raises ProcessorRefused when it is unknown."""

    def submit_evidence(self, provider_ref: str, text: str) -> DisputeAnswer:
        """Send the seller's side of a dispute, finally. Raises ProcessorRefused when it is not taken any more."""

    def read_event(self, body: bytes, signature: str) -> ProviderEvent:
        """Verify and read what the processor sent. Raises BadSignature."""

    def events_since(self, since: datetime) -> Sequence[ProviderEvent]:
        """Return the events from `since` on, oldest first: what a lost delivery would have told us."""

    def balance_lines(self, since: datetime) -> Sequence[BalanceLine]:
        """Return the lines of the processor's statement from `since` on, oldest first."""

    def lines_of_payout(self, bank_payout: str) -> Sequence[str]:
        """Return the ids of the lines that a payout to our bank is made of, its own line left out."""
