"""Keep the payee's statement as it was printed the first time."""

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kernel.outbox import announce
from market.payouts.models import Payout, PayoutStatement


def keep_statement(session: Session, *, payout_id: UUID, language: str, body: bytes, now: datetime) -> bytes:
    """Store a printed statement unless one is stored, and return the stored bytes: who printed first wins.

    Announces `payouts.printed`.
    """
    coop_id = session.execute(select(Payout.coop_id).where(Payout.id == payout_id)).scalar_one()
    session.execute(
        insert(PayoutStatement)
        .values(
            payout_id=payout_id,
            coop_id=coop_id,
            language=language,
            sha256=hashlib.sha256(body).hexdigest(),
            body=body,
            printed_at=now,
        )
        .on_conflict_do_nothing(index_elements=["payout_id"])
    )
    say_printed(session, payout_id=payout_id)
    return session.execute(select(PayoutStatement.body).where(PayoutStatement.payout_id == payout_id)).scalar_one()


def say_printed(session: Session, *, payout_id: UUID) -> None:
    """Announce that the statement of a paid payout is there, which its payee hears once each time that it is paid."""
    announce(session, "payouts.printed", {"payout_id": payout_id})
