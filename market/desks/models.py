"""Tables of what staff keep for their own work."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, Id, Instant

JOB_STATES = ("waiting", "running", "done", "cancelled", "failed")


class SavedView(Base):
    """A list as somebody likes to see it: the desk, and the query string of its address. Lists of the site are no co-op's."""

    __tablename__ = "saved_view"

    id: Mapped[Id]
    coop_id: Mapped[UUID | None] = mapped_column(ForeignKey("coop.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    desk: Mapped[str]
    name: Mapped[str]
    query: Mapped[str]
    created_at: Mapped[Instant]

    __table_args__ = (
        UniqueConstraint("account_id", "coop_id", "desk", "name", postgresql_nulls_not_distinct=True),
        CheckConstraint("length(name) BETWEEN 1 AND 60 AND length(query) <= 1000", name="lengths"),
    )


class Assignment(CoopOwned, Base):
    """Who sees to a thing that waits for a person."""

    __tablename__ = "assignment"

    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    taken_at: Mapped[Instant]

    __table_args__ = (PrimaryKeyConstraint("coop_id", "subject_kind", "subject_id"),)


class ReportJob(CoopOwned, Base):
    """A report that a worker makes: `done` of `total` rows are written; `body` is the file once it is done."""

    __tablename__ = "report_job"

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(server_default=sql("'waiting'"))
    done: Mapped[int] = mapped_column(Integer, server_default=sql("0"))
    total: Mapped[int] = mapped_column(Integer, server_default=sql("0"))
    file_name: Mapped[str]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[Instant]
    ended_at: Mapped[datetime | None]
    problem: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(f"state IN {JOB_STATES}", name="state"),
        CheckConstraint("(state = 'done') = (body IS NOT NULL)", name="body"),
        CheckConstraint("done >= 0 AND total >= 0", name="progress"),
        Index("report_job_of_person", "account_id", "id"),
    )


class SiteSwitch(Base):
    """The one row that says whether the site takes writes; `reason` is what people read meanwhile."""

    __tablename__ = "site_switch"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    read_only: Mapped[bool]
    reason: Mapped[str]
    changed_by: Mapped[str]
    changed_at: Mapped[Instant]

    __table_args__ = (CheckConstraint("id = 1", name="one"),)
