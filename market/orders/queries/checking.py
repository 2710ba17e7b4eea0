"""What orders must agree on with stock and books."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.ledger import queries as books
from market.ledger.queries import Finding
from market.orders import rules
from market.orders.models import OrderLine, PriceComponent, SellerOrder
from market.orders.tender_queries import tenders
from market.payments import queries as payments
from market.treasury import premium_queries as premiums


def check(session: Session) -> list[Finding]:
    """Return where orders and books disagree: what is held for a seller order is what is left of its parts until it is settled.

    So nothing is held without a paid order, none is paid without postings, and what was given back is held no more (1.6).
    """
    findings: list[Finding] = []
    for book_id, coop_id in books.books(session):
        if coop_id is None:
            continue
        expected, on_account = _to_be_held(session, coop_id), premiums.invoice_ids(session, coop_id)
        held = {
            (code.removeprefix("held:"), currency, subject): minor
            for (code, currency, subject), minor in books.balances_by_subject(session, book_id, "held:").items()
            if subject not in on_account
        }
        findings += [
            Finding("held = paid - given back - earned", f"book {book_id} {name} {subject}",
                    f"orders say {expected.get(key, 0)} {key[1]}, books {held.get(key, 0)}")
            for key in sorted(expected.keys() | held.keys(), key=str)
            if expected.get(key, 0) != held.get(key, 0)
            for name, _, subject in (key,)
        ]  # fmt: skip
    return findings


def _to_be_held(session: Session, coop_id: UUID) -> dict[tuple[str, str, UUID | None], int]:
    """What is left of the parts of each paid, not yet settled seller order; an order about to take note of it is paid, too."""
    lately = {one.subject_id for one in payments.unacknowledged(session)}
    left = func.sum(PriceComponent.amount_minor - PriceComponent.returned_minor)
    rows = session.execute(
        select(SellerOrder.id, SellerOrder.currency, PriceComponent.kind, left)
        .join(OrderLine, OrderLine.seller_order_id == SellerOrder.id)
        .join(PriceComponent, PriceComponent.order_line_id == OrderLine.id)
        .where(SellerOrder.coop_id == coop_id, SellerOrder.state.in_(rules.HELD) | SellerOrder.order_id.in_(lately))
        .group_by(SellerOrder.id, PriceComponent.kind)
    )
    found: dict[tuple[str, str, UUID | None], int] = {}
    for seller_id, currency, kind, minor in rows:
        key = (rules.COMPONENT[kind], currency, seller_id)
        found[key] = found.get(key, 0) + int(minor)
    for seller_id, unit in tenders(session, {subject for _, _, subject in found if subject}).items():
        own = next(one for one in found if one[0] == "charges" and one[2] == seller_id)
        found[own] -= unit.minor  # waits in the community currency, at par
    return {key: minor for key, minor in found.items() if minor}
