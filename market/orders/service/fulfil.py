"""From packed to owed: dispatch, arrival, and the moment when held money is earned (E13)."""

from datetime import date, datetime
from functools import partial
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from market.earnings import service as earnings
from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.locks import lock, lock_one
from market.kernel.money import Money, total
from market.kernel.outbox import announce
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.orders import events, rules
from market.orders.errors import OrderMissing, WrongState
from market.orders.models import Complaint, OrderLine, PriceComponent, SellerOrder
from market.orders.service.refund import count_refunds_elsewhere
from market.orders.service.tender_back import COOP
from market.orders.service.withdrawn import withdrawn_left
from market.orders.tender_queries import tenders
from market.payables import service as payables
from market.pricing import queries as pricing
from market.producers import queries as producers
from market.treasury import rules as treasury


def ship(session: Session, *, actor: Actor, seller_order_id: UUID, tracking: str | None, now: datetime) -> None:
    """Record that the producer's part was handed to the carrier. Raises OrderMissing for somebody else's, WrongState.

    Said again while it is on its way, only another tracking number is news: a mistyped one is put right so.
    """
    seller = lock_one(session, SellerOrder, seller_order_id)
    if not actor.is_staff and seller.producer_id != actor.producer_id:
        raise OrderMissing("There is no such order among yours.")
    if seller.problem is not None:
        raise WrongState("This order has an open problem. Staff must solve it first.", problem=seller.problem)
    if seller.state == "paid" and withdrawn_left(session, seller.id):
        raise WrongState("Goods of this order were withdrawn: they cannot be sent. The buyer gets the money back for them.")
    number = (tracking or "").strip() or None
    if seller.state == "shipped":
        if number not in (None, seller.tracking):
            seller.tracking = number
            _note(session, actor, seller, "orders.shipped", now)
        return
    # Asked before the row is touched: changed twice in a transaction, it would lock its order, which others lock before it.
    zone = producers.coops_by_id(session, [seller.coop_id])[seller.coop_id].time_zone
    seller.state = rules.next_state(seller.state, "shipped")
    seller.shipped_at, seller.tracking = now, number
    seller.release_on = rules.release_day(day_in(now, zone))
    _note(session, actor, seller, "orders.shipped", now)
    announce(session, events.SHIPPED, {"seller_order_id": seller.id})


def confirm(session: Session, *, actor: Actor, seller_order_id: UUID, now: datetime) -> None:
    """Record that the buyer has it. The edge has proven that the actor is the buyer (account or signed link)."""
    seller = lock_one(session, SellerOrder, seller_order_id)
    if seller.state in ("confirmed", "settled"):
        return
    seller.state, seller.confirmed_at = rules.next_state(seller.state, "confirmed"), now
    _note(session, actor, seller, "orders.confirmed", now)


def confirm_silent(session: Session, *, on: date, now: datetime, limit: int = 200) -> int:
    """Take silence as confirmation where the term is over and no complaint waits for an answer; return how many."""
    waits = exists().where(Complaint.seller_order_id == SellerOrder.id, Complaint.answered_at.is_(None))
    due = select(SellerOrder.id).where(SellerOrder.state == "shipped", SellerOrder.release_on <= on, ~waits).limit(limit)
    sellers = [seller for seller in lock(session, SellerOrder, session.scalars(due)) if seller.state == "shipped"]
    for seller in sellers:
        seller.state, seller.confirmed_at = "confirmed", now
    return len(sellers)


def settle_due(session: Session, *, now: datetime, limit: int = 200) -> int:
    """Settle confirmed seller orders, oldest first; return how many."""
    return settle(session, seller_order_ids=to_settle(session, limit=limit), now=now)


def to_settle(session: Session, *, limit: int = 200) -> list[UUID]:
    """Return confirmed seller orders, oldest first."""
    due = select(SellerOrder.id).where(SellerOrder.state == "confirmed").order_by(SellerOrder.confirmed_at).limit(limit)
    return list(session.scalars(due))


def settle(session: Session, *, seller_order_ids: list[UUID], now: datetime) -> int:
    """Book what is earned (E13) and raise what the producer is owed, for those that are confirmed; repeatable."""
    sellers = [seller for seller in lock(session, SellerOrder, seller_order_ids) if seller.state == "confirmed"]
    if not sellers:
        return 0
    count_refunds_elsewhere(session, sellers)  # earned is only what is still there
    books = ledger.books_of(session, {seller.coop_id for seller in sellers})
    coops = producers.coops_by_id(session, {seller.coop_id for seller in sellers})
    parts = _parts_left(session, [seller.id for seller in sellers])
    paid_in_unit = tenders(session, [seller.id for seller in sellers])
    entries = []
    for seller in sellers:
        earned_on = day_in(seller.confirmed_at or now, coops[seller.coop_id].time_zone)
        own = parts.get(seller.id, [])
        unit = paid_in_unit.get(seller.id)
        if unit is not None:  # of the co-op's own income this much was never held in money
            own = [*own, ("discount", Money(-unit.minor, seller.currency))]
        entries.append(
            Entry(
                book_id=books[seller.coop_id],
                kind="release",
                key=f"release:{seller.id}",
                on=earned_on,
                actor="system:orders",
                legs=tuple(
                    leg.about(seller.id)
                    for leg in rules.release_legs(own, currency=seller.currency, payee=str(seller.producer_id))
                )
                + (treasury.community_released(COOP, unit, seller.id) if unit else ()),
            )
        )
        seller.state, seller.settled_at = "settled", now
        goods = rules.by_component(own, seller.currency)["goods"]
        if goods:
            owed = payables.raise_payable(
                session,
                coop_id=seller.coop_id,
                payee_id=seller.producer_id,
                money=goods,
                kind="sale",
                due_on=rules.due_day(earned_on),
                source_kind="seller_order",
                source_id=seller.id,
            )
            back = earnings.recover(session, owed, on=earned_on, least=partial(_at_the_floor, session, seller))
            key = f"payable:{owed.id}:recovered"
            entries.append(Entry(books[seller.coop_id], "advance_recovered", key, earned_on, "system:orders", back))
        announce(session, events.SETTLED, {"seller_order_id": seller.id})
    ledger.post(session, [entry for entry in entries if entry.legs], late=True)
    return len(sellers)


def _at_the_floor(session: Session, seller: SellerOrder) -> Money:
    """Return what the floor prices of the day of sale give for the goods that were kept (law 3): no advance takes it."""
    lines = session.scalars(select(OrderLine).where(OrderLine.seller_order_id == seller.id))
    worth = [
        pricing.at_the_floor(session, line.check_ids, line.quantity - line.returned_quantity, seller.currency) for line in lines
    ]
    return total(worth, seller.currency)


def _parts_left(session: Session, seller_ids: list[UUID]) -> dict[UUID, list[tuple[str, Money]]]:
    rows = session.execute(
        select(
            OrderLine.seller_order_id,
            PriceComponent.kind,
            PriceComponent.amount_minor - PriceComponent.returned_minor,
            PriceComponent.currency,
        )
        .join(PriceComponent, PriceComponent.order_line_id == OrderLine.id)
        .where(OrderLine.seller_order_id.in_(seller_ids))
        .order_by(OrderLine.seller_order_id, OrderLine.id, PriceComponent.seq)
    )
    parts: dict[UUID, list[tuple[str, Money]]] = {}
    for seller_id, kind, minor, currency in rows:
        parts.setdefault(seller_id, []).append((kind, Money(minor, currency)))
    return parts


def _note(session: Session, actor: Actor, seller: SellerOrder, action: str, now: datetime) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject_kind="seller_order",
        subject_id=seller.id,
        coop_id=seller.coop_id,
        now=now,
        new={"state": seller.state, "tracking": seller.tracking},
    )
