"""Refunds of a payment that the buyer's bank takes back: none is made then, and what was decided before is held meanwhile and
met by a lost dispute."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.locks import lock
from market.kernel.money import Money
from market.kernel.words import N_
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.payments import postings
from market.payments.errors import PaymentDisputed
from market.payments.models import Dispute, Refund
from market.payments.rules import DISPUTE_TOOK
from market.payments.service.books import ACTOR, days_of

_HELD = N_("The buyer's bank has taken this payment back. Do not pay it before the card company has decided.")
_MET = N_("The buyer has this money through the dispute that was lost.")


def refuse_disputed(session: Session, payment_id: UUID) -> None:
    """Refuse to give back what the buyer's bank has taken already, or has kept. Raises PaymentDisputed."""
    gone = select(Dispute.id).where(Dispute.payment_id == payment_id, Dispute.state.in_(DISPUTE_TOOK))
    if session.scalars(gone.limit(1)).first() is not None:
        raise PaymentDisputed("The buyer's bank has taken this payment back. The decision of the card company comes first.")


def follow_dispute(session: Session, dispute: Dispute, *, now: datetime) -> list[Entry]:
    """Hold what waits to be paid by bank, let it go again, or end it, as the dispute goes; return what a lost one posts.

    A debit on the bank's statement is matched all the same: what was paid is paid.
    """
    rows = _waiting(session, dispute.payment_id)
    if dispute.state == "lost":
        return _met(session, dispute, rows, now)
    for row in rows:
        if row.method == "transfer" and dispute.state in DISPUTE_TOOK and row.state == "decided":
            row.state, row.problem = "needs_person", _HELD
        elif row.method == "transfer" and dispute.state not in DISPUTE_TOOK and row.state == "needs_person":
            row.state, row.problem = "decided", None
    return []


def _waiting(session: Session, payment_id: UUID) -> list[Refund]:
    """Return the refunds of a payment of which nothing can have gone out, locked: by bank, or by a card that said no."""
    mine = (Refund.payment_id == payment_id, Refund.state.in_(("decided", "needs_person", "failed")))
    ids = session.scalars(select(Refund.id).where(*mine))
    return [row for row in lock(session, Refund, ids) if row.method == "transfer" or row.state in ("needs_person", "failed")]


def _met(session: Session, dispute: Dispute, rows: list[Refund], now: datetime) -> list[Entry]:
    """End refunds that the lost dispute paid already, when it took enough: their bearers bear that much of the loss."""
    if not rows or sum(row.amount_minor for row in rows) > dispute.amount_minor:
        return []
    books = ledger.books_of(session, {row.coop_id for row in rows})
    days = days_of(session, books, now)
    entries = []
    for row in rows:
        row.state, row.paid_at, row.problem = "paid", now, _MET  # nobody is told: nothing is on its way
        legs = postings.refund_met(Money(row.amount_minor, row.currency), row.id)
        entries.append(Entry(books[row.coop_id], "refund.met", f"refund:{row.id}:met", days[row.coop_id], ACTOR, legs))
    return entries
