"""What came back to advances out of the things that a payout pays: netted when they were earned, shown where they are paid."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Select, cast, func, select
from sqlalchemy.orm import Session, aliased

from market.earnings import queries as earnings
from market.kernel.money import Money
from market.payables import queries as payables
from market.payouts.models import Payout, PayoutItem


def of_payables(payable_ids: Select[*tuple[Any, ...]]) -> Any:
    """Return the SELECT of what came back to advances beside payables that are in no payout yet: see `netted_beside`."""
    return payables.netted_beside(
        payable_ids, select(PayoutItem.payable_id).where(PayoutItem.released_at.is_(None)), earnings.advance_ids()
    )


def beside(payout_id: Any, number: Any) -> Any:
    """Return the SELECT of what came back beside one payout, given by its id and number, which may be columns of `payout`.

    What one thing earned may be paid in parts; then it is told with the first of them that is not cancelled.
    """
    earlier = aliased(Payout)
    own = select(PayoutItem.payable_id).where(PayoutItem.payout_id == payout_id).correlate(Payout)
    before = (
        select(PayoutItem.payable_id)
        .join(earlier, earlier.id == PayoutItem.payout_id)
        .where(PayoutItem.released_at.is_(None), earlier.number < number)
        .correlate(Payout)
    )
    return payables.netted_beside(own, before, earnings.advance_ids())


def of_payout(session: Session, payout_id: UUID) -> list[tuple[UUID, UUID, Money]]:
    """Return source, advance and amount of what came back beside a payout."""
    rows = beside(payout_id, select(Payout.number).where(Payout.id == payout_id).correlate(None).scalar_subquery()).subquery()
    statement = (
        select(rows.c.source_id, rows.c.taken_by, rows.c.currency, func.sum(rows.c.amount_minor))
        .group_by(rows.c.source_id, rows.c.taken_by, rows.c.currency)
        .order_by(rows.c.source_id, rows.c.taken_by)
    )
    return [(source, advance, Money(int(minor), currency)) for source, advance, currency, minor in session.execute(statement)]


def gross_minor() -> Any:
    """Return the expression of what was earned by what a row of `payout` pays, what came back to advances included."""
    rows = beside(Payout.id, Payout.number).correlate(Payout).subquery()
    back = select(func.sum(rows.c.amount_minor)).scalar_subquery()
    return Payout.gross_minor + cast(func.coalesce(back, 0), BigInteger)
