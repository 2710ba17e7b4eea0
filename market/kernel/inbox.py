"""What outside services told us, stored once before anybody acts on it (money.md 4.3)."""

from datetime import datetime

from sqlalchemy import BigInteger, Identity, Index, UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from market.kernel.orm import Base, Instant, Json


class InboxRow(Base):
    """One event of an outside source; `handled_at` is set in the transaction that applied it."""

    __tablename__ = "inbox"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    source: Mapped[str]
    external_id: Mapped[str]
    kind: Mapped[str]
    payload: Mapped[Json]
    received_at: Mapped[Instant]
    handled_at: Mapped[datetime | None]
    outcome: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index("inbox_waiting", "id", postgresql_where=text("handled_at IS NULL")),
    )


def store(session: Session, *, source: str, external_id: str, kind: str, payload: dict[str, object], now: datetime) -> int | None:
    """Store an event; return its row id, or None when it was there already."""
    statement = (
        insert(InboxRow)
        .values(source=source, external_id=external_id, kind=kind, payload=payload, received_at=now)
        .on_conflict_do_nothing(index_elements=["source", "external_id"])
        .returning(InboxRow.id)
    )
    return session.execute(statement).scalar_one_or_none()


def claim(session: Session, row_id: int) -> InboxRow | None:
    """Lock an event that nobody has handled; None when it is handled, gone, or another worker holds it."""
    statement = (
        select(InboxRow)
        .where(InboxRow.id == row_id, InboxRow.handled_at.is_(None))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return session.execute(statement).scalar_one_or_none()


def waiting(session: Session, *, source: str, limit: int = 100) -> list[int]:
    """Return ids of events that wait to be handled, oldest first."""
    statement = (
        select(InboxRow.id).where(InboxRow.source == source, InboxRow.handled_at.is_(None)).order_by(InboxRow.id).limit(limit)
    )
    return list(session.execute(statement).scalars())
