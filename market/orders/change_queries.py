"""What changed of an order after it was paid: further orders, and what producers offer to send instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.orders.errors import OrderMissing
from market.orders.models import Order, OrderSupplement, Substitution


@dataclass(frozen=True, slots=True)
class Supplement:
    """A further order of the same buyer, or the one that it belongs to."""

    order_id: UUID
    number: int
    state: str
    total: Money


@dataclass(frozen=True, slots=True)
class Offer:
    """Something else that a producer would send instead of a line; `state`: proposed, accepted, refused, withdrawn."""

    id: UUID
    seller_order_id: UUID
    line_id: UUID
    listing_id: UUID
    title: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    words: str
    state: str
    proposed_at: datetime
    decided_at: datetime | None


def supplements(session: Session, order_id: UUID) -> list[Supplement]:
    """Return the further orders of an order, oldest first."""
    joined = select(Order).join(OrderSupplement, OrderSupplement.order_id == Order.id)
    return [
        _view(row) for row in session.scalars(joined.where(OrderSupplement.supplements_id == order_id).order_by(Order.number))
    ]


def supplemented(session: Session, order_id: UUID) -> Supplement | None:
    """Return the order that this one is a supplement of."""
    joined = select(Order).join(OrderSupplement, OrderSupplement.supplements_id == Order.id)
    row = session.scalars(joined.where(OrderSupplement.order_id == order_id)).one_or_none()
    return _view(row) if row else None


def _view(row: Order) -> Supplement:
    return Supplement(row.id, row.number, row.state, Money(row.total_minor, row.currency))


def substitutions(session: Session, seller_order_ids: Sequence[UUID]) -> list[Offer]:
    """Return what was offered instead in some parts, oldest first."""
    statement = select(Substitution).where(Substitution.seller_order_id.in_(seller_order_ids)).order_by(Substitution.proposed_at)
    return [_offer(row) for row in session.scalars(statement)]


def substitution(session: Session, substitution_id: UUID) -> Offer:
    """Return one question. Raises OrderMissing."""
    row = session.get(Substitution, substitution_id)
    if row is None:
        raise OrderMissing("There is no such question about this order.")
    return _offer(row)


def _offer(row: Substitution) -> Offer:
    return Offer(
        row.id, row.seller_order_id, row.order_line_id, row.listing_id, row.title, row.unit, row.quantity, row.unit_price,
        row.words, row.state, row.proposed_at, row.decided_at,
    )  # fmt: skip
