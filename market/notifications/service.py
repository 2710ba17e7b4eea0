"""Decide, claim, record: a mail is a row before it is sent, and the row decides whether it is sent again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kernel import languages
from market.kernel.actor import Actor
from market.kernel.errors import Invalid
from market.kernel.ids import new_id
from market.kernel.locks import lock_one
from market.kernel.words import say
from market.notifications import news, rules
from market.notifications.alarms import ringing
from market.notifications.audience import TELLERS, coops
from market.notifications.models import Notification, NotificationPreference
from market.notifications.telling import Telling
from market.producers import service as producers

LEASE = timedelta(minutes=5)


class UnknownTopic(Invalid):
    """There is no such group of mails."""

    code = "notifications.unknown_topic"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail that this worker sends now. Its id makes the Message-ID, so a mail sent twice is recognised as one."""

    id: UUID
    kind: str
    email: str
    name: str
    language: str
    facts: dict[str, Any]
    link: list[str] | str


def tell(session: Session, *, topic: str, payload: Mapping[str, str], now: datetime) -> int:
    """Write down the mails that a fact calls for; return how many are new. The same fact again adds none."""
    told = TELLERS[topic](session, payload)
    return _write_down(session, told, coops(session, payload) if told else [], now)


def ring(session: Session, *, coop_id: UUID, now: datetime) -> int:
    """Write down the mails of a co-op's alarms of the day; return how many are new. Later the same day it adds what began."""
    return _write_down(session, ringing(session, coop_id=coop_id, now=now), [coop_id], now)


def tell_news(session: Session, *, now: datetime) -> int:
    """Write down the mails to people who follow co-ops that have something new; return how many."""
    told = news.due(session, now=now)
    producers.note_told(session, account_ids=[one.account_id for one in told if one.account_id], now=now)
    return _write_down(session, told, [], now)


def _write_down(session: Session, told: list[Telling], about: list[UUID], now: datetime) -> int:
    unwanted = _unwanted(session, told)
    rows = [
        {
            "id": new_id(),
            "fact": one.fact,
            "kind": one.kind,
            "email": one.email,
            "name": one.name,
            "account_id": one.account_id,
            "locale": one.locale,
            "facts": {"facts": {"name": one.name} | one.facts, "link": one.link},
            "state": "unwanted" if (one.account_id, rules.TOPIC_OF.get(one.kind)) in unwanted else "waiting",
            "try_at": now,
            "created_at": now,
            "coop_ids": list(one.about) or about,
        }
        for one in told
    ]
    if not rows:
        return 0
    statement = insert(Notification).on_conflict_do_nothing(index_elements=["fact", "email"]).returning(Notification.id)
    return len(session.execute(statement, rows).all())


def _unwanted(session: Session, told: list[Telling]) -> set[tuple[UUID | None, str | None]]:
    accounts = {one.account_id for one in told if one.account_id}
    rows = session.execute(
        select(NotificationPreference.account_id, NotificationPreference.topic).where(
            NotificationPreference.account_id.in_(accounts), NotificationPreference.wanted.is_(False)
        )
    )
    return {(account_id, topic) for account_id, topic in rows}


def claim(session: Session, *, now: datetime) -> Claimed | None:
    """Take the mail that has waited longest, for the length of a lease; commit before sending. None when nothing is due."""
    row = session.scalars(
        select(Notification)
        .where(Notification.state == "waiting", Notification.try_at <= now)
        .order_by(Notification.try_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if row is None:
        return None
    row.attempts, row.try_at = row.attempts + 1, now + LEASE
    stored = row.facts
    return Claimed(row.id, row.kind, row.email, row.name, languages.best(row.locale), stored["facts"], stored["link"])


def record_sent(session: Session, *, notification_id: UUID, now: datetime) -> None:
    """Record that the mail server took it."""
    row = lock_one(session, Notification, notification_id)
    row.state, row.sent_at, row.problem = "sent", row.sent_at or now, None


def record_failure(session: Session, *, notification_id: UUID, problem: str, final: bool, now: datetime) -> None:
    """Record why it was not sent, and when it is tried again: never, when the address is wrong or the tries are used up."""
    row = lock_one(session, Notification, notification_id)
    if row.state != "waiting":
        return
    row.problem = problem[:500]
    wait = None if final else rules.retry_after(row.attempts)
    if wait is None:
        row.state = "failed"
    else:
        row.try_at = now + wait


def choose(session: Session, *, actor: Actor, topic: str, wanted: bool) -> None:
    """Record whether a person wants a group of mails. Raises UnknownTopic."""
    if topic not in rules.TOPICS:
        raise UnknownTopic(say("There is no group of mails '%(topic)s'.", topic=topic), pointer="/topic")
    row = {"account_id": actor.account_id, "topic": topic, "wanted": wanted}
    session.execute(
        insert(NotificationPreference)
        .values(row)
        .on_conflict_do_update(index_elements=["account_id", "topic"], set_={"wanted": wanted})
    )


def preferences(session: Session, *, account_id: UUID) -> dict[str, bool]:
    """Return for each group of mails whether the person wants it."""
    rows = session.execute(
        select(NotificationPreference.topic, NotificationPreference.wanted).where(NotificationPreference.account_id == account_id)
    )
    return dict.fromkeys(rules.TOPICS, True) | {topic: wanted for topic, wanted in rows}
