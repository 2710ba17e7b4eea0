"""Who did what to which record, with old and new values (peer-lessons 8). Rows are only ever added."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from market.kernel.actor import Actor
from market.kernel.orm import Base, Instant


class AuditEntry(Base):
    """One act of a person or task on one record; `on_behalf_of` is the producer for whom staff did it."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[Instant]
    actor: Mapped[str]
    on_behalf_of: Mapped[UUID | None]
    coop_id: Mapped[UUID | None]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    old: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    new: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (
        Index("audit_entry_subject", "subject_kind", "subject_id", "id"),
        Index("audit_entry_of_coop", "coop_id", "id"),
    )


def record(
    session: Session,
    *,
    actor: Actor,
    action: str,
    subject_kind: str,
    subject_id: UUID | str | int,
    now: datetime,
    coop_id: UUID | None = None,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
) -> None:
    """Add an entry; `old` and `new` hold only the fields that changed, as JSON values."""
    session.add(
        AuditEntry(
            at=now,
            actor=actor.label,
            on_behalf_of=actor.on_behalf_of,
            coop_id=coop_id or actor.coop_id,
            action=action,
            subject_kind=subject_kind,
            subject_id=str(subject_id),
            old=old,
            new=new,
        )
    )
