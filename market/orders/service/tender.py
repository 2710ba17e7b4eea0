"""Charges of an order paid in the members' community currency, and how that goes back (E10, E14, M-7).

A tender pays a part of what is owed and changes no price: breakdown, invoice and tax stay as they are. It is all of the
co-op's own charges of a seller order or nothing of them, so that what goes back of those goes back in the unit, and
everything else in money.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.kernel.locks import lock, lock_one
from market.orders.errors import WrongState
from market.orders.models import Order, SellerOrder
from market.orders.service.pay import open_again
from market.orders.tender_models import OrderTender
from market.orders.tender_queries import offer
from market.payments import queries as payment_queries
from market.payments import service as payments
from market.treasury import rules as treasury
from market.treasury.service.community import book_unit


def pay_charges_in_unit(session: Session, *, actor: Actor, order_id: UUID, now: datetime) -> UUID:
    """Pay the co-op's own charges of an unpaid order from the account of the member who buys; return the payment of the rest.

    The edge has proven that the order is the caller's and has closed an open card page. Doing it again changes nothing.
    Raises WrongState when it cannot be paid so, BeyondLimit; PaymentNotOpen while money is under way. Posts.
    """
    order = lock_one(session, Order, order_id)
    sellers = lock(session, SellerOrder, session.scalars(select(SellerOrder.id).where(SellerOrder.order_id == order_id)))
    live = payment_queries.live_payment(session, subject_kind="order", subject_id=order_id)
    known = session.scalars(select(OrderTender).where(OrderTender.seller_order_id.in_([seller.id for seller in sellers]))).all()
    if known and order.state == "placed":
        return live.id if live else open_again(session, actor=actor, order=order, now=now)
    found = offer(session, order_id, producer_id=actor.producer_id) if actor.producer_id else None
    if found is None or order.expires_at <= now:
        raise WrongState("Nothing of this order can be paid in your community currency.", state=order.state)
    if live is not None:
        payments.cancel_unsent(session, payment_id=live.id, now=now)
    by_id = {seller.id: seller for seller in sellers}
    for seller_id, money in found.charges.items():
        session.add(OrderTender(
            seller_order_id=seller_id, coop_id=by_id[seller_id].coop_id, holder_id=found.holder.id, amount_minor=money.minor,
            tendered_by=actor.label, tendered_at=now,
        ))  # fmt: skip
    session.flush()
    payment_id = open_again(session, actor=actor, order=order, now=now)
    for seller_id, money in found.charges.items():
        legs = treasury.community_paid(found.holder.id, money, seller_id)
        book_unit(session, by_id[seller_id].coop_id, "community_paid", f"tender:{seller_id}", legs, actor=actor, now=now)
    return payment_id
