"""The stored document behind a lot's public page."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kernel.outbox import announce
from market.provenance.events import LOTS_CHANGED
from market.provenance.models import LotPage


def refresh_later(session: Session, lot_ids: Iterable[UUID]) -> None:
    """Have the pages of lots built anew after this transaction: something that they show has changed elsewhere."""
    announce(session, LOTS_CHANGED, {"lot_ids": ",".join(sorted(map(str, lot_ids)))})


def store_page(session: Session, *, lot_id: UUID, slug: str, body: bytes, now: datetime) -> str:
    """Store the document of a lot's page, replacing an older one; returns its ETag."""
    etag = sha256(body).hexdigest()[:32]
    values = {"lot_id": lot_id, "body": body, "etag": etag, "built_at": now}
    statement = insert(LotPage).values(slug=slug, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["slug"], set_=values))
    return etag
