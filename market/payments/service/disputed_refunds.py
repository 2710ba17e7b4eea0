"""Refunds of a payment that the buyer's bank takes back: none is made then, and what was decided before is held meanwhile and
met by a lost dispute."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.kernel.locks import lock
from market.kernel.money import Money
from market.kernel.words import N_
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.payments import postings
from market.payments.errors import PaymentDisputed
from market.payments.models import Dispute, Payment, Refund
from market.payments.rules import DISPUTE_CLOSED, DISPUTE_TOOK
from market.payments.service.books import ACTOR, days_of

_OPEN = tuple(state for state in DISPUTE_TOOK if state not in DISPUTE_CLOSED)
_HELD = N_("The buyer's bank has taken this payment back. Do not pay it before the card company has decided.")
MET = N_("The buyer has this money through the dispute that was lost.")
"""What a refund says that a lost dispute has paid; by it the refund is known for one."""


def taken_back(session: Session, payment_id: UUID) -> bool:
    """Whether the buyer's bank has taken a payment back, or has kept it."""
    return _minor(session, payment_id, DISPUTE_TOOK) > 0


def refuse_disputed(session: Session, payment_id: UUID) -> None:
    """Refuse to give back what the buyer's bank has taken already, or has kept. Raises PaymentDisputed."""
    if taken_back(session, payment_id):
        raise PaymentDisputed("The buyer's bank has taken this payment back. The decision of the card company comes first.")


def refuse_twice(session: Session, payment: Payment) -> None:
    """Refuse a decided refund while a dispute is open, or when lost ones left too little. Raises PaymentDisputed."""
    lost = _minor(session, payment.id, ("lost",))
    if not lost or _minor(session, payment.id, _OPEN):
        return refuse_disputed(session, payment.id)
    if payment.refunded_minor - _met_minor(session, payment.id) + lost > payment.received_minor:
        raise PaymentDisputed(MET)


def held(session: Session, row: Refund, *, now: datetime) -> bool:
    """Let a locked refund of what the buyer's bank has taken wait for the card company, or end it where that has decided.

    The buyer would have it twice. Returns whether it was held. Posts.
    """
    if not taken_back(session, row.payment_id):
        return False
    row.state, row.problem = "needs_person", _HELD
    session.flush()
    ledger.post(session, _met(session, row.payment_id, [row], now), late=True)
    return True


def follow_dispute(session: Session, dispute: Dispute, *, now: datetime) -> list[Entry]:
    """Hold what nobody has sent yet, let it go again, or end it, as the dispute goes; return what a lost one posts.

    A debit on the bank's statement is matched all the same: what was paid is paid.
    """
    rows = _waiting(session, dispute.payment_id)
    if dispute.state == "lost":
        return _met(session, dispute.payment_id, rows, now)
    gone = taken_back(session, dispute.payment_id)
    for row in rows:
        if gone and row.state == "decided":
            row.state, row.problem = "needs_person", _HELD
        elif not gone and row.state == "needs_person" and row.problem == _HELD:
            row.state, row.problem = "decided", None
            row.next_try_at = now if row.method == "card" else None
    return []


def _waiting(session: Session, payment_id: UUID) -> list[Refund]:
    """Return the refunds of which nothing can have gone out, locked: by bank, not sent yet, or refused by the card."""
    mine = (Refund.payment_id == payment_id, Refund.state.in_(("decided", "needs_person", "failed")))
    rows = lock(session, Refund, session.scalars(select(Refund.id).where(*mine)))
    return [row for row in rows if row.method == "transfer" or row.state != "decided" or row.first_sent_at is None]


def _minor(session: Session, payment_id: UUID, states: tuple[str, ...]) -> int:
    """What disputes in these states took of a payment, in minor units."""
    taken = select(func.coalesce(func.sum(Dispute.amount_minor), 0))
    return int(session.scalars(taken.where(Dispute.payment_id == payment_id, Dispute.state.in_(states))).one())


def _met_minor(session: Session, payment_id: UUID) -> int:
    """How much of a payment's refunds its lost disputes have met already, in minor units."""
    met = select(func.coalesce(func.sum(Refund.amount_minor), 0))
    return int(session.scalars(met.where(Refund.payment_id == payment_id, Refund.state == "paid", Refund.problem == MET)).one())


def _met(session: Session, payment_id: UUID, rows: list[Refund], now: datetime) -> list[Entry]:
    """End refunds that lost disputes paid already, when they took enough: their bearers bear that much of the loss."""
    wanted = sum(row.amount_minor for row in rows)
    if not rows or wanted + _met_minor(session, payment_id) > _minor(session, payment_id, ("lost",)):
        return []
    books = ledger.books_of(session, {row.coop_id for row in rows})
    days = days_of(session, books, now)
    entries = []
    for row in rows:
        row.state, row.paid_at, row.problem = "paid", now, MET  # nobody is told: nothing is on its way
        legs = postings.refund_met(Money(row.amount_minor, row.currency), row.id)
        entries.append(Entry(books[row.coop_id], "refund.met", f"refund:{row.id}:met", days[row.coop_id], ACTOR, legs))
    return entries
