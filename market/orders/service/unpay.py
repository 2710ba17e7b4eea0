"""The payment of an order was somebody else's: the order waits for its own again, while nothing of it has left or come back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.catalogue import service as stock
from market.catalogue.service.stock import Shortfall
from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.locks import lock
from market.kernel.outbox import announce
from market.orders import events, rules
from market.orders.errors import PartChanged, PartSent, WrongState
from market.orders.models import Order, OrderLine, SellerOrder
from market.payments import queries as payment_queries
from market.payments import service as payments
from market.producers import queries as producers


def take_back_payment(
    session: Session, *, actor: Actor, payment_id: UUID, line_subject: UUID, reason: str, now: datetime
) -> None:
    """Take a transfer from the payment that counted it; the order that it paid waits for its payment again.

    It waits as long as when it was placed, and holds its goods meanwhile; what was paid of it in a community currency stays.
    The caller mirrors the postings in the same unit. Locks order, parts, stock and payment. Raises PartSent, PartChanged,
    WrongState, and what `payments.undo_transfer` raises.
    """
    payment = payment_queries.payment(session, payment_id)
    order = next(iter(lock(session, Order, [payment.subject_id])), None)
    if order is None:  # it paid for something else than an order
        payments.undo_transfer(session, line_subject=line_subject, until=payment.expires_at, now=now)
        return
    sellers = lock(session, SellerOrder, session.scalars(select(SellerOrder.id).where(SellerOrder.order_id == order.id)))
    stock.lock_holds(session, order_ids=[order.id])
    until = now + _held_for(session, sellers)
    taken = payments.undo_transfer(session, line_subject=line_subject, until=until, now=now)
    if not taken.unpaid:
        return
    _refuse_what_moved_on(session, order, sellers)
    noted = order.state == "paid"  # else the order has not heard of its payment, and never will
    order.state, order.paid_at, order.expires_at = "placed", None, until
    for seller in sellers:
        if noted:
            seller.state = rules.next_state(seller.state, "placed")
        seller.paid_on = seller.problem = None
    short = stock.hold_again(session, order_id=order.id, until=until)
    _note(session, actor, sellers, reason, until, short, now)
    if noted:
        order.times_taken_back += 1
        announce(session, events.UNPAID, {"order_id": order.id, "times": order.times_taken_back}, key=str(order.id))


def _held_for(session: Session, sellers: Sequence[SellerOrder]) -> timedelta:
    coops = producers.coops_by_id(session, {seller.coop_id for seller in sellers})
    return timedelta(days=min(coop.transfer_hold_days for coop in coops.values()))


def _refuse_what_moved_on(session: Session, order: Order, sellers: Sequence[SellerOrder]) -> None:
    if any(seller.state in ("shipped", "confirmed", "settled") for seller in sellers):
        raise PartSent(
            "Goods of this order were sent, and their producers are to be paid. Leave the match, and ask this buyer to pay again"
            " under the reference of the order that the money was meant for."
        )
    changed = select(OrderLine.id).where(OrderLine.order_id == order.id, OrderLine.returned_quantity > 0)
    gone = any(seller.state == "refunded" for seller in sellers)
    if gone or session.scalars(changed.limit(1)).first() is not None:
        raise PartChanged(
            "Something of this order was given back or replaced after it was paid. Leave the match, and ask this buyer to pay"
            " again under the reference of the order that the money was meant for."
        )
    if order.state not in ("placed", "paid"):
        raise WrongState("This order has ended. Book the correction by hand.", state=order.state)


def _note(
    session: Session,
    actor: Actor,
    sellers: Sequence[SellerOrder],
    reason: str,
    until: datetime,
    short: Sequence[Shortfall],
    now: datetime,
) -> None:
    missing = {str(one.lot_id): f"{one.quantity:f}" for one in short}
    for seller in sellers:
        audit.record(
            session,
            actor=actor,
            action="orders.payment_taken_back",
            subject_kind="seller_order",
            subject_id=seller.id,
            coop_id=seller.coop_id,
            now=now,
            new={"reason": reason, "expires_at": until.isoformat()} | ({"missing": missing} if missing else {}),
        )
