"""What stops paying."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.payouts.models import PayoutStop


@dataclass(frozen=True, slots=True)
class Stop:
    """A payout that somebody else shows and that is not known here."""

    found_in: str
    evidence: str
    found_at: datetime


def stops(session: Session, *, coop_id: UUID) -> list[Stop]:
    """Return what stops a co-op's payouts now, oldest first."""
    open_ = select(PayoutStop).where(PayoutStop.coop_id == coop_id, PayoutStop.lifted_at.is_(None))
    return [Stop(row.found_in, row.evidence, row.found_at) for row in session.scalars(open_.order_by(PayoutStop.found_at))]
