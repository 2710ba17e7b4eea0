"""Debts that change their currency at a rate that somebody can look up again (E47, money.md 3)."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.ids import new_id
from market.kernel.money import EXPONENTS, Money
from market.payables import service as payables
from market.producers import queries as producers
from market.treasury import rules
from market.treasury.errors import AmountRefused, EvidenceMissing
from market.treasury.models import FxConversion
from market.treasury.service.deciding import add, book, decide, end, locked


def propose_conversion(
    session: Session,
    *,
    actor: Actor,
    producer_id: UUID,
    owed: Money,
    currency: str,
    rate: Decimal,
    rate_on: date,
    source: str,
    now: datetime,
) -> UUID:
    """Propose that `owed` to a member becomes an amount of `currency` at `rate` (units of it for one of the debt's).

    Raises AmountRefused, EvidenceMissing without a source of the rate. Returns the id.
    """
    if currency not in EXPONENTS or currency == owed.currency:
        raise AmountRefused("Name another currency by its three letters, such as RWF.", pointer="/currency")
    if owed.minor <= 0 or rate <= 0:
        raise AmountRefused("Amount and rate are above zero.", pointer="/amount")
    if len(source.strip()) < 3:
        raise EvidenceMissing("Say where the rate was read, so that it can be looked up again.", pointer="/source")
    member = producers.producer(session, producer_id)
    if rate_on > day_in(now, producers.coop(session, member.coop_id).time_zone):
        raise AmountRefused("The day of the rate lies in the future.", pointer="/rate_on")
    agreed = rules.converted(owed, currency, rate)
    if agreed.minor <= 0:
        raise AmountRefused("At this rate nothing is left.", pointer="/rate")
    row = FxConversion(
        id=new_id(), coop_id=member.coop_id, producer_id=member.id, currency=owed.currency, amount_minor=owed.minor,
        agreed_currency=currency, agreed_minor=agreed.minor, rate=rate, rate_on=rate_on, source=source.strip(),
        state="proposed", proposed_by=actor.label, proposed_at=now,
    )  # fmt: skip
    facts = {"owed": owed.text, "agreed": agreed.text, "rate": f"{rate:f}", "rate_on": rate_on.isoformat(), "source": row.source}
    return add(session, row, actor=actor, now=now, facts=facts)


def decide_conversion(session: Session, *, actor: Actor, conversion_id: UUID, agreed: bool, now: datetime) -> None:
    """Let the debt change its currency, or decline it. Raises SecondPerson, NotOpen, TooLittleOwed. Posts."""
    row = decide(session, FxConversion, conversion_id, actor=actor, state="booked" if agreed else "declined", now=now)
    if not agreed:
        return
    owed, new = Money(row.amount_minor, row.currency), Money(row.agreed_minor, row.agreed_currency)
    payables.set_aside(session, coop_id=row.coop_id, payee_id=row.producer_id, money=owed, state="netted", taker=row.id)
    payables.raise_payable(
        session,
        coop_id=row.coop_id,
        payee_id=row.producer_id,
        money=new,
        kind="conversion",
        due_on=day_in(now, producers.coop(session, row.coop_id).time_zone),
        source_kind="fx_conversion",
        source_id=row.id,
    )
    note = {"rate": f"{row.rate:f}", "rate_on": row.rate_on.isoformat(), "source": row.source}
    moved = rules.conversion_agreed(row.producer_id, owed, new, row.id)
    book(session, row, "fx_agreed", moved, actor=actor, now=now, **note)


def settle_conversion(session: Session, *, actor: Actor, conversion_id: UUID, given: Money, now: datetime) -> None:
    """End a conversion: the bank took `given` for it, and the difference to the debt is the co-op's, never a fund's.

    The bank's lines themselves are booked to `fx` where they are matched. Raises NotOpen, AmountRefused. Posts.
    """
    row = locked(session, FxConversion, conversion_id, state="booked")
    if given.minor <= 0 or given.currency != row.currency:
        raise AmountRefused("The amount is above zero, in the currency of the debt.", pointer="/given")
    row.given_minor = given.minor
    end(session, row, "settled", actor=actor, now=now)
    session.flush()
    moved = rules.conversion_ended(given - Money(row.amount_minor, row.currency), row.id)
    if moved:
        book(session, row, "fx_ended", moved, actor=actor, now=now)
