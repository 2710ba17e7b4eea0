"""The desks of what members earn and owe beside sales: weigh slips, advances, holds, corrections, shares of a result."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import case, select, true

from market.earnings.models import Advance, Delivery, Distribution, PayableCorrection, PayableHold
from market.producers.models import Producer
from market.reports.queries.lists import (
    Listed,
    Sorting,
    Source,
    Viewer,
    between_dates,
    between_days,
    by_amount,
    by_day,
    one_named,
    one_of,
    search_of,
)

ADVANCE_STATES = ("proposed", "granted", "recovered", "declined")
BOOKED_STATES = ("proposed", "booked", "declined")


def _of_members(viewer: Viewer, table: Any, *columns: Any) -> Listed:
    """Select rows of a table about members, each with the member's name."""
    return (
        select(table.id, table.producer_id, Producer.name.label("member"), table.amount_minor, table.currency, *columns)
        .outerjoin(Producer, Producer.id == table.producer_id)
        .where(table.coop_id == viewer.coop_id)
    )


def slips(viewer: Viewer) -> Source:
    """Return the weigh slips, the newest delivery first."""
    net = Delivery.gross - Delivery.tare - Delivery.rejected
    price = Delivery.unit_price - Delivery.deduction
    columns = (Delivery.slip, Delivery.delivered_on, Delivery.pool, net.label("net"), Delivery.unit, price.label("price"))
    return Source(
        _of_members(viewer, Delivery, *columns, Delivery.entered_by, Delivery.entered_at),
        {
            "newest": by_day(Delivery.delivered_on, kind=date.fromisoformat, unique=Delivery.id),
            "largest": by_amount(Delivery.amount_minor, unique=Delivery.id),
        },
        {
            "q": search_of(Delivery.slip, Producer.name),
            "pool": lambda text: Delivery.pool == text,
            "amount": lambda text: Delivery.amount_minor == viewer.minor(text),
            **between_dates(Delivery.delivered_on),
        },
        Delivery.amount_minor,
        Delivery.currency,
    )


def advances(viewer: Viewer) -> Source:
    """Return the advances, newest first, with what has not come back."""
    left = (Advance.amount_minor - Advance.recovered_minor).label("left_minor")
    columns = (
        Advance.reason,
        left,
        Advance.cap_percent,
        Advance.priority,
        Advance.state,
        Advance.proposed_by,
        Advance.proposed_at,
    )
    return Source(
        _of_members(viewer, Advance, *columns),
        {
            "newest": by_day(Advance.proposed_at, unique=Advance.id),
            "largest": by_amount(Advance.amount_minor, unique=Advance.id),
        },
        {
            "q": search_of(Producer.name, Advance.reason),
            "state": one_of(Advance.state, ADVANCE_STATES),
            **between_days(viewer, Advance.proposed_at),
        },
        Advance.amount_minor,
        Advance.currency,
    )


def holds(viewer: Viewer) -> Source:
    """Return what is or was held back from members, what ends first first."""
    columns = (PayableHold.reason, PayableHold.appeal, PayableHold.ends_on, PayableHold.set_at, PayableHold.ended_at)
    ended = PayableHold.ended_at.is_not(None)
    return Source(
        _of_members(viewer, PayableHold, *columns, case((ended, "ended"), else_="held").label("state")),
        {"ends": Sorting(((PayableHold.ends_on, date.fromisoformat), (PayableHold.id, UUID)))},
        {
            "q": search_of(Producer.name, PayableHold.reason),
            "state": one_named({"held": ~ended, "ended": ended, "all": true()}),
            **between_dates(PayableHold.ends_on),
        },
        PayableHold.amount_minor,
        PayableHold.currency,
    )


def corrections(viewer: Viewer) -> Source:
    """Return corrections of what members are owed, newest first."""
    table = PayableCorrection
    return Source(
        _of_members(viewer, table, table.reason, table.state, table.proposed_by, table.proposed_at),
        {"newest": by_day(table.proposed_at, unique=table.id), "largest": by_amount(table.amount_minor, unique=table.id)},
        {
            "q": search_of(Producer.name, table.reason),
            "state": one_of(table.state, BOOKED_STATES),
            **between_days(viewer, table.proposed_at),
        },
        table.amount_minor,
        table.currency,
    )


def shares(viewer: Viewer) -> Source:
    """Return second payments and patronage refunds, newest first."""
    table = Distribution
    statement = select(
        table.id, table.name, table.kind, table.pool, table.starts_on, table.ends_on, table.amount_minor, table.currency,
        table.cash_percent, table.minutes, table.state, table.proposed_by, table.proposed_at,
    ).where(table.coop_id == viewer.coop_id)  # fmt: skip
    return Source(
        statement,
        {"newest": by_day(table.proposed_at, unique=table.id), "largest": by_amount(table.amount_minor, unique=table.id)},
        {
            "q": search_of(table.name, table.pool),
            "kind": one_of(table.kind, ("second_payment", "patronage")),
            "state": one_of(table.state, BOOKED_STATES),
        },
        table.amount_minor,
        table.currency,
    )
