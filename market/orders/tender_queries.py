"""What of an order could be, and is, paid in a community currency."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.kernel.money import Money, exponent
from market.orders import rules
from market.orders.models import Order, OrderLine, PriceComponent, SellerOrder
from market.orders.tender_models import OrderTender, TenderReturn
from market.producers import queries as producers
from market.treasury import community_queries as community
from market.treasury.community_models import UNIT


@dataclass(frozen=True, slots=True)
class TenderView:
    """What of an order is `paid` in the unit, and what the asker could pay in it: zero where that is nothing."""

    paid: Money
    offered: Money


@dataclass(frozen=True, slots=True)
class Offer:
    """What a holder could pay of an unpaid order: the co-op's own charges by seller order, in the unit."""

    holder: community.HolderView
    charges: dict[UUID, Money]

    @property
    def total(self) -> Money:
        """The sum."""
        return sum(self.charges.values(), community.unit(0))


def tender(session: Session, order_id: UUID, *, producer_id: UUID | None) -> TenderView:
    """Return what of an order is paid in the unit, and what the member who asks could pay in it."""
    mine = select(func.sum(OrderTender.amount_minor - OrderTender.returned_minor)).join(
        SellerOrder, SellerOrder.id == OrderTender.seller_order_id
    )
    paid = int(session.execute(mine.where(SellerOrder.order_id == order_id)).scalar_one() or 0)
    found = None if paid or producer_id is None else offer(session, order_id, producer_id=producer_id)
    return TenderView(community.unit(paid), found.total if found else community.unit(0))


def offer(session: Session, order_id: UUID, *, producer_id: UUID) -> Offer | None:
    """Return what a member could pay of an order that waits for its payment; None where that is nothing.

    Only charges that are their own co-op's income: goods, premium, tax, carriers and card costs are money (M-7). Nothing above
    what needs a second person.
    """
    order = session.get(Order, order_id)
    if order is None or order.state != "placed" or exponent(order.currency) != exponent(UNIT):
        return None
    holder = community.holder_of(session, producer_id)
    coop_id = producers.producer(session, producer_id).coop_id
    scheme = community.scheme(session, coop_id)
    if holder is None or scheme is None or scheme.state != "open":
        return None
    sellers = session.scalars(select(SellerOrder).where(SellerOrder.order_id == order_id)).all()
    own = [seller.id for seller in sellers if seller.coop_id == coop_id]
    charges = {seller_id: fee for seller_id, fee in _fees(session, own, order.currency).items() if fee.minor > 0}
    made = Offer(holder, charges)
    if not charges or scheme.authorise_above < made.total:
        return None
    return made if made.total <= holder.spendable else None


def _fees(session: Session, seller_ids: Sequence[UUID], currency: str) -> dict[UUID, Money]:
    rows = session.execute(
        select(OrderLine.seller_order_id, PriceComponent.kind, PriceComponent.amount_minor)
        .join(PriceComponent, PriceComponent.order_line_id == OrderLine.id)
        .where(OrderLine.seller_order_id.in_(seller_ids))
    )
    parts: dict[UUID, list[tuple[str, Money]]] = {}
    for seller_id, kind, minor in rows:
        parts.setdefault(seller_id, []).append((kind, Money(minor, currency)))
    return {key: community.unit(rules.earned_fee(own, currency).minor) for key, own in parts.items()}


def tenders(session: Session, seller_ids: Iterable[UUID]) -> dict[UUID, Money]:
    """Return what of each seller order stands as paid in the unit; those of which nothing is are left out."""
    rows = session.execute(
        select(OrderTender.seller_order_id, OrderTender.amount_minor - OrderTender.returned_minor).where(
            OrderTender.seller_order_id.in_(list(seller_ids)), OrderTender.amount_minor > OrderTender.returned_minor
        )
    )
    return {seller_id: community.unit(minor) for seller_id, minor in rows}


def returned_with(session: Session, refund_id: UUID) -> int:
    """Return what went back in the unit with a refund, in minor units; 0 where nothing did."""
    return session.scalars(select(TenderReturn.amount_minor).where(TenderReturn.refund_id == refund_id)).one_or_none() or 0
