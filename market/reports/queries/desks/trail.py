"""Who did what, and the mails that were written."""

from typing import Any

from sqlalchemy import Uuid, case, cast, func, or_, select
from sqlalchemy.orm import Session, aliased

from market.accounts.models import Account
from market.kernel.audit import AuditEntry
from market.notifications.models import Notification
from market.reports.queries.lists import (
    Sorting,
    Source,
    Viewer,
    between_days,
    by_day,
    contains,
    one_of,
)

_PERSON = case((AuditEntry.actor.like("account:%"), cast(func.substr(AuditEntry.actor, 9), Uuid)))
"""The account that an entry of the audit names, as an id, so that its key finds it."""


def mails(viewer: Viewer) -> Source:
    """Return the mails that were written about the co-op's facts or to its people, newest first."""
    statement = select(
        Notification.id, Notification.created_at, Notification.kind, Notification.email, Notification.name,
        Notification.locale, Notification.state, Notification.attempts, Notification.sent_at, Notification.problem,
    ).where(Notification.coop_ids.contains([viewer.coop_id]))  # fmt: skip
    return Source(
        statement,
        {"newest": by_day(Notification.created_at, unique=Notification.id)},
        {
            "q": lambda text: or_(Notification.email == text.lower(), contains(Notification.name, text)),
            "state": one_of(Notification.state, ("waiting", "sent", "unwanted", "failed")),
            "kind": lambda text: Notification.kind == text,
            **between_days(viewer, Notification.created_at),
        },
    )


def audit(viewer: Viewer) -> Source:
    """Return who did what to the co-op's records, newest first."""
    person = aliased(Account)
    statement = (
        select(
            AuditEntry.id, AuditEntry.at, AuditEntry.actor, person.name.label("person"), AuditEntry.action,
            AuditEntry.subject_kind, AuditEntry.subject_id, AuditEntry.old, AuditEntry.new,
        )
        .outerjoin(person, person.id == _PERSON)
        .where(AuditEntry.coop_id == viewer.coop_id)
    )  # fmt: skip
    return Source(
        statement,
        {"newest": Sorting(((AuditEntry.id, int),), descending=True)},
        {
            "actor": lambda text: AuditEntry.actor == text,
            "action": lambda text: AuditEntry.action.startswith(text, autoescape=True),
            "kind": lambda text: AuditEntry.subject_kind == text,
            "id": lambda text: AuditEntry.subject_id == text,
            **between_days(viewer, AuditEntry.at),
        },
    )


def audit_entry(session: Session, entry_id: int) -> Any:
    """Return one entry of the audit in this scope, None when there is none."""
    columns = (AuditEntry.id, AuditEntry.at, AuditEntry.actor, AuditEntry.action, AuditEntry.subject_kind, AuditEntry.subject_id)
    statement = select(*columns, AuditEntry.old, AuditEntry.new).where(AuditEntry.id == entry_id)
    return session.execute(statement).one_or_none()


def history(session: Session, kind: str, subject_id: Any, *, limit: int = 30) -> list[Any]:
    """Return what people and tasks did to one record, newest first, each with the name of the person."""
    person = aliased(Account)
    columns = (
        AuditEntry.at, AuditEntry.actor, person.name.label("person"), AuditEntry.action, AuditEntry.subject_kind,
        AuditEntry.old, AuditEntry.new,
    )  # fmt: skip
    statement = (
        select(*columns)
        .outerjoin(person, person.id == _PERSON)
        .where(AuditEntry.subject_kind == kind, AuditEntry.subject_id == str(subject_id))
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    return list(session.execute(statement))
