"""Second payments and patronage refunds: a body's decision with minutes, booked by a second person (E32, E33)."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from market.earnings import rules
from market.earnings.errors import AmountRefused, ReasonMissing
from market.earnings.models import Delivery, Distribution, DistributionShare
from market.earnings.service.advances import recover
from market.earnings.service.deciding import decide
from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.payables import service as payables
from market.producers import queries as producers


def propose_distribution(
    session: Session,
    *,
    actor: Actor,
    coop_id: UUID,
    kind: str,
    pool: str,
    name: str,
    starts_on: date,
    ends_on: date,
    money: Money,
    minutes: str,
    now: datetime,
    cash_percent: Decimal = Decimal(100),
) -> UUID:
    """Propose what a body decided to share out among those who delivered to `pool` in these days.

    `kind` is `second_payment` (by quantity, from the season's sales) or `patronage` (by value, from the surplus, part of it
    retained). Raises AmountRefused, ReasonMissing without minutes.
    """
    if money.minor <= 0 or ends_on < starts_on or not 0 <= cash_percent <= 100:
        raise AmountRefused(
            "The amount is above zero, the days are in order, the cash part is 0 to 100 percent.", pointer="/amount"
        )
    if len(minutes.strip()) < 3:
        raise ReasonMissing("Say who decided it, when, and where the minutes are.", pointer="/minutes")
    row = Distribution(
        id=new_id(),
        coop_id=coop_id,
        kind=kind,
        pool=pool,
        name=name.strip(),
        starts_on=starts_on,
        ends_on=ends_on,
        currency=money.currency,
        amount_minor=money.minor,
        cash_percent=cash_percent,
        minutes=minutes.strip(),
        proposed_by=actor.label,
        proposed_at=now,
    )
    weights(session, row)  # nobody is asked to decide on what cannot be shared out
    session.add(row)
    audit.record(
        session,
        actor=actor,
        action="earnings.distribution_proposed",
        subject_kind="distribution",
        subject_id=row.id,
        coop_id=coop_id,
        now=now,
        new={"kind": kind, "name": row.name, "amount": money.text},
    )
    return row.id


def weights(session: Session, row: Distribution) -> Mapping[UUID, Decimal]:
    """Return by what each member takes part: delivered quantity, or value for patronage; by member number.

    Raises AmountRefused when nobody delivered anything in the days.
    """
    by_quantity, by_value = func.sum(Delivery.gross - Delivery.tare - Delivery.rejected), func.sum(Delivery.amount_minor)
    weight: ColumnElement[Any] = by_value if row.kind == "patronage" else by_quantity
    statement = (
        select(Delivery.producer_id, weight)
        .where(
            Delivery.coop_id == row.coop_id,
            Delivery.pool == row.pool,
            Delivery.currency == row.currency,
            Delivery.delivered_on.between(row.starts_on, row.ends_on),
        )
        .group_by(Delivery.producer_id)
        .order_by(Delivery.producer_id)
    )
    with session.no_autoflush:
        found = {member: Decimal(value) for member, value in session.execute(statement)}
    if not found:
        raise AmountRefused("Nobody delivered to this pool in these days, so there is nobody to share with.", pointer="/pool")
    return found


def decide_distribution(session: Session, *, actor: Actor, distribution_id: UUID, agreed: bool, now: datetime) -> None:
    """Book a proposed distribution: everybody's part is owed. Raises SecondPerson, NotOpen. Posts, so call it last."""
    row = decide(session, Distribution, distribution_id, actor=actor, state="booked" if agreed else "declined", now=now)
    if not agreed:
        return
    money, by = Money(row.amount_minor, row.currency), weights(session, row)
    on = day_in(now, producers.coop(session, row.coop_id).time_zone)
    book = ledger.book_of(session, row.coop_id)
    if row.kind == "second_payment":
        parts = {
            member: rules.Patronage(part, Money.zero(row.currency)) for member, part in rules.second_payment(money, by).items()
        }
        due = rules.second_payment_due(row.pool, {member: part.cash for member, part in parts.items()}, row.id)
        entries = [
            Entry(
                book, "season_closed", f"season:{row.id}:closed", on, actor.label, rules.season_closed(row.pool, money, row.id)
            ),
            Entry(book, "second_payment", f"season:{row.id}:second", on, actor.label, due),
        ]
    else:
        parts = rules.patronage(money, by, cash_percent=row.cash_percent)
        entries = [Entry(book, "patronage", f"patronage:{row.id}", on, actor.label, rules.patronage_due(parts, row.id))]
    for member, part in parts.items():
        share = DistributionShare(
            id=new_id(),
            coop_id=row.coop_id,
            distribution_id=row.id,
            producer_id=member,
            weight=by[member],
            cash_minor=part.cash.minor,
            retained_minor=part.retained.minor,
        )
        session.add(share)
        if part.cash:
            owed = payables.raise_payable(
                session,
                coop_id=row.coop_id,
                payee_id=member,
                money=part.cash,
                kind=row.kind,
                due_on=on,
                source_kind="distribution_share",
                source_id=share.id,
            )
            session.flush()  # what is recovered points to the share's payable
            back = recover(session, owed, on=on)
            entries.append(Entry(book, "advance_recovered", f"payable:{owed.id}:recovered", on, actor.label, back))
    ledger.post(session, [entry for entry in entries if entry.legs])
