"""A paid order changes before it is sent: less of a line is given back, more of it is a further order with its own payment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.catalogue import queries as catalogue
from market.kernel.actor import Actor
from market.kernel.locks import lock_one
from market.kernel.words import N_, say
from market.orders.errors import OrderMissing, QuantityFaulty, WrongState
from market.orders.models import Order, OrderLine, OrderSupplement, SellerOrder
from market.orders.service.guard import Caller
from market.orders.service.place import Buyer, PlacedOrder, WantedLine, place_order
from market.orders.service.refund import refund_lines

REASON = N_("Changed by the buyer before it was sent")


@dataclass(frozen=True, slots=True)
class Changed:
    """What came of it: the refund of what is not wanted any more, the further order of what is wanted besides."""

    refund_id: UUID | None
    more: PlacedOrder | None


def change_part(
    session: Session,
    *,
    actor: Actor,
    order_id: UUID,
    seller_order_id: UUID,
    quantities: Mapping[UUID, Decimal],
    now: datetime,
    caller: Caller | None = None,
) -> Changed:
    """Change how much of its lines the buyer wants of a producer's part that is paid and not sent; 0 cancels a line.

    What is less goes back the way it was paid, with a credit note, and its goods are on the shelf again. What is more is a
    further order at today's prices, to be paid by the same method: it has its own invoice, and ends by itself unless it is
    paid. The edge has proven that the actor is the buyer. Raises WrongState, QuantityFaulty, OrderMissing, and what
    `place_order` and `refund_lines` raise.
    """
    seller = lock_one(session, SellerOrder, seller_order_id)
    if seller.order_id != order_id:
        raise OrderMissing("There is no such part of this order.")
    if seller.state != "paid":
        raise WrongState("Only what is paid and not sent can be changed.", state=seller.state)
    own = select(OrderLine).where(OrderLine.seller_order_id == seller.id)
    lines = {line.id: line for line in session.scalars(own.execution_options(populate_existing=True))}
    if not quantities.keys() <= lines.keys():
        raise OrderMissing("There is no such line in this part of the order.")
    less: dict[UUID, Decimal] = {}
    more: list[WantedLine] = []
    for line_id, wanted in quantities.items():
        line = lines[line_id]
        step = wanted - (line.quantity - line.returned_quantity)
        if wanted < 0:
            raise QuantityFaulty("A quantity cannot be below zero.", pointer=f"/lines/{line_id}")
        if step < 0:
            less[line_id] = -step
        elif step > 0:
            more.append(WantedLine(line.listing_id, step))
    if not less and not more:
        raise QuantityFaulty("Nothing was changed.", pointer="/lines")
    _in_steps(session, {lines[line_id].listing_id: quantities[line_id] for line_id in less})
    if more:
        _refuse_while_unpaid(session, order_id)
    placed = _order_more(session, actor, session.get_one(Order, order_id), more, now, caller) if more else None
    refund_id = None
    if less:
        refund_id = refund_lines(
            session, actor=actor, seller_order_id=seller.id, quantities=less, reason=REASON, bearer="coop", now=now
        )
    return Changed(refund_id, placed)


def _refuse_while_unpaid(session: Session, order_id: UUID) -> None:
    """Refuse a second further order before the first is paid: the same form sent twice is one order."""
    waiting = select(Order.id).join(OrderSupplement, OrderSupplement.order_id == Order.id)
    if session.scalars(waiting.where(OrderSupplement.supplements_id == order_id, Order.state == "placed").limit(1)).first():
        raise WrongState("What you ordered besides waits for its payment. Pay it, or cancel it, before you order more.")


def _in_steps(session: Session, left: Mapping[UUID, Decimal]) -> None:
    """Refuse quantities that are not sold; what is not offered any more can be left away all the same."""
    for listing_id, offer in catalogue.listings_by_id(session, list(left)).items():
        if left[listing_id] % offer.order_step:
            step = f"{offer.order_step.normalize():f} {offer.unit}"
            raise QuantityFaulty(say("“%(title)s” is sold in steps of %(step)s.", title=offer.title, step=step), pointer="/lines")


def _order_more(
    session: Session, actor: Actor, order: Order, wanted: list[WantedLine], now: datetime, caller: Caller | None
) -> PlacedOrder:
    buyer = Buyer(order.email, order.name, order.street, order.building, order.postcode, order.town, order.country, order.locale)
    placed = place_order(session, actor=actor, wanted=wanted, buyer=buyer, method=order.method, now=now, caller=caller)
    session.add(OrderSupplement(order_id=placed.order_id, supplements_id=order.id))
    session.flush()
    return placed
