"""What was decided about who bears lost card disputes: frozen views."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.orders.models import DisputeBearing


@dataclass(frozen=True, slots=True)
class Bearing:
    """What each bears of a lost dispute about one seller order."""

    seller_order_id: UUID
    producer: Money
    fund: Money
    coop: Money
    reason: str
    decided_by: str
    decided_at: datetime


def bearings(session: Session, dispute_id: UUID) -> dict[UUID, Bearing]:
    """Return what was decided about a dispute, by seller order; only co-ops in scope."""
    rows = session.scalars(select(DisputeBearing).where(DisputeBearing.dispute_id == dispute_id))
    return {row.seller_order_id: _view(row) for row in rows}


def _view(row: DisputeBearing) -> Bearing:
    producer, fund, coop = (Money(minor, row.currency) for minor in (row.producer_minor, row.fund_minor, row.coop_minor))
    return Bearing(row.seller_order_id, producer, fund, coop, row.reason, row.decided_by, row.decided_at)
