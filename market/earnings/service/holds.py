"""Holds: part of what is owed waits, openly, with an end (law 5)."""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.earnings import rules
from market.earnings.errors import NoRecord, NotOpen, ReasonMissing
from market.earnings.models import PayableHold
from market.kernel import audit
from market.kernel.actor import SYSTEM, Actor
from market.kernel.clock import day_in
from market.kernel.ids import new_id
from market.kernel.locks import lock
from market.kernel.money import Money
from market.kernel.outbox import announce
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.payables import service as payables
from market.producers import queries as producers

LONGEST = timedelta(days=366)
"""A hold that ends later is a mistyped year, or one that is promised to end and does not."""


def hold(
    session: Session,
    *,
    actor: Actor,
    producer_id: UUID,
    money: Money,
    reason: str,
    appeal: str,
    ends_on: date,
    source_kind: str,
    source_id: UUID,
    now: datetime,
    owed_for: UUID | None = None,
) -> UUID:
    """Keep back part of what a member is owed until a day; return the hold's id. The same source again changes nothing.

    `owed_for` takes it from what one source of earnings owes alone.

    Raises ReasonMissing without a reason and a way to appeal, or without an end after today and within LONGEST; TooLittleOwed
    when less is open. The member is told. Posts, so call it last.
    """
    member = producers.producer(session, producer_id)
    on = day_in(now, producers.coop(session, member.coop_id).time_zone)
    if len(reason.strip()) < 3 or len(appeal.strip()) < 3 or ends_on <= on:
        raise ReasonMissing("A hold has a reason, a way to appeal, and a day after today on which it ends.", pointer="/reason")
    if ends_on - on > LONGEST:
        raise ReasonMissing(
            "A hold ends within a year; look at the year. Whoever still needs it then sets it anew, with its reason.",
            pointer="/ends_on",
        )
    made = session.execute(
        insert(PayableHold)
        .values(
            id=new_id(),
            coop_id=member.coop_id,
            producer_id=member.id,
            currency=money.currency,
            amount_minor=money.minor,
            reason=reason.strip(),
            appeal=appeal.strip(),
            ends_on=ends_on,
            source_kind=source_kind,
            source_id=source_id,
            set_by=actor.label,
            set_at=now,
        )
        .on_conflict_do_nothing(index_elements=["coop_id", "source_kind", "source_id", "producer_id"])
        .returning(PayableHold.id)
    ).scalar_one_or_none()
    if made is None:
        return session.execute(
            select(PayableHold.id).where(
                PayableHold.coop_id == member.coop_id,
                PayableHold.source_kind == source_kind,
                PayableHold.source_id == source_id,
                PayableHold.producer_id == member.id,
            )
        ).scalar_one()
    payables.set_aside(
        session, coop_id=member.coop_id, payee_id=member.id, money=money, state="held", taker=made, source_id=owed_for
    )
    audit.record(
        session,
        actor=actor,
        action="earnings.held",
        subject_kind="payable_hold",
        subject_id=made,
        coop_id=member.coop_id,
        now=now,
        new={"amount": money.text, "reason": reason.strip(), "ends_on": ends_on.isoformat()},
    )
    announce(session, "earnings.held", {"hold_id": made})
    entry = Entry(
        ledger.book_of(session, member.coop_id),
        "payable_held",
        f"hold:{made}",
        on,
        actor.label,
        rules.held(member.id, money, made),
    )
    ledger.post(session, [entry], late=True)
    return made


def end_hold(session: Session, *, actor: Actor, hold_id: UUID, now: datetime) -> None:
    """End a hold: the money can be paid. Raises NoRecord, NotOpen. Posts, so call it last."""
    row = next(iter(lock(session, PayableHold, [hold_id])), None)
    if row is None:
        raise NoRecord("There is no such hold here.")
    if row.ended_at is not None:
        raise NotOpen("This hold has ended already.")
    _end(session, [row], actor=actor, now=now)


def end_holds_of(session: Session, *, actor: Actor, source_kind: str, source_id: UUID, now: datetime) -> int:
    """End what is still held because of one thing; return how many. Posts, so call it last."""
    named = select(PayableHold.id).where(PayableHold.source_kind == source_kind, PayableHold.source_id == source_id)
    rows = [row for row in lock(session, PayableHold, session.scalars(named)) if row.ended_at is None]
    if rows:
        _end(session, rows, actor=actor, now=now)
    return len(rows)


def end_due_holds(session: Session, *, now: datetime, limit: int = 200) -> int:
    """End holds whose last day is over, where their co-op is; return how many. Repeatable."""
    due = (
        select(PayableHold.id).where(PayableHold.ended_at.is_(None), PayableHold.ends_on < day_in(now, "Etc/GMT+12")).limit(limit)
    )
    rows = [row for row in lock(session, PayableHold, session.scalars(due)) if row.ended_at is None]
    if rows:
        _end(session, rows, actor=SYSTEM, now=now)
    return len(rows)


def _end(session: Session, rows: list[PayableHold], *, actor: Actor, now: datetime) -> None:
    entries = []
    for row in rows:
        row.ended_by, row.ended_at = actor.label, now
        payables.release_held(session, taker=row.id)
        audit.record(
            session,
            actor=actor,
            action="earnings.hold_ended",
            subject_kind="payable_hold",
            subject_id=row.id,
            coop_id=row.coop_id,
            now=now,
        )
        on = day_in(now, producers.coop(session, row.coop_id).time_zone)
        moved = rules.hold_ended(row.producer_id, Money(row.amount_minor, row.currency), row.id)
        entries.append(Entry(ledger.book_of(session, row.coop_id), "hold_ended", f"hold:{row.id}:ended", on, actor.label, moved))
    ledger.post(session, entries, late=True)
