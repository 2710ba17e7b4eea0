"""Tables of notifications and of what people want to hear."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as UuidColumn
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, Id, Instant


class Notification(Base):
    """One mail to one person about one fact. `fact` names the fact, so the same one is never told twice.

    `coop_ids` are the co-ops whose business it is about, so that their staff can see what was said in their name.
    """

    __tablename__ = "notification"

    id: Mapped[Id]
    fact: Mapped[str]
    kind: Mapped[str]
    email: Mapped[str]
    name: Mapped[str]
    account_id: Mapped[UUID | None]
    locale: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    try_at: Mapped[Instant]
    created_at: Mapped[Instant]
    sent_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    coop_ids: Mapped[list[UUID]] = mapped_column(ARRAY(UuidColumn), server_default=text("'{}'"))

    __table_args__ = (
        UniqueConstraint("fact", "email"),
        CheckConstraint("state IN ('waiting', 'sent', 'unwanted', 'failed')", name="state"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent"),
        Index("notification_of_coop", "coop_ids", postgresql_using="gin"),
        Index("notification_waiting", "try_at", postgresql_where=text("state = 'waiting'")),
    )


class NotificationPreference(Base):
    """A group of mails that a person does not want; without a row they get it."""

    __tablename__ = "notification_preference"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    topic: Mapped[str]
    wanted: Mapped[bool]

    __table_args__ = (PrimaryKeyConstraint("account_id", "topic"),)
