"""Commands of the staff's own things: keep a view, take a task, ask for a report, set the switch."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.desks.errors import JobMissing, ReasonMissing, TakenByAnother, ViewMissing, ViewUnnamed
from market.desks.models import Assignment, ReportJob, SavedView, SiteSwitch
from market.kernel import audit, outbox
from market.kernel.actor import Actor
from market.kernel.ids import new_id


def save_view(session: Session, *, actor: Actor, coop_id: UUID | None, desk: str, name: str, query: str, now: datetime) -> None:
    """Keep a view under a name, of the co-op or of the site; the same name again replaces it. Raises ViewUnnamed."""
    name = name.strip()
    if not 1 <= len(name) <= 60 or len(query) > 1000:
        raise ViewUnnamed("Give the view a short name of its own.", pointer="/name")
    values = {"id": new_id(), "coop_id": coop_id, "account_id": actor.account_id, "desk": desk, "name": name, "query": query}
    statement = insert(SavedView).values(**values, created_at=now)
    session.execute(
        statement.on_conflict_do_update(index_elements=["account_id", "coop_id", "desk", "name"], set_={"query": query})
    )


def forget_view(session: Session, *, actor: Actor, view_id: UUID) -> str:
    """Throw a view of the actor away and return its desk. Raises ViewMissing."""
    statement = delete(SavedView).where(SavedView.id == view_id, SavedView.account_id == actor.account_id)
    desk = session.scalar(statement.returning(SavedView.desk))
    if desk is None:
        raise ViewMissing("There is no such saved view.")
    return str(desk)


def take(session: Session, *, actor: Actor, coop_id: UUID, subject_kind: str, subject_id: UUID, now: datetime) -> None:
    """Make the actor the one who sees to a thing. Raises TakenByAnother while somebody else does."""
    values = {"coop_id": coop_id, "subject_kind": subject_kind, "subject_id": subject_id, "account_id": actor.account_id}
    session.execute(insert(Assignment).values(**values, taken_at=now).on_conflict_do_nothing())
    owner = session.scalar(select(Assignment.account_id).where(*_of(coop_id, subject_kind, subject_id)))
    if owner != actor.account_id:
        raise TakenByAnother("A colleague has taken this in the meantime.")


def give_up(session: Session, *, coop_id: UUID, subject_kind: str, subject_id: UUID) -> None:
    """Let a thing wait for anybody again, whoever had taken it: colleagues fall ill."""
    session.execute(delete(Assignment).where(*_of(coop_id, subject_kind, subject_id)))


def _of(coop_id: UUID, kind: str, subject_id: UUID) -> tuple[Any, ...]:
    return (Assignment.coop_id == coop_id, Assignment.subject_kind == kind, Assignment.subject_id == subject_id)


def ask_for_report(
    session: Session, *, actor: Actor, coop_id: UUID, kind: str, facts: Mapping[str, Any], file_name: str, now: datetime
) -> UUID:
    """Ask a worker for a report; return the job's id."""
    job_id = new_id()
    session.add(
        ReportJob(
            id=job_id,
            coop_id=coop_id,
            account_id=actor.account_id,
            kind=kind,
            facts=dict(facts),
            file_name=file_name,
            created_at=now,
        )
    )
    outbox.announce(session, "desks.report_asked", {"job_id": job_id})
    return job_id


def begin_report(session: Session, *, job_id: UUID, total: int) -> bool:
    """Say that a worker has begun, with how many rows it expects; False when there is nothing to do any more."""
    statement = update(ReportJob).where(ReportJob.id == job_id, ReportJob.state.in_(("waiting", "running")))
    return session.scalar(statement.values(state="running", done=0, total=total).returning(ReportJob.id)) is not None


def note_progress(session: Session, *, job_id: UUID, done: int) -> bool:
    """Write down how far a report is; False when its owner has cancelled it."""
    statement = update(ReportJob).where(ReportJob.id == job_id, ReportJob.state == "running").values(done=done)
    return session.scalar(statement.returning(ReportJob.id)) is not None


def finish_report(session: Session, *, job_id: UUID, body: bytes, now: datetime) -> None:
    """Keep the file and announce it; a report that was cancelled meanwhile stays so."""
    statement = update(ReportJob).where(ReportJob.id == job_id, ReportJob.state == "running")
    if session.scalar(statement.values(state="done", body=body, ended_at=now).returning(ReportJob.id)) is not None:
        outbox.announce(session, "desks.report_done", {"job_id": job_id})


def fail_report(session: Session, *, job_id: UUID, problem: str, now: datetime) -> None:
    """Say that a report could not be made, and why."""
    statement = update(ReportJob).where(ReportJob.id == job_id, ReportJob.state.in_(("waiting", "running")))
    session.execute(statement.values(state="failed", problem=problem[:500], ended_at=now))


def cancel_report(session: Session, *, actor: Actor, job_id: UUID, now: datetime) -> bool:
    """Stop a report that is not made yet; return whether it was still to be made. Raises JobMissing for another person's."""
    own = (ReportJob.id == job_id, ReportJob.account_id == actor.account_id)
    if session.scalar(select(ReportJob.id).where(*own)) is None:
        raise JobMissing("There is no such report of yours.")
    statement = update(ReportJob).where(*own, ReportJob.state.in_(("waiting", "running")))
    return session.execute(statement.values(state="cancelled", ended_at=now).returning(ReportJob.id)).first() is not None


def set_read_only(session: Session, *, actor: Actor, read_only: bool, reason: str, now: datetime) -> None:
    """Stop or take up writing on the whole site. Raises ReasonMissing when it stops without a word."""
    reason = reason.strip()[:300]
    if read_only and len(reason) < 3:
        raise ReasonMissing("Say why, in words for everybody who will read them.", pointer="/reason")
    before = session.get(SiteSwitch, 1)
    old = before.read_only if before else False
    row = before or SiteSwitch(id=1)
    row.read_only, row.reason, row.changed_by, row.changed_at = read_only, reason if read_only else "", actor.label, now
    session.add(row)
    audit.record(session, actor=actor, action="site.read_only", subject_kind="site", subject_id=1, now=now,
                 old={"read_only": old}, new={"read_only": read_only, "reason": row.reason})  # fmt: skip
