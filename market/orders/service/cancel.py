"""Orders that nobody pays: cancelled by the buyer, or when their time is over."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.catalogue import service as stock
from market.kernel.actor import Actor, system
from market.kernel.locks import lock, lock_one
from market.kernel.outbox import announce
from market.orders import events, rules
from market.orders.errors import WrongState
from market.orders.models import Order, SellerOrder
from market.orders.service.tender_back import give_back_tenders
from market.payments import queries as payment_queries
from market.payments import service as payments
from market.payments.errors import PaymentNotOpen
from market.payments.queries import PaymentView


def cancel_order(session: Session, *, actor: Actor, order_id: UUID, now: datetime) -> None:
    """Cancel an unpaid order and give its stock back. Repeating it changes nothing.

    A card page must be closed at the processor before (payments.close). Raises WrongState when the order is paid, then it
    is refunded, or while money for it is under way.
    """
    order = lock_one(session, Order, order_id)
    if order.state == "paid":
        raise WrongState("This order is paid. Ask for a refund instead.", state=order.state)
    if order.state == "placed":
        live = payment_queries.live_payment(session, subject_kind="order", subject_id=order.id)
        _cancel(session, order, live, now)


def expire_orders(session: Session, *, now: datetime, limit: int = 200) -> list[UUID]:
    """Cancel unpaid orders whose time is over and whose payment has ended or never began; return them.

    Payments close overdue pages themselves, so money that is under way keeps its goods.
    """
    due = select(Order.id).where(Order.state == "placed", Order.expires_at <= now).order_by(Order.expires_at).limit(limit)
    ended: list[tuple[Order, PaymentView | None]] = []
    for order in lock(session, Order, session.scalars(due)):
        live = payment_queries.live_payment(session, subject_kind="order", subject_id=order.id)
        if order.state == "placed" and (live is None or (live.method == "transfer" and not live.received)):
            ended.append((order, live))
    # Several orders in one unit: their lots, then their payments are locked in the order in which everybody locks them.
    stock.lock_holds(session, order_ids=[order.id for order, _ in ended])
    cancelled = []
    for order, live in sorted(ended, key=lambda pair: str(pair[1].id) if pair[1] else ""):
        with suppress(PaymentNotOpen):  # money came this very moment: then the order stays
            _cancel(session, order, live, now)
            cancelled.append(order.id)
    return cancelled


def _cancel(session: Session, order: Order, live: PaymentView | None, now: datetime) -> None:
    if live is not None:
        payments.cancel_unsent(session, payment_id=live.id, now=now)
    order.state, order.cancelled_at = "cancelled", now
    ids = session.scalars(select(SellerOrder.id).where(SellerOrder.order_id == order.id)).all()
    for seller in lock(session, SellerOrder, ids):
        seller.state = rules.next_state(seller.state, "cancelled")
    stock.release_holds(session, order_id=order.id)
    give_back_tenders(session, seller_ids=ids, actor=system("orders"), now=now)
    announce(session, events.CANCELLED, {"order_id": order.id})
