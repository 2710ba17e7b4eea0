"""What staff see of the co-op's share of the card processor's balance."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.treasury.models import CoopRecipient, CoopShare


@dataclass(frozen=True, slots=True)
class RecipientView:
    """The co-op's own account at the card processor."""

    id: UUID
    account: str
    state: str
    proposed_by: str
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class ShareView:
    """A transfer of the co-op's share; `answer` is the processor's number, or its reason."""

    id: UUID
    money: Money
    state: str
    answer: str | None
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None


def recipient(session: Session, coop_id: UUID) -> RecipientView | None:
    """Return the co-op's account there, unless none was named or it was declined."""
    row = session.scalars(
        select(CoopRecipient).where(CoopRecipient.coop_id == coop_id, CoopRecipient.state != "declined")
    ).one_or_none()
    return None if row is None else RecipientView(row.id, row.account, row.state, row.proposed_by, row.decided_by)


def shares(session: Session, coop_id: UUID, *, limit: int = 50) -> list[ShareView]:
    """Return the transfers of the co-op's share, newest first."""
    mine = select(CoopShare).where(CoopShare.coop_id == coop_id)
    rows = session.scalars(mine.order_by(CoopShare.proposed_at.desc(), CoopShare.id.desc()).limit(limit))
    return [
        ShareView(
            row.id, Money(row.amount_minor, row.currency), row.state, row.answer, row.proposed_by, row.proposed_at, row.decided_by
        )
        for row in rows
    ]  # fmt: skip


def free_share(session: Session, coop_id: UUID, currency: str) -> Money:
    """Return what of the co-op's share of the processor's balance is not on its way to the co-op already."""
    there = books.balance(session, ledger.book_of(session, coop_id), "stripe:1", currency)
    moving = (CoopShare.coop_id == coop_id, CoopShare.currency == currency, CoopShare.state.in_(("approved", "sent")))
    going = session.scalar(select(func.coalesce(func.sum(CoopShare.amount_minor), 0)).where(*moving)) or 0
    return Money(max(there.minor - int(going), 0), currency)
