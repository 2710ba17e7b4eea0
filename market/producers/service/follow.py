"""Following a co-op: who wants to hear of its news."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
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
