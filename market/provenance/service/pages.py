"""The stored document behind a lot's public page."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kernel.outbox import announce
from market.provenance.events import LOTS_CHANGED
from market.provenance.models import Lot, LotPage

AT_A_TIME = 50


def refresh_later(session: Session, lot_ids: Iterable[UUID]) -> None:
    """Have the pages of lots built anew after this transaction: something that they show has changed elsewhere."""
    announce(session, LOTS_CHANGED, {"lot_ids": ",".join(sorted(map(str, lot_ids)))})


def refresh_lots_of(session: Session, *, coop_id: UUID) -> None:
    """Have every page built anew that is stored of a co-op's lots, and of what was made from them, some at a time."""
    stored = select(LotPage.lot_id).join(Lot, Lot.id == LotPage.lot_id).where(Lot.coop_id == coop_id).order_by(LotPage.lot_id)
    lots = session.scalars(stored).all()
    for first in range(0, len(lots), AT_A_TIME):
        refresh_later(session, lots[first : first + AT_A_TIME])


def store_page(session: Session, *, lot_id: UUID, slug: str, body: bytes, now: datetime) -> str:
    """Store the document of a lot's page, replacing an older one; returns its ETag."""
    etag = sha256(body).hexdigest()[:32]
    values = {"lot_id": lot_id, "body": body, "etag": etag, "built_at": now}
    statement = insert(LotPage).values(slug=slug, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["slug"], set_=values))
    return etag
