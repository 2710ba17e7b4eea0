"""What lies in a basket."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.catalogue import queries as catalogue
from market.catalogue.queries import ListingView
from market.orders.models import BasketLine


@dataclass(frozen=True, slots=True)
class BasketItem:
    """A line of the basket with the offer as it is now; `offer` is None when it is gone."""

    listing_id: UUID
    quantity: Decimal
    offer: ListingView | None

    @property
    def available(self) -> bool:
        """Whether it can be ordered as it stands."""
        return self.offer is not None and self.offer.state == "published" and self.offer.free >= self.quantity


def basket(session: Session, basket_id: UUID | None) -> list[BasketItem]:
    """Return the lines of a basket, oldest first, with the offers as they are now."""
    if basket_id is None:
        return []
    rows = session.execute(
        select(BasketLine.listing_id, BasketLine.quantity)
        .where(BasketLine.basket_id == basket_id)
        .order_by(BasketLine.added_at, BasketLine.listing_id)
    ).all()
    offers = catalogue.listings_by_id(session, [row.listing_id for row in rows])
    return [BasketItem(row.listing_id, row.quantity, offers.get(row.listing_id)) for row in rows]
