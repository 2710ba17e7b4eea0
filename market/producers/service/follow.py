"""Following a co-op: who wants to hear of its news."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.producers.models import Follow


def follow(session: Session, *, account_id: UUID, coop_id: UUID, wanted: bool, now: datetime) -> None:
    """Begin or stop to follow a co-op; saying it twice changes nothing."""
    if wanted:
        row = {"account_id": account_id, "coop_id": coop_id, "since": now}
        session.execute(insert(Follow).values(row).on_conflict_do_nothing())
    else:
        session.execute(delete(Follow).where(Follow.account_id == account_id, Follow.coop_id == coop_id))


def note_told(session: Session, *, account_ids: Collection[UUID], now: datetime) -> None:
    """Note that these people got a mail with the news of the co-ops that they follow."""
    session.execute(update(Follow).where(Follow.account_id.in_(account_ids)).values(told_at=now))
