"""Reads of the staff's own things."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, tuple_
from sqlalchemy.orm import Session, defer

from market.desks.errors import JobMissing, JobNotReady
from market.desks.models import Assignment, ReportJob, SavedView, SiteSwitch


@dataclass(frozen=True, slots=True)
class View:
    """A saved view."""

    id: UUID
    name: str
    query: str


@dataclass(frozen=True, slots=True)
class Job:
    """A report that was asked for."""

    id: UUID
    coop_id: UUID
    account_id: UUID
    kind: str
    facts: dict[str, Any]
    state: str
    done: int
    total: int
    file_name: str
    created_at: datetime
    ended_at: datetime | None
    problem: str | None

    @property
    def ended(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.state in ("done", "cancelled", "failed")


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether the site takes writes, and what is said meanwhile."""

    read_only: bool
    reason: str = ""
    changed_by: str = ""
    changed_at: datetime | None = None


def views(session: Session, *, account_id: UUID, coop_id: UUID | None, desk: str) -> list[View]:
    """Return the views that a person saved of a desk of a co-op, or of the site, by name."""
    mine = (SavedView.account_id == account_id, SavedView.coop_id.is_not_distinct_from(coop_id), SavedView.desk == desk)
    rows = session.execute(select(SavedView.id, SavedView.name, SavedView.query).where(*mine).order_by(SavedView.name))
    return [View(*row) for row in rows]


def owners(session: Session, *, coop_id: UUID, subjects: Sequence[tuple[str, UUID]]) -> dict[tuple[str, UUID], UUID]:
    """Return who sees to which of the things, by kind and id."""
    columns = (Assignment.subject_kind, Assignment.subject_id, Assignment.account_id)
    wanted = tuple_(Assignment.subject_kind, Assignment.subject_id).in_(subjects)
    if not subjects:
        return {}
    rows = session.execute(select(*columns).where(Assignment.coop_id == coop_id, wanted))
    return {(kind, subject_id): account_id for kind, subject_id, account_id in rows}


def jobs(session: Session, *, account_id: UUID, coop_id: UUID, limit: int = 30) -> list[Job]:
    """Return the reports that a person asked for, newest first."""
    mine = (ReportJob.account_id == account_id, ReportJob.coop_id == coop_id)
    statement = select(ReportJob).options(defer(ReportJob.body)).where(*mine).order_by(ReportJob.id.desc()).limit(limit)
    return [_job(row) for row in session.scalars(statement)]


def job(session: Session, job_id: UUID, *, account_id: UUID | None = None) -> Job:
    """Return a report, of this person if one is given. Raises JobMissing."""
    row = session.scalar(select(ReportJob).options(defer(ReportJob.body)).where(ReportJob.id == job_id))
    if row is None or (account_id is not None and row.account_id != account_id):
        raise JobMissing("There is no such report of yours.")
    return _job(row)


def job_body(session: Session, job_id: UUID) -> bytes:
    """Return the file of a report. Raises JobNotReady."""
    body = session.scalar(select(ReportJob.body).where(ReportJob.id == job_id))
    if body is None:
        raise JobNotReady("This report is not there yet. Look again when it is done.")
    return bytes(body)


def switch(session: Session) -> Switch:
    """Return the site's switch."""
    row = session.get(SiteSwitch, 1)
    return Switch(row.read_only, row.reason, row.changed_by, row.changed_at) if row else Switch(read_only=False)


def switch_now(connection: Connection) -> Switch:
    """Return the switch without its history, for every write that comes in and what working areas say of it."""
    row = connection.execute(select(SiteSwitch.read_only, SiteSwitch.reason)).one_or_none()
    return Switch(row.read_only, row.reason) if row else Switch(read_only=False)


def _job(row: ReportJob) -> Job:
    return Job(
        row.id, row.coop_id, row.account_id, row.kind, row.facts, row.state, row.done, row.total, row.file_name,
        row.created_at, row.ended_at, row.problem,
    )  # fmt: skip
