"""Corrections and offsets: what is owed changes by a person's word, never silently."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from market.earnings import rules
from market.earnings.errors import AmountRefused, ReasonMissing
from market.earnings.models import PayableCorrection
from market.earnings.service.deciding import decide
from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.ids import new_id
from market.kernel.locks import Turn, turn
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.payables import service as payables
from market.producers import queries as producers


def propose_correction(session: Session, *, actor: Actor, producer_id: UUID, money: Money, reason: str, now: datetime) -> UUID:
    """Propose that a member is owed more (above zero) or less (below zero). Raises AmountRefused, ReasonMissing."""
    if not money:
        raise AmountRefused("A correction of nothing corrects nothing.", pointer="/amount")
    if len(reason.strip()) < 3:
        raise ReasonMissing("Say what was wrong, so that the member understands it.", pointer="/reason")
    member = producers.producer(session, producer_id)
    row = PayableCorrection(
        id=new_id(),
        coop_id=member.coop_id,
        producer_id=member.id,
        currency=money.currency,
        amount_minor=money.minor,
        reason=reason.strip(),
        proposed_by=actor.label,
        proposed_at=now,
    )
    session.add(row)
    audit.record(
        session,
        actor=actor,
        action="earnings.correction_proposed",
        subject_kind="payable_correction",
        subject_id=row.id,
        coop_id=row.coop_id,
        now=now,
        new={"amount": money.text, "reason": row.reason},
    )
    return row.id


def decide_correction(session: Session, *, actor: Actor, correction_id: UUID, agreed: bool, now: datetime) -> None:
    """Book a proposed correction or decline it. Raises SecondPerson, NotOpen, TooLittleOwed. Posts, so call it last."""
    row = decide(session, PayableCorrection, correction_id, actor=actor, state="booked" if agreed else "declined", now=now)
    if not agreed:
        return
    money = Money(row.amount_minor, row.currency)
    on = day_in(now, producers.coop(session, row.coop_id).time_zone)
    if money.minor > 0:
        payables.raise_payable(
            session,
            coop_id=row.coop_id,
            payee_id=row.producer_id,
            money=money,
            kind="correction",
            due_on=on,
            source_kind="payable_correction",
            source_id=row.id,
        )
    else:
        payables.set_aside(session, coop_id=row.coop_id, payee_id=row.producer_id, money=-money, state="netted", taker=row.id)
    moved = rules.corrected(row.producer_id, money, row.id)
    ledger.post(
        session, [Entry(ledger.book_of(session, row.coop_id), "correction", f"correction:{row.id}", on, actor.label, moved)]
    )


def offset(session: Session, *, actor: Actor, producer_id: UUID, money: Money, sale: UUID, what: str, now: datetime) -> None:
    """Settle a member's purchase of inputs with what the member is owed (E34); `sale` names it: the same again changes nothing.

    Raises ReasonMissing without words on what was taken, TooLittleOwed when less is owed. Posts, so call it last.
    """
    if len(what.strip()) < 3:
        raise ReasonMissing("Say what the member took.", pointer="/what")
    member = producers.producer(session, producer_id)
    turn(session, Turn.OFFSET, sale)  # the same form twice at once: the second waits here, and finds it booked
    if books.booked(session, ledger.book_of(session, member.coop_id), f"offset:{sale}") is not None:
        return
    payables.set_aside(session, coop_id=member.coop_id, payee_id=member.id, money=money, state="netted", taker=sale)
    audit.record(
        session,
        actor=actor,
        action="earnings.offset",
        subject_kind="producer",
        subject_id=member.id,
        coop_id=member.coop_id,
        now=now,
        new={"amount": money.text, "what": what.strip(), "sale": str(sale)},
    )
    on = day_in(now, producers.coop(session, member.coop_id).time_zone)
    moved = rules.offset(member.id, money, sale)
    ledger.post(session, [Entry(ledger.book_of(session, member.coop_id), "offset", f"offset:{sale}", on, actor.label, moved)])
