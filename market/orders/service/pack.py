"""Cards that are charged when the goods are packed: what is really sent is said by each producer, then taken, the rest let go.

An order whose whole amount is kept on the card is `authorised`: its stock is taken, it is packed, and only what is there is
charged. What is not there counts as returned before anybody paid for it: lines, parts and sums go on as after a refund.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.catalogue import service as stock
from market.kernel import audit
from market.kernel.actor import Actor, system
from market.kernel.locks import lock, lock_one
from market.kernel.money import Money
from market.kernel.outbox import announce
from market.orders import events, rules
from market.orders.errors import OrderMissing, QuantityFaulty, WrongState
from market.orders.models import Order, OrderLine, SellerOrder
from market.orders.service.refund import count_refunds, lines_left, return_line, stock_share
from market.orders.service.tender_back import give_back_tenders, return_tender, tender_share
from market.orders.service.withdrawn import of_withdrawn_lots, say_if_withdrawn
from market.orders.tender_queries import tenders
from market.payments import queries as payment_queries
from market.payments import service as payments
from market.payments.rules import Amounts, State


def mark_authorised(session: Session, *, order_id: UUID, now: datetime) -> bool:
    """Record that the order's amount is kept on the card, and take its stock; False when it was already, or has ended.

    What is not in stock any more (the hold had expired) is found when it is packed: it is neither sent nor charged.
    """
    order = lock_one(session, Order, order_id)
    live = payment_queries.live_payment(session, subject_kind="order", subject_id=order_id)
    if order.state != "placed" or live is None or live.state is not State.AUTHORISED:
        return False
    order.state = "authorised"
    for seller in lock(session, SellerOrder, session.scalars(select(SellerOrder.id).where(SellerOrder.order_id == order_id))):
        seller.state = rules.next_state(seller.state, "authorised")
    stock.take_holds(session, order_id=order_id)
    announce(session, events.AUTHORISED, {"order_id": order_id}, key=str(order_id))
    say_if_withdrawn(session, order_id)
    return True


def pack(session: Session, *, actor: Actor, seller_order_id: UUID, quantities: Mapping[UUID, Decimal], now: datetime) -> None:
    """Say how much of each line is really sent of an order that is charged when it is packed: once, as ordered at most.

    What is missing goes back on the shelf of the lot, and nobody is charged for it; what was paid of it in a community currency
    goes back. 0 of every line ends this part. When all parts of the order are packed it is charged. Posts, so call it last.
    Raises OrderMissing, WrongState, QuantityFaulty.
    """
    seller = lock_one(session, SellerOrder, seller_order_id)
    if not actor.is_staff and seller.producer_id != actor.producer_id:
        raise OrderMissing("There is no such order among yours.")
    if seller.state != "authorised" or seller.packed_at is not None:
        raise WrongState("Only what waits to be packed before it is charged can be weighed, and once.", state=seller.state)
    lines = lock(session, OrderLine, session.scalars(select(OrderLine.id).where(OrderLine.seller_order_id == seller.id)))
    if quantities.keys() != {line.id for line in lines}:
        raise QuantityFaulty("Say of each line how much is sent; 0 where nothing is.", pointer="/lines")
    missing: dict[UUID, Decimal] = {}
    parts: list[tuple[str, Money]] = []
    withdrawn = of_withdrawn_lots(session, lines)
    for line in lines:
        sent = quantities[line.id]
        if sent and line in withdrawn:
            raise QuantityFaulty("The lot was withdrawn: nothing of it can be sent. Enter 0.", pointer=f"/lines/{line.id}")
        if not sent.is_finite() or not 0 <= sent <= line.quantity:
            raise QuantityFaulty("No more can be sent than was ordered, and nothing below zero.", pointer=f"/lines/{line.id}")
        if sent < line.quantity:
            missing[line.id] = line.quantity - sent
            parts += return_line(session, line, missing[line.id])
            line.unsent_quantity = missing[line.id]
    uncharged = Amounts(**rules.by_component(parts, seller.currency))
    count_refunds(seller, uncharged)
    seller.unsent_minor = uncharged.total.minor
    seller.packed_at = now
    back = [(line.lot_id, stock_share(line, missing[line.id])) for line in lines if line.id in missing]
    stock.return_stock(session, order_id=seller.order_id, wants=back)
    audit.record(
        session, actor=actor, action="orders.packed", subject_kind="seller_order", subject_id=seller.id, coop_id=seller.coop_id,
        now=now, new={"quantities": {str(key): f"{value:f}" for key, value in quantities.items()}},
    )  # fmt: skip
    announce(session, events.PACKED, {"order_id": seller.order_id})
    in_unit = tender_share(session, seller, parts)
    if in_unit:
        return_tender(session, seller, in_unit, refund_id=None, actor=actor, now=now)


def charge_packed(session: Session, *, order_id: UUID, now: datetime) -> bool:
    """Decide what is taken from the card once every part of an order is packed; False while one is not, or it was decided."""
    order = lock_one(session, Order, order_id)
    sellers = lock(session, SellerOrder, session.scalars(select(SellerOrder.id).where(SellerOrder.order_id == order_id)))
    if order.state != "authorised" or any(seller.packed_at is None for seller in sellers):
        return False
    live = payment_queries.live_payment(session, subject_kind="order", subject_id=order_id)
    kept = payment_queries.authorisation(session, live.id) if live else None
    if live is None or kept is None or live.state is not State.AUTHORISED or kept.decision is not None:
        return False
    in_unit = tenders(session, [seller.id for seller in sellers])
    amounts = {seller.id: _left(session, seller, in_unit.get(seller.id)) for seller in sellers}
    if any(each.total for each in amounts.values()):
        payments.decide_capture(session, payment_id=live.id, amounts=amounts, actor=system("orders"), now=now)
    else:
        payments.decide_release(session, payment_id=live.id, actor=system("orders"), now=now)
    return True


def let_go(session: Session, *, actor: Actor, order_id: UUID, now: datetime) -> None:
    """Cancel an order whose amount is kept on a card, before anything of it was packed: nothing is taken.

    The edge has proven that the actor may. The order is cancelled when the card company has let go. Raises WrongState, and
    AuthorisationDecided the second time.
    """
    order = lock_one(session, Order, order_id)
    sellers = lock(session, SellerOrder, session.scalars(select(SellerOrder.id).where(SellerOrder.order_id == order_id)))
    live = payment_queries.live_payment(session, subject_kind="order", subject_id=order_id)
    if order.state != "authorised" or live is None or any(seller.packed_at for seller in sellers):
        raise WrongState("This order is being packed or was charged already.", state=order.state)
    payments.decide_release(session, payment_id=live.id, actor=actor, now=now)


def end_authorised(session: Session, *, now: datetime, limit: int = 200) -> list[UUID]:
    """Cancel orders whose money is not kept on a card any more and was not taken; return them. Their goods are free again.

    What was paid of them in a community currency goes back. Posts, so call it last.
    """
    found = select(Order.id).where(Order.state == "authorised").order_by(Order.id).limit(limit)
    ended, gone = list[UUID](), list[UUID]()
    for order in lock(session, Order, session.scalars(found)):
        live = payment_queries.live_payment(session, subject_kind="order", subject_id=order.id)
        if order.state == "authorised" and live is None:
            gone += _end(session, order, now)
            ended.append(order.id)
    give_back_tenders(session, seller_ids=gone, actor=system("orders"), now=now)
    return ended


def _end(session: Session, order: Order, now: datetime) -> list[UUID]:
    order.state, order.cancelled_at = "cancelled", now
    sellers = lock(session, SellerOrder, session.scalars(select(SellerOrder.id).where(SellerOrder.order_id == order.id)))
    for seller in sellers:
        seller.state = rules.next_state(seller.state, "cancelled")
    lines = session.scalars(select(OrderLine).where(OrderLine.order_id == order.id).execution_options(populate_existing=True))
    left = [(line.lot_id, stock_share(line, line.quantity - line.returned_quantity)) for line in lines]
    stock.return_stock(session, order_id=order.id, wants=[(lot_id, quantity) for lot_id, quantity in left if quantity])
    announce(session, events.CANCELLED, {"order_id": order.id})
    return [seller.id for seller in sellers]


def _left(session: Session, seller: SellerOrder, in_unit: Money | None) -> Amounts:
    """Return what is to be taken from the card for a part: all that is left of it, less what was paid in the unit."""
    lines = session.scalars(select(OrderLine.id).where(OrderLine.seller_order_id == seller.id))
    parts = [part for line_id in lines for part in lines_left(session, line_id)]
    left = Amounts(**rules.by_component(parts, seller.currency))
    return replace(left, charges=left.charges - Money(in_unit.minor, seller.currency)) if in_unit else left
