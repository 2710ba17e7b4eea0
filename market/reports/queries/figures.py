"""Figures of a co-op over a span of days: what was sold and who got what, payouts, what is owed and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Date, case, cast, func, select, tuple_
from sqlalchemy.orm import Session

from market.orders.models import SellerOrder
from market.payables.models import OPEN, Payable
from market.payments.models import Refund
from market.payouts.models import Payout
from market.producers.models import Producer
from market.reports.queries.desks import RETURNED, WORTH
from market.reports.queries.lists import Viewer

SOLD = ("paid", "shipped", "confirmed", "settled", "refunded")


@dataclass(frozen=True, slots=True)
class Span:
    """Days of the co-op's zone, both included."""

    first: date
    last: date

    def instants(self, viewer: Viewer) -> tuple[Any, Any]:
        """Return the instants at which the span begins and has ended."""
        return viewer.begin_of(self.first.isoformat()), viewer.begin_of((self.last + timedelta(days=1)).isoformat())


@dataclass(frozen=True, slots=True)
class Sold:
    """Sums of orders of one currency: of one week, of one producer, or of all; refunds are taken off all but `total`."""

    key: Any
    currency: str
    orders: int = 0
    total: int = 0
    refunded: int = 0
    goods: int = 0
    premium: int = 0
    charges: int = 0
    tax: int = 0


@dataclass(frozen=True, slots=True)
class Sales:
    """What was sold in a span: by week (its Monday), by producer (their name, the largest first), and in all."""

    weeks: Sequence[Sold]
    producers: Sequence[Sold]
    all: Sequence[Sold]


CHARGED = WORTH - SellerOrder.unsent_minor


def sales(session: Session, viewer: Viewer, span: Span) -> Sales:
    """Return what was sold, read in one pass over the orders."""
    parts = [
        (getattr(SellerOrder, f"{name}_minor") - getattr(SellerOrder, f"{name}_refunded_minor")).label(name)
        for name in ("goods", "premium", "charges", "tax")
    ]
    week = cast(func.date_trunc("week", func.timezone(viewer.zone, SellerOrder.placed_at)), Date).label("week")
    columns = (week, SellerOrder.producer_id, SellerOrder.currency, CHARGED.label("total"), RETURNED.label("refunded"), *parts)
    rows = select(*columns).where(*_sold(viewer, span)).subquery("sold").c
    sums = [func.sum(rows[name]) for name in ("total", "refunded", "goods", "premium", "charges", "tax")]
    both = func.grouping_sets(tuple_(rows.week, rows.currency), tuple_(rows.producer_id, rows.currency))
    found = session.execute(select(rows.week, rows.producer_id, rows.currency, func.count(), *sums).group_by(both)).all()
    by_week = {(row[0], row[2]): [int(figure) for figure in row[3:]] for row in found if row[0] is not None}
    by_producer = {(row[1], row[2]): [int(figure) for figure in row[3:]] for row in found if row[0] is None}
    in_all: dict[Any, list[int]] = {}
    for (_monday, currency), line in by_week.items():
        whole = in_all.setdefault(("", currency), [0] * len(line))
        whole[:] = [one + more for one, more in zip(whole, line, strict=True)]
    ids = {producer_id for producer_id, _currency in by_producer}
    names = {each.id: each.name for each in session.execute(select(Producer.id, Producer.name).where(Producer.id.in_(ids)))}
    weeks, producers, all_ = ([Sold(*key, *line) for key, line in table.items()] for table in (by_week, by_producer, in_all))
    producers = [replace(each, key=names.get(each.key, "")) for each in producers]
    return Sales(
        sorted(weeks, key=lambda each: (each.key, each.currency)),
        sorted(producers, key=lambda each: (-each.goods, each.key)),
        sorted(all_, key=lambda each: each.currency),
    )


def payouts_by_state(session: Session, viewer: Viewer, span: Span) -> Sequence[Any]:
    """Return per rail, state and currency how many payouts changed last within the span, and their sum."""
    begin, end = span.instants(viewer)
    keys = (Payout.rail, Payout.state, Payout.currency)
    statement = (
        select(*keys, func.count().label("count"), func.sum(Payout.amount_minor).label("total_minor"))
        .where(Payout.coop_id == viewer.coop_id, Payout.changed_at >= begin, Payout.changed_at < end)
        .group_by(*keys)
        .order_by(*keys)
    )
    return session.execute(statement).all()


def refunds_by_bearer(session: Session, viewer: Viewer, span: Span) -> Sequence[Any]:
    """Return per bearer and currency how many refunds were decided, and their sum."""
    begin, end = span.instants(viewer)
    keys = (Refund.bearer, Refund.currency)
    statement = (
        select(*keys, func.count().label("count"), func.sum(Refund.amount_minor).label("total_minor"))
        .where(Refund.coop_id == viewer.coop_id, Refund.decided_at >= begin, Refund.decided_at < end, Refund.kind != "untaken")
        .group_by(*keys)
        .order_by(*keys)
    )
    return session.execute(statement).all()


def aged_payables(session: Session, viewer: Viewer, on: date) -> Sequence[Any]:
    """Return what is owed and in no payout yet, per currency and age: not due, up to 7, up to 30 days late, later."""
    late = on - Payable.due_on
    age = case((late <= 0, "not_due"), (late <= 7, "week"), (late <= 30, "month"), else_="later").label("age")
    statement = (
        select(Payable.currency, age, func.count().label("count"), func.sum(Payable.amount_minor).label("total_minor"))
        .where(Payable.coop_id == viewer.coop_id, OPEN)
        .group_by(Payable.currency, age)
        .order_by(Payable.currency, age)
    )
    return session.execute(statement).all()


def _sold(viewer: Viewer, span: Span) -> tuple[Any, ...]:
    begin, end = span.instants(viewer)
    states = SellerOrder.state.in_(SOLD)
    return SellerOrder.coop_id == viewer.coop_id, SellerOrder.placed_at >= begin, SellerOrder.placed_at < end, states
