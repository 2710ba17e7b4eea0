"""Lines of orders that a withdrawal of a lot has reached."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.orders.models import OrderLine, WithdrawnLine


@dataclass(frozen=True, slots=True)
class NotedLine:
    """A line as it stood then: `sent` had left, with `quantity` of it; else so much was still to be sent.

    `waits` says that it is still to be sent: nothing of it was given back since.
    """

    order_id: UUID
    seller_order_id: UUID
    lot_id: UUID
    title: str
    unit: str
    quantity: Decimal
    sent: bool
    waits: bool


def noted_lines(session: Session, withdrawal_id: UUID, *, order_id: UUID | None = None) -> list[NotedLine]:
    """Return the lines that a withdrawal has reached, of one order or of all, in the order in which they were ordered."""
    wanted = (
        select(
            WithdrawnLine.order_id, WithdrawnLine.seller_order_id, OrderLine.lot_id, OrderLine.title, OrderLine.unit,
            WithdrawnLine.quantity, WithdrawnLine.sent,
            ~WithdrawnLine.sent & (OrderLine.returned_quantity < OrderLine.quantity),
        )
        .join(OrderLine, OrderLine.id == WithdrawnLine.order_line_id)
        .where(WithdrawnLine.withdrawal_id == withdrawal_id)
        .order_by(WithdrawnLine.order_id, OrderLine.id)
    )  # fmt: skip
    if order_id is not None:
        wanted = wanted.where(WithdrawnLine.order_id == order_id)
    return [NotedLine(*row) for row in session.execute(wanted)]
