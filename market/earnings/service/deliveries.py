"""Weigh slips: what a member handed in is priced, owed, and part of it recovers old advances (E29 to E31)."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.earnings import rules
from market.earnings.errors import SlipRefused, SlipUsed
from market.earnings.models import Delivery
from market.earnings.service.advances import recover
from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.ids import new_id
from market.kernel.words import say
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.payables import service as payables
from market.producers import queries as producers


def price_delivery(
    session: Session,
    *,
    actor: Actor,
    producer_id: UUID,
    slip: str,
    delivered_on: date,
    gross: Decimal,
    tare: Decimal,
    rejected: Decimal,
    unit: str,
    unit_price: Decimal,
    deduction: Decimal,
    currency: str,
    pool: str,
    due_on: date,
    now: datetime,
    floor_price: Decimal | None = None,
) -> UUID:
    """Enter a weigh slip and owe its value from `due_on`; return the delivery's id. The same slip again changes nothing.

    A slip that is entered after its day was closed is booked on the first open day. No advance takes what `floor_price` gives
    for the weight. Raises SlipRefused for figures that leave nothing to pay, a price below that floor or a day to come,
    SlipUsed when the number stands for other figures. Posts, so call it last.
    """
    net = rules.net_weight(gross, tare, rejected)
    value = rules.slip_value(net, unit_price, deduction, currency)
    least = rules.slip_least(net, unit_price - deduction, floor_price, currency)
    member = producers.producer(session, producer_id)
    if delivered_on > day_in(now, producers.coop(session, member.coop_id).time_zone):
        raise SlipRefused("The day cannot lie after today.", pointer="/delivered_on")
    facts = {
        "producer_id": member.id,
        "delivered_on": delivered_on,
        "pool": pool,
        "gross": gross,
        "tare": tare,
        "rejected": rejected,
        "unit": unit,
        "unit_price": unit_price,
        "deduction": deduction,
        "floor_price": floor_price,
        "currency": currency,
        "amount_minor": value.minor,
    }
    made = session.execute(
        insert(Delivery)
        .values(id=new_id(), coop_id=member.coop_id, slip=slip.strip(), entered_by=actor.label, entered_at=now, **facts)
        .on_conflict_do_nothing(index_elements=["coop_id", "slip"])
        .returning(Delivery.id)
    ).scalar_one_or_none()
    if made is None:
        row = session.execute(
            select(Delivery).where(Delivery.coop_id == member.coop_id, Delivery.slip == slip.strip())
        ).scalar_one()
        if any(getattr(row, name) != value for name, value in facts.items()):
            raise SlipUsed(
                say("Slip %(slip)s was entered already, with other figures. Correct it by a correction.", slip=slip),
                pointer="/slip",
            )
        return row.id
    owed = payables.raise_payable(
        session,
        coop_id=member.coop_id,
        payee_id=member.id,
        money=value,
        kind="delivery",
        due_on=due_on,
        source_kind="delivery",
        source_id=made,
    )
    audit.record(
        session,
        actor=actor,
        action="earnings.delivery_priced",
        subject_kind="delivery",
        subject_id=made,
        coop_id=member.coop_id,
        now=now,
        new={"slip": slip.strip(), "amount": value.text},
    )
    book = ledger.book_of(session, member.coop_id)
    back = recover(session, owed, on=delivered_on, least=lambda: least)
    entries = [
        Entry(
            book,
            "delivery_priced",
            f"slip:{made}:priced",
            delivered_on,
            actor.label,
            rules.delivery_priced(member.id, pool, value, made),
        ),
        Entry(book, "advance_recovered", f"payable:{owed.id}:recovered", delivered_on, actor.label, back),
    ]
    ledger.post(session, [entry for entry in entries if entry.legs], late=True)
    return made
