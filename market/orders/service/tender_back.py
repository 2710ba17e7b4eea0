"""What was paid in a community currency goes back in it: with an order that ended unpaid, with what was not there when it was
packed, or with a refund (E10, E14)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.kernel.locks import lock
from market.kernel.money import Money
from market.ledger.rules import Leg
from market.orders import rules
from market.orders.models import SellerOrder
from market.orders.tender_models import OrderTender, TenderReturn
from market.treasury import rules as treasury
from market.treasury.community_queries import unit
from market.treasury.service.community import book_unit

COOP = "coop"


def give_back_tenders(session: Session, *, seller_ids: Sequence[UUID], actor: Actor, now: datetime) -> None:
    """Give back what was paid in the unit for an order that ended unpaid. Posts."""
    for row in _locked(session, seller_ids):
        left = row.amount_minor - row.returned_minor
        if left:
            row.returned_minor = row.amount_minor
            legs = _back(row, left, "lc_held")
            book_unit(session, row.coop_id, "community_back", f"tender:{row.seller_order_id}:ended", legs, actor=actor, now=now)


def tender_share(session: Session, seller: SellerOrder, parts: Iterable[tuple[str, Money]]) -> Money:
    """Return what of the parts that go back was paid in the unit, in the order's currency: it is at par."""
    rows = _locked(session, [seller.id])
    fee = rules.earned_fee(parts, seller.currency)
    return Money(min(fee.minor, rows[0].amount_minor - rows[0].returned_minor) if rows else 0, seller.currency)


def return_tender(
    session: Session, seller: SellerOrder, share: Money, *, refund_id: UUID | None, actor: Actor, now: datetime
) -> None:
    """Give back what was paid in the unit: from where it waits, or from the co-op that has earned it. Posts.

    With a refund, or, once, with what was not there when the order was packed.
    """
    (row,) = _locked(session, [seller.id])
    row.returned_minor += share.minor
    if refund_id is not None:
        session.add(
            TenderReturn(refund_id=refund_id, seller_order_id=seller.id, coop_id=seller.coop_id, amount_minor=share.minor)
        )
    source = f"lc:{COOP}" if seller.state == "settled" else "lc_held"
    key = f"tender:{seller.id}:{refund_id or 'packed'}"
    book_unit(session, seller.coop_id, "community_back", key, _back(row, share.minor, source), actor=actor, now=now)


def _back(row: OrderTender, minor: int, source: str) -> tuple[Leg, ...]:
    return treasury.community_back(source, row.holder_id, unit(minor), row.seller_order_id)


def _locked(session: Session, seller_ids: Sequence[UUID]) -> Sequence[OrderTender]:
    return lock(session, OrderTender, seller_ids, column="seller_order_id")
