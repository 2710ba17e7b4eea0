"""How an order is paid by bank transfer."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.orders.queries.orders import OrderView
from market.payments import queries as payments
from market.payments.queries import PaymentView
from market.producers import queries as producers
from market.producers.queries import CoopView


@dataclass(frozen=True, slots=True)
class TransferInstructions:
    """Where a bank transfer goes, how much, and under which reference."""

    amount: Money
    holder: str
    iban: str
    bic: str | None
    reference: str


def transfer_instructions(session: Session, view: OrderView) -> TransferInstructions | None:
    """Return how an order is paid by transfer; None when nothing is to be paid or the co-op has no account."""
    live = payments.live_payment(session, subject_kind="order", subject_id=view.id)
    if live is None or not view.parts:
        return None
    coop_id = view.parts[0].coop_id
    return instructions(producers.coops_by_id(session, [coop_id])[coop_id], live)


def instructions(coop: CoopView, live: PaymentView) -> TransferInstructions | None:
    """Return how a payment is made to the account of its co-op; None when nothing is due or there is no account."""
    if not live.due or coop.iban is None:
        return None
    return TransferInstructions(live.due, coop.account_holder, coop.iban, coop.bic, live.reference)
