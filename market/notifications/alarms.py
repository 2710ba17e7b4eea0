"""What the staff of a co-op hear of once a day for as long as it lasts: money that waits too long (law 5).

The same things stand on the desk's first page, each as a task; the mail is for those who do not open it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from market.notifications.telling import Telling, staff_of, to_person
from market.payables import queries as payables
from market.payouts import queries as payouts
from market.producers import queries as producers

MORNING = 6
"""The hour of the co-op's zone from which on alarms are mailed: nobody is woken by what can wait until then [P]."""
_KINDS = {
    "unknown": "alarm_unknown",
    "stuck": "alarm_stuck",
    "undecided": "alarm_unknown",
    "file_waits": "alarm_file",
    "draft_waits": "alarm_draft",
}


@dataclass(frozen=True, slots=True)
class _Alarm:
    """One alarm of a day: the kind of its mail, the task of the first page that it leads to, what the mail says."""

    kind: str
    task: str
    facts: dict[str, Any]


def ringing(session: Session, *, coop_id: UUID, now: datetime) -> list[Telling]:
    """Return the mails of a day's alarms, one for each kind and member of the staff; none before the morning."""
    zone = ZoneInfo(producers.coop(session, coop_id).time_zone)
    local = now.astimezone(zone)
    if local.hour < MORNING:
        return []
    found = list(_alarms(session, coop_id, now, local))
    people = staff_of(session, coop_id) if found else []
    return [
        to_person(
            person,
            fact=f"alarm:{one.kind}:{coop_id}:{local.date()}",
            kind=one.kind,
            link=("today", one.task),
            facts=one.facts,
        )
        for one in found
        for person in people
    ]


def _alarms(session: Session, coop_id: UUID, now: datetime, local: datetime) -> Iterator[_Alarm]:
    late = payables.overdue(session, on=local.date(), coop_id=coop_id)
    if late:
        rows = [[{"day": since.isoformat()}, {"money": [minor, currency]}] for _, currency, _, minor, since in late]
        yield _Alarm("alarm_overdue", "payable_overdue", {"count": sum(count for _, _, count, _, _ in late), "rows": rows})
    nowhere = payouts.payees_without_account(session, coop_id=coop_id, on=local.date())
    if nowhere:
        yield _Alarm("alarm_account", "account_missing", {"count": nowhere})
    for alarm in payouts.alarms(session, now=now, coop_id=coop_id):
        if kind := _KINDS.get(alarm.kind):
            yield _Alarm(kind, "", {"count": alarm.count, "since": {"instant": alarm.since.isoformat()}})
