"""A payment arrived: the order is paid, its stock is taken, the producers are told. Whoever comes second does nothing."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.catalogue import service as stock
from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.locks import lock, lock_one
from market.kernel.money import Money
from market.kernel.outbox import announce
from market.orders import events, rules
from market.orders.errors import WrongState
from market.orders.models import Order, OrderLine, SellerOrder
from market.orders.service.refund import left_of, note_refunds
from market.orders.service.withdrawn import PROBLEM as WITHDRAWN
from market.orders.service.withdrawn import say_if_withdrawn, withdrawn_left
from market.orders.tender_queries import tenders
from market.payments import queries as payment_queries
from market.payments import service as payments
from market.payments.queries import PaymentView
from market.payments.rules import PaymentPart


def mark_paid(session: Session, *, order_id: UUID, payment_id: UUID, now: datetime) -> bool:
    """Record that the order is paid; False when it was already, or was cancelled (then payments gives the money back).

    Takes the held stock. What is not there any more (the hold had expired and somebody else bought it) becomes a
    problem of its seller order, announced for staff: a paid order that cannot be filled is never a silent loss (law 6).
    """
    order = lock_one(session, Order, order_id)
    paid = _paid_for(session, order_id, payment_id)
    if paid is None:
        return False
    payments.acknowledge(session, payment_id=payment_id, now=now)
    if order.state not in ("placed", "authorised"):
        return False
    ids = session.scalars(select(SellerOrder.id).where(SellerOrder.order_id == order_id)).all()
    sellers = lock(session, SellerOrder, ids)
    order.state, order.paid_at = "paid", now
    for seller in sellers:
        if not left_of(seller):  # nothing of it was there when it was packed
            seller.state = rules.next_state(seller.state, "cancelled")
            continue
        seller.state = rules.next_state(seller.state, "paid")
        seller.paid_on = day_in(now, "UTC")
    short = {shortfall.lot_id for shortfall in stock.take_holds(session, order_id=order_id)}
    if short:
        missing = select(OrderLine.seller_order_id).where(OrderLine.order_id == order_id, OrderLine.lot_id.in_(short))
        _tell_staff(session, [seller for seller in sellers if seller.id in set(session.scalars(missing))])
    announce(session, events.PAID, {"order_id": order_id}, key=str(order_id))
    say_if_withdrawn(session, order_id)
    untaken = payment_queries.untaken(session, payment_id)
    if paid.refunded or untaken:  # at the card processor, before we took note of the payment
        for seller in sellers:
            note_refunds(session, seller_order_id=seller.id, now=now, untaken=untaken.get(seller.id, 0))
    return True


def _paid_for(session: Session, order_id: UUID, payment_id: UUID) -> PaymentView | None:
    """Return that payment when it is this order's and succeeded: a surplus goes back and pays for nothing."""
    made = payment_queries.payments_of(session, subject_kind="order", subject_id=order_id)
    return next((one for one in made if one.id == payment_id and one.is_paid), None)


def _tell_staff(session: Session, sellers: list[SellerOrder]) -> None:
    for seller in sellers:
        seller.problem = "paid_short_of_stock"
        announce(session, events.PROBLEM, {"seller_order_id": seller.id})


def reopen_payment(session: Session, *, actor: Actor, order_id: UUID, now: datetime) -> UUID:
    """Return the live payment of an unpaid order, opening a new one when the last one failed. Raises WrongState."""
    order = lock_one(session, Order, order_id)
    if order.state != "placed" or order.expires_at <= now:
        raise WrongState("This order cannot be paid any more. Put the goods into the basket again.", state=order.state)
    return open_again(session, actor=actor, order=order, now=now)


def open_again(session: Session, *, actor: Actor, order: Order, now: datetime) -> UUID:
    """Open a payment of what is to be paid in money of a locked order, or return the one that is open."""
    sellers = session.scalars(select(SellerOrder).where(SellerOrder.order_id == order.id).order_by(SellerOrder.position)).all()
    paid = tenders(session, [seller.id for seller in sellers])
    payment = payments.open_payment(
        session,
        subject_kind="order",
        subject_id=order.id,
        parts=[_payment_part(seller, paid.get(seller.id)) for seller in sellers],
        method=order.method,
        title=f"Fair Market {order.number}",
        expires_at=order.expires_at,
        now=now,
        payer_account_id=actor.account_id,
        email=order.email,
    )
    return payment.id


def _payment_part(seller: SellerOrder, tendered: Money | None) -> PaymentPart:
    return PaymentPart(
        coop_id=seller.coop_id,
        subject=seller.id,
        goods=Money(seller.goods_minor, seller.currency),
        premium=Money(seller.premium_minor, seller.currency),
        charges=Money(seller.charges_minor - (tendered.minor if tendered else 0), seller.currency),
        tax=Money(seller.tax_minor, seller.currency),
    )


def solve_problem(session: Session, *, actor: Actor, seller_order_id: UUID, how: str, now: datetime) -> None:
    """Close the problem of a seller order, saying how; the producer can ship it then.

    Raises WrongState while it holds goods that were withdrawn: those are given back or replaced.
    """
    seller = lock_one(session, SellerOrder, seller_order_id)
    if seller.problem is None:
        return
    if seller.problem == WITHDRAWN and withdrawn_left(session, seller.id):
        raise WrongState("Goods of this order were withdrawn. Give the money back for them, or let something else be sent.")
    audit.record(
        session,
        actor=actor,
        action="orders.problem_solved",
        subject_kind="seller_order",
        subject_id=seller.id,
        coop_id=seller.coop_id,
        now=now,
        old={"problem": seller.problem},
        new={"how": how},
    )
    seller.problem = None
