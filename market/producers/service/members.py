"""Taking a producer into the co-op, changing their page, linking their account, and leaving."""

from collections.abc import Mapping
from datetime import date, datetime
from itertools import chain, count
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kernel import audit, locks, text
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.ids import new_id
from market.kernel.outbox import announce
from market.producers import events, rules
from market.producers.errors import AccountTaken, BadProducer, MembershipEnded, NotYoursToChange, ProducerMissing
from market.producers.models import Coop, Member, Producer


def add_producer(
    session: Session,
    *,
    actor: Actor,
    name: str,
    joined_on: date,
    now: datetime,
    region: str = "",
    story: str = "",
    language: str = "en",
    sms_phone: str | None = None,
    account_id: UUID | None = None,
) -> UUID:
    """Take a producer into the actor's co-op under the next free number; return the producer's id.

    Locks the co-op, so that two members never get one number. Raises NotYoursToChange, BadProducer, AccountTaken.
    """
    if not actor.is_staff or actor.coop_id is None:
        raise NotYoursToChange("Only the staff of a co-op takes in members.")
    rules.check_producer(name=name, sms_phone=sms_phone)
    locks.lock_one(session, Coop, actor.coop_id)
    producer_id = _insert(
        session,
        {
            "coop_id": actor.coop_id,
            "name": name.strip(),
            "region": region.strip(),
            "story": story.strip(),
            "language": language,
            "sms_phone": sms_phone or None,
            "created_at": now,
        },
    )
    last = session.execute(select(func.max(Member.number)).where(Member.coop_id == actor.coop_id)).scalar_one()
    number = (last or 0) + 1
    session.add(Member(id=new_id(), coop_id=actor.coop_id, producer_id=producer_id, number=number, joined_on=joined_on))
    audit.record(
        session, actor=actor, action="producers.add_producer", subject_kind="producer", subject_id=producer_id, now=now,
        new={"number": number},
    )  # fmt: skip
    if account_id is not None:
        link_account(session, actor=actor, producer_id=producer_id, account_id=account_id, now=now)
    return producer_id


def link_account(session: Session, *, actor: Actor, producer_id: UUID, account_id: UUID, now: datetime) -> None:
    """Let an account act as the producer. Raises ProducerMissing, NotYoursToChange, AccountTaken."""
    producer = of_own_coop(session, actor, producer_id)
    if not actor.is_staff:
        raise NotYoursToChange("Only the staff of a co-op invites its members.")
    if producer.account_id == account_id:
        return
    taken = select(Producer.id).where(Producer.account_id == account_id, Producer.coop_id == producer.coop_id)
    if session.scalars(taken).one_or_none() is not None:
        raise AccountTaken("This person is another producer of this co-op already.", pointer="/email")
    producer.account_id = account_id
    audit.record(
        session, actor=actor, action="producers.link_account", subject_kind="producer", subject_id=producer_id, now=now,
        new={"account_id": str(account_id)},
    )  # fmt: skip


def update_producer(
    session: Session,
    *,
    actor: Actor,
    producer_id: UUID,
    name: str,
    region: str,
    story: str,
    language: str,
    sms_phone: str | None,
    now: datetime,
) -> None:
    """Change what a producer shows of themselves: they themselves or their co-op's staff.

    Raises ProducerMissing, BadProducer.
    """
    producer = of_own_coop(session, actor, producer_id)
    rules.check_producer(name=name, sms_phone=sms_phone)
    wanted = {
        "name": name.strip(),
        "region": region.strip(),
        "story": story.strip(),
        "language": language,
        "sms_phone": sms_phone or None,
    }
    changed = [field for field, value in wanted.items() if getattr(producer, field) != value]
    for field in changed:
        setattr(producer, field, wanted[field])
    if changed:
        audit.record(
            session, actor=actor, action="producers.update_producer", subject_kind="producer", subject_id=producer_id, now=now,
            new={"fields": changed},
        )  # fmt: skip
    if {"name", "region"} & set(changed):
        announce(session, events.SHOWN_CHANGED, {"coop_id": producer.coop_id})


def end_membership(session: Session, *, actor: Actor, producer_id: UUID, left_on: date, now: datetime) -> None:
    """Let a producer leave, today or on a day that is past; what is owed to them stays owed.

    Their offers leave the shop as soon as a worker hears of it. Raises ProducerMissing, NotYoursToChange, BadProducer for a
    day to come, MembershipEnded.
    """
    producer = of_own_coop(session, actor, producer_id)
    if not actor.is_staff:
        raise NotYoursToChange("Only the staff of a co-op ends a membership.")
    if left_on > day_in(now, session.get_one(Coop, producer.coop_id).time_zone):
        raise BadProducer("The day cannot lie after today.", pointer="/left_on")
    current = select(Member.id).where(Member.producer_id == producer.id, Member.left_on.is_(None))
    member_id = session.scalars(current).one_or_none()
    if member_id is None:
        raise MembershipEnded("This producer has left already.")
    member = locks.lock_one(session, Member, member_id)
    member.left_on = max(left_on, member.joined_on)
    audit.record(
        session, actor=actor, action="producers.end_membership", subject_kind="producer", subject_id=producer_id, now=now,
        new={"left_on": member.left_on.isoformat()},
    )  # fmt: skip
    announce(session, events.MEMBERSHIP_ENDED, {"producer_id": producer_id, "coop_id": producer.coop_id})


def of_own_coop(session: Session, actor: Actor, producer_id: UUID) -> Producer:
    """Lock a producer whom the actor may change: themselves, or any of the co-op for its staff. Raises ProducerMissing."""
    rows = locks.lock(session, Producer, [producer_id])
    mine = [row for row in rows if row.coop_id == actor.coop_id and (actor.is_staff or row.id == actor.producer_id)]
    if not mine:
        raise ProducerMissing("There is no such producer.")
    return mine[0]


def _insert(session: Session, values: Mapping[str, Any]) -> UUID:
    """Write a producer under the first free address of their name, and return the id.

    Addresses are the site's, and who works for one co-op does not see those of the others: it is the table that knows.
    """
    wanted = text.slug(values["name"])
    for slug in chain([wanted], (f"{wanted}-{number}" for number in count(2))):
        row = insert(Producer).values(id=new_id(), slug=slug, **values).on_conflict_do_nothing(index_elements=["slug"])
        made: UUID | None = session.scalar(row.returning(Producer.id))
        if made is not None:
            return made
    raise AssertionError("numbers do not end")
