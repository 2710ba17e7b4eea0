"""What the steps of an order ask about withdrawn lots: nothing of them is sent, however the order came so far."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.outbox import announce
from market.orders import events
from market.orders.models import OrderLine, SellerOrder
from market.provenance import withdrawal_queries as withdrawals

PROBLEM = "lot_withdrawn"


def withdrawn_left(session: Session, seller_order_id: UUID) -> list[OrderLine]:
    """Return the lines of which something is left, that was not given back, and whose lot is withdrawn."""
    left = select(OrderLine).where(OrderLine.seller_order_id == seller_order_id, OrderLine.returned_quantity < OrderLine.quantity)
    lines = session.scalars(left.order_by(OrderLine.id)).all()
    return of_withdrawn_lots(session, lines)


def of_withdrawn_lots(session: Session, lines: Iterable[OrderLine]) -> list[OrderLine]:
    """Return those of some lines whose lot is withdrawn."""
    lines = list(lines)
    gone = withdrawals.in_force(session, {line.lot_id for line in lines})
    return [line for line in lines if line.lot_id in gone]


def settle_problem(session: Session, seller: SellerOrder) -> None:
    """End the problem of a locked part of which nothing withdrawn is left: the rest of it can be sent."""
    if seller.problem == PROBLEM and not withdrawn_left(session, seller.id):
        seller.problem = None


def say_if_withdrawn(session: Session, order_id: UUID) -> None:
    """Announce the withdrawals in force of what an order holds: it was paid, or kept on a card, after they were made."""
    lots = session.scalars(select(OrderLine.lot_id).where(OrderLine.order_id == order_id)).all()
    for withdrawal_id in sorted({view.id for view in withdrawals.in_force(session, lots).values()}):
        announce(session, events.LOT_WITHDRAWN, {"withdrawal_id": withdrawal_id})
