"""What somebody means to order. A basket is only an id in their session: it needs no account."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.catalogue import queries as catalogue
from market.kernel.words import say
from market.orders.errors import ListingGone, QuantityFaulty
from market.orders.models import BasketLine


def set_line(session: Session, *, basket_id: UUID, listing_id: UUID, quantity: Decimal, now: datetime, add: bool = False) -> None:
    """Put `quantity` of a listing into the basket (or add it to what is there); nothing takes the line out.

    Raises ListingGone when it is not offered, QuantityFaulty when it is not a multiple of the listing's step.
    """
    if quantity < 0:
        raise QuantityFaulty("A quantity cannot be below zero.", pointer="/quantity")
    if quantity == 0 and not add:
        session.execute(delete(BasketLine).where(BasketLine.basket_id == basket_id, BasketLine.listing_id == listing_id))
        return
    offer = catalogue.listings_by_id(session, [listing_id]).get(listing_id)
    if offer is None or offer.state != "published":
        raise ListingGone("This is not offered any more. Look for something similar in the shop.")
    if quantity % offer.order_step or not quantity:
        raise QuantityFaulty(
            say("Please order a multiple of %(order_step)s %(unit)s.", order_step=offer.order_step, unit=offer.unit),
            pointer="/quantity",
        )
    if add:
        quantity += session.scalar(
            select(BasketLine.quantity).where(BasketLine.basket_id == basket_id, BasketLine.listing_id == listing_id)
        ) or Decimal(0)
    row = {"basket_id": basket_id, "listing_id": listing_id, "quantity": quantity, "added_at": now}
    session.execute(
        insert(BasketLine)
        .values(row)
        .on_conflict_do_update(index_elements=["basket_id", "listing_id"], set_={"quantity": quantity})
    )


def move_basket(session: Session, *, basket_id: UUID, to: UUID) -> None:
    """Give a basket another id, because the old one may be known to somebody else."""
    session.execute(update(BasketLine).where(BasketLine.basket_id == basket_id).values(basket_id=to))


def clear_basket(session: Session, *, basket_id: UUID, listing_ids: list[UUID] | None = None) -> None:
    """Empty the basket, or take out the lines that were ordered."""
    statement = delete(BasketLine).where(BasketLine.basket_id == basket_id)
    if listing_ids is not None:
        statement = statement.where(BasketLine.listing_id.in_(listing_ids))
    session.execute(statement)
