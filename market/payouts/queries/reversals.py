"""What was asked back of card transfers, and how much still can be."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.payments import queries as payments
from market.payouts.models import Payout, TransferReversal


@dataclass(frozen=True, slots=True)
class ReversalRow:
    """A part of a transfer that was asked back; `answer` is the processor's number, or its reason."""

    id: UUID
    money: Money
    reason: str
    state: str
    answer: str | None
    asked_by: str
    asked_at: datetime


def reversals(session: Session, payout_id: UUID) -> list[ReversalRow]:
    """Return what was asked back of a payout, oldest first."""
    rows = session.scalars(
        select(TransferReversal).where(TransferReversal.payout_id == payout_id).order_by(TransferReversal.asked_at)
    )
    return [
        ReversalRow(
            row.id, Money(row.amount_minor, row.currency), row.reason, row.state, row.answer, row.asked_by, row.asked_at
        )
        for row in rows
    ]  # fmt: skip


def can_be_asked_back(session: Session, payout_id: UUID) -> Money:
    """Return how much of a transfer can still be asked back: what the payee owes, at most what is left of the transfer.

    What was asked before counts until the processor's statement has booked it: until then the payee seems to owe it still.
    """
    payout = session.get_one(Payout, payout_id)
    alive = select(TransferReversal).where(TransferReversal.payout_id == payout.id, TransferReversal.state != "refused")
    rows = session.scalars(alive).all()
    booked = payments.matched_sources(session, [row.answer for row in rows if row.answer is not None])
    asked = sum(row.amount_minor for row in rows)
    unsettled = sum(row.amount_minor for row in rows if row.answer not in booked)
    book_id = ledger.book_of(session, payout.coop_id)
    owed = books.balance(session, book_id, f"claim:{payout.payee_id}", payout.currency)
    return Money(max(min(owed.minor - unsettled, payout.amount_minor - asked), 0), payout.currency)
