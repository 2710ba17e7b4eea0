"""Advances: granted by two persons, paid out like anything owed, recovered from later payments within the cap."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.earnings import rules
from market.earnings.errors import AmountRefused, ReasonMissing
from market.earnings.models import Advance, AdvanceRecovery
from market.earnings.service.deciding import decide
from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.ids import new_id
from market.kernel.locks import lock
from market.kernel.money import Money
from market.ledger import service as ledger
from market.ledger.rules import Entry, Leg
from market.payables import service as payables
from market.payables.queries import Owed
from market.producers import queries as producers

NOT_ASKED = frozenset({"advance", "premium", "bonus"})
"""Payments that never recover an advance: itself, and what belongs to the fund (solidarity.md 4)."""


def propose_advance(
    session: Session,
    *,
    actor: Actor,
    producer_id: UUID,
    money: Money,
    reason: str,
    now: datetime,
    priority: int = 1,
    cap_percent: Decimal = rules.CAP_PERCENT,
) -> UUID:
    """Ask for an advance to a member; somebody else grants it. Raises AmountRefused, ReasonMissing."""
    if money.minor <= 0 or not 0 <= cap_percent <= 100 or not 1 <= priority <= 9:
        raise AmountRefused(
            "An advance is above zero, its cap is 0 to 100 percent of a payment, its place in the order 1 to 9.",
            pointer="/amount",
        )
    if len(reason.strip()) < 3:
        raise ReasonMissing("Say in a few words what the advance is for.", pointer="/reason")
    member = producers.producer(session, producer_id)
    row = Advance(
        id=new_id(),
        coop_id=member.coop_id,
        producer_id=member.id,
        currency=money.currency,
        amount_minor=money.minor,
        priority=priority,
        cap_percent=cap_percent,
        reason=reason.strip(),
        proposed_by=actor.label,
        proposed_at=now,
    )
    session.add(row)
    audit.record(
        session,
        actor=actor,
        action="earnings.advance_proposed",
        subject_kind="advance",
        subject_id=row.id,
        coop_id=row.coop_id,
        now=now,
        new={"amount": money.text, "reason": row.reason},
    )
    return row.id


def decide_advance(session: Session, *, actor: Actor, advance_id: UUID, granted: bool, now: datetime) -> None:
    """Grant a proposed advance, which is then owed and paid in the next run (E28), or decline it.

    Raises SecondPerson for whoever proposed it, NotOpen when it was decided before. Posts, so call it last.
    """
    row = decide(session, Advance, advance_id, actor=actor, state="granted" if granted else "declined", now=now)
    if not granted:
        return
    money = Money(row.amount_minor, row.currency)
    on = day_in(now, producers.coop(session, row.coop_id).time_zone)
    payables.raise_payable(
        session,
        coop_id=row.coop_id,
        payee_id=row.producer_id,
        money=money,
        kind="advance",
        due_on=on,
        source_kind="advance",
        source_id=row.id,
    )
    moved = rules.advance_granted(row.producer_id, row.id, money)
    ledger.post(
        session,
        [Entry(ledger.book_of(session, row.coop_id), "advance_granted", f"advance:{row.id}:granted", on, actor.label, moved)],
    )


def recover(session: Session, owed: Owed, *, on: date, least: Callable[[], Money | None] = lambda: None) -> tuple[Leg, ...]:
    """Net advances of a payee against a payment just raised (E30, E31) and return the legs for the caller's entry.

    `least` says what the payment must leave because of the floor price of its goods; it is asked only when there is something
    to recover. The same payment again recovers nothing more. Locks the payee's advances, then the payable.
    """
    if owed.kind in NOT_ASKED or owed.state != "open":
        return ()
    ids = session.scalars(
        select(Advance.id).where(
            Advance.coop_id == owed.coop_id,
            Advance.producer_id == owed.payee_id,
            Advance.currency == owed.money.currency,
            Advance.state == "granted",
        )
    ).all()
    if not ids:
        return ()
    rows = {row.id: row for row in lock(session, Advance, ids) if row.state == "granted"}
    if not rows or session.scalar(select(AdvanceRecovery.id).where(AdvanceRecovery.payable_id == owed.id).limit(1)):
        return ()
    open_ones = [
        rules.Open(row.id, Money(row.amount_minor - row.recovered_minor, row.currency), row.priority, row.proposed_at.date())
        for row in rows.values()
    ]
    cap = min(row.cap_percent for row in rows.values())
    taken = rules.recoveries(owed.money, open_ones, cap_percent=cap, least=least())
    for advance_id, money in taken:
        row = rows[advance_id]
        row.recovered_minor += money.minor
        if row.recovered_minor == row.amount_minor:
            row.state = "recovered"
        session.add(
            AdvanceRecovery(
                id=new_id(), coop_id=row.coop_id, advance_id=row.id, payable_id=owed.id, amount_minor=money.minor, recovered_on=on
            )
        )
        payables.set_aside(
            session,
            coop_id=owed.coop_id,
            payee_id=owed.payee_id,
            money=money,
            state="netted",
            taker=row.id,
            source_id=owed.source_id,
        )
    return rules.advances_recovered(owed.payee_id, taken, owed.source_id)
