"""What the withdrawal of lots would do, before it is done, and whose orders one has reached."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, Text, case, cast, func, select
from sqlalchemy.orm import Session

from market.catalogue.models import Listing
from market.kernel.money import Money
from market.orders.models import Order, OrderLine, PriceComponent, SellerOrder, WithdrawnLine


@dataclass(frozen=True, slots=True)
class AtStake:
    """Offers in the shop and orders of some lots: unpaid, paid (or kept on a card) and not sent, sent.

    `back` is what goes back to buyers for what is paid and not sent, by currency.
    """

    offers: int
    unpaid: int
    unsent: int
    sent: int
    back: tuple[Money, ...]


def at_stake(session: Session, lot_ids: Collection[UUID]) -> AtStake:
    """Return what hangs on lots now."""
    offers = select(func.count()).select_from(Listing).where(Listing.lot_id.in_(lot_ids), Listing.state == "published")
    left: ColumnElement[bool] = OrderLine.returned_quantity < OrderLine.quantity
    kind = case(
        (SellerOrder.state == "placed", "unpaid"),
        (SellerOrder.shipped_at.is_not(None), "sent"),
        (SellerOrder.state.in_(("authorised", "paid")) & left, "unsent"),
        else_="none",
    )
    joined = select(kind, func.count(OrderLine.order_id.distinct())).join(
        SellerOrder, SellerOrder.id == OrderLine.seller_order_id
    )
    counts = {row[0]: row[1] for row in session.execute(joined.where(OrderLine.lot_id.in_(lot_ids)).group_by(kind))}
    paid = (
        select(PriceComponent.currency, func.sum(PriceComponent.amount_minor - PriceComponent.returned_minor))
        .join(OrderLine, OrderLine.id == PriceComponent.order_line_id)
        .join(SellerOrder, SellerOrder.id == OrderLine.seller_order_id)
        .where(OrderLine.lot_id.in_(lot_ids), left, SellerOrder.state == "paid")
        .group_by(PriceComponent.currency)
        .order_by(PriceComponent.currency)
    )
    return AtStake(
        offers=session.scalar(offers) or 0,
        unpaid=counts.get("unpaid", 0),
        unsent=counts.get("unsent", 0),
        sent=counts.get("sent", 0),
        back=tuple(Money(int(minor), currency) for currency, minor in session.execute(paid)),
    )


@dataclass(frozen=True, slots=True)
class Reached:
    """A line that a withdrawal reached, with the part of the order that it stands in as it is now."""

    seller_order_id: UUID
    number: str
    buyer: str
    title: str
    unit: str
    quantity: Decimal
    sent: bool
    state: str


def reached(session: Session, withdrawal_id: UUID, *, limit: int = 500) -> list[Reached]:
    """Return the lines that a withdrawal reached, the newest orders first, at most `limit`."""
    wanted = (
        select(
            SellerOrder.id, cast(Order.number, Text) + "-" + cast(SellerOrder.position, Text), Order.name, OrderLine.title,
            OrderLine.unit, WithdrawnLine.quantity, WithdrawnLine.sent, SellerOrder.state,
        )
        .join(OrderLine, OrderLine.id == WithdrawnLine.order_line_id)
        .join(SellerOrder, SellerOrder.id == WithdrawnLine.seller_order_id)
        .join(Order, Order.id == WithdrawnLine.order_id)
        .where(WithdrawnLine.withdrawal_id == withdrawal_id)
        .order_by(Order.number.desc(), OrderLine.id)
        .limit(limit)
    )  # fmt: skip
    return [Reached(*row) for row in session.execute(wanted)]
