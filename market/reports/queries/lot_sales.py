"""What was offered and sold of a lot: live offers, the price checks that allowed them, and who got what of what was paid."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from market.catalogue.models import Listing
from market.orders.models import OrderLine
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
        {"id": str(row.id), "rule": row.rule_id, "outcome": row.outcome, "words": row.words, "on": row.evaluated_for.isoformat()}
        for row in session.scalars(select(PriceCheck).where(PriceCheck.id.in_(ids)).order_by(PriceCheck.rule_id, PriceCheck.id))
    ]


_SPLIT = text(
    """
    WITH paid AS (
      SELECT l.id, l.currency, l.total_minor FROM order_line l JOIN seller_order s ON s.id = l.seller_order_id
      WHERE l.lot_id = :lot AND s.state = ANY(:states)),
    parts AS (
      SELECT p.currency, c.kind, min(c.seq) AS seq, min(c.label) AS label,
             sum(c.amount_minor) AS amount, sum(c.returned_minor) AS returned
      FROM paid p JOIN price_component c ON c.order_line_id = p.id GROUP BY p.currency, c.kind)
    SELECT p.currency, count(*) AS lines, sum(p.total_minor) AS total,
           (SELECT json_agg(json_build_array(x.kind, x.label, x.amount, x.returned) ORDER BY x.seq, x.kind)
            FROM parts x WHERE x.currency = p.currency) AS parts
    FROM paid p GROUP BY p.currency ORDER BY p.currency"""
)
PAID = ("paid", "shipped", "confirmed", "settled", "refunded")


def split(session: Session, lot_id: UUID) -> list[dict[str, Any]]:
    """Return who got what of the paid orders of a lot, one entry per currency; empty before the first sale.

    Parts are the kinds of fair-prices.md 5 summed over all paid lines, tax included, less what refunds gave back of them.
    `total_minor` comes from the lines, not from the parts, so that a part that is missing shows as a rest.
    """
    found = []
    for row in session.execute(_SPLIT, {"lot": lot_id, "states": list(PAID)}):
        parts = [{"kind": kind, "label": label, "minor": int(amount - back)} for kind, label, amount, back in row.parts or ()]
        returned = sum(int(back) for _, _, _, back in row.parts or ())
        total = int(row.total) - returned
        if total:
            shown = [part for part in parts if part["minor"]]
            found.append({"currency": row.currency, "lines": row.lines, "total_minor": total, "parts": shown})
    return found


def lots_of_order(session: Session, *, order_id: UUID | None = None, seller_order_id: UUID | None = None) -> set[UUID]:
    """Return the lots that an order or one of its parts took from."""
    wanted = select(OrderLine.lot_id)
    if order_id is not None:
        wanted = wanted.where(OrderLine.order_id == order_id)
    if seller_order_id is not None:
        wanted = wanted.where(OrderLine.seller_order_id == seller_order_id)
    return set(session.scalars(wanted))
