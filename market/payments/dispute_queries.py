"""What staff see of card disputes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.payments.errors import PaymentMissing
from market.payments.models import Dispute, PaymentPartRow
from market.payments.queries import parts
from market.payments.rules import DISPUTE_OPEN, WANTS_EVIDENCE


@dataclass(frozen=True, slots=True)
class DisputeView:
    """One dispute: how far it is, until when the seller may answer, and what was answered."""

    id: UUID
    payment_id: UUID
    provider_ref: str
    state: str
    reason: str
    money: Money
    evidence_due_at: datetime | None
    opened_at: datetime
    closed_at: datetime | None
    evidence: str | None
    submitted_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it is not decided."""
        return self.state in DISPUTE_OPEN

    @property
    def wants_evidence(self) -> bool:
        """Whether the seller's side is still awaited."""
        return self.state in WANTS_EVIDENCE and self.submitted_at is None


def _dispute_view(row: Dispute) -> DisputeView:
    return DisputeView(
        id=row.id,
        payment_id=row.payment_id,
        provider_ref=row.provider_ref,
        state=row.state,
        reason=row.reason,
        money=Money(row.amount_minor, row.currency),
        evidence_due_at=row.evidence_due_at,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        evidence=row.evidence,
        submitted_at=row.submitted_at,
    )


def dispute(session: Session, dispute_id: UUID, *, coop_id: UUID | None = None) -> DisputeView:
    """Return one dispute; of a payment that paid this co-op, where one is named. Raises PaymentMissing."""
    row = session.get(Dispute, dispute_id)
    if row is None or (coop_id is not None and all(part.coop_id != coop_id for part in parts(session, row.payment_id))):
        raise PaymentMissing("There is no such dispute here.")
    return _dispute_view(row)


def disputes(session: Session, *, coop_id: UUID, limit: int = 100) -> list[DisputeView]:
    """Return the disputes about payments that paid a co-op: what waits for evidence first, then the newest."""
    paid = select(PaymentPartRow.payment_id).where(PaymentPartRow.coop_id == coop_id)
    statement = (
        select(Dispute)
        .where(Dispute.payment_id.in_(paid))
        .order_by(Dispute.closed_at.is_not(None), Dispute.submitted_at.is_not(None), Dispute.opened_at.desc())
        .limit(limit)
    )
    return [_dispute_view(row) for row in session.scalars(statement)]


def disputes_about(session: Session, *, payment_id: UUID) -> list[DisputeView]:
    """Return the disputes about a payment, oldest first."""
    rows = session.scalars(select(Dispute).where(Dispute.payment_id == payment_id).order_by(Dispute.opened_at))
    return [_dispute_view(row) for row in rows]
