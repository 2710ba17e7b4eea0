"""Payouts and their runs."""

from typing import Any

from sqlalchemy import select

from market.payouts.models import STATES as PAYOUT_STATES
from market.payouts.models import Payout, PayoutRun
from market.producers.models import Producer
from market.producers.rules import RAILS
from market.reports.queries.lists import (
    Sorting,
    Source,
    Viewer,
    between_days,
    by_amount,
    contains,
    one_of,
)


def payouts(viewer: Viewer) -> Source:
    """Return the co-op's payouts, newest first."""
    statement = (
        select(
            Payout.id,
            Payout.number,
            Payout.changed_at,
            Producer.name.label("payee"),
            Payout.rail,
            Payout.reference,
            Payout.state,
            Payout.reason,
            Payout.amount_minor,
            Payout.currency,
        )
        .outerjoin(Producer, Producer.id == Payout.payee_id)
        .where(Payout.coop_id == viewer.coop_id)
    )
    return Source(
        statement,
        {
            "newest": Sorting(((Payout.number, int),), descending=True),
            "largest": by_amount(Payout.amount_minor, unique=Payout.id),
        },
        {
            "q": _payout_named,
            "state": _payout_state,
            "rail": one_of(Payout.rail, RAILS),
            "amount": lambda text: Payout.amount_minor == viewer.minor(text),
            **between_days(viewer, Payout.changed_at),
        },
        Payout.amount_minor,
        Payout.currency,
    )


def _payout_state(text: str) -> Any:
    stuck = ("needs_person", "unknown", "failed", "returned")
    return Payout.state.in_(stuck) if text == "problem" else one_of(Payout.state, PAYOUT_STATES)(text)


def _payout_named(text: str) -> Any:
    plain = "".join(sign for sign in text.upper() if sign.isalnum())
    if plain.startswith("RF"):
        return Payout.reference == plain
    digits = plain.removeprefix("PO")
    if digits.isdigit() and len(digits) < 16:
        return Payout.number == int(digits)
    return contains(Producer.name, text)


def runs(viewer: Viewer) -> Source:
    """Return the co-op's payout runs, newest first."""
    columns = (
        PayoutRun.id, PayoutRun.number, PayoutRun.state, PayoutRun.due_by, PayoutRun.execute_on, PayoutRun.prepared_at,
        PayoutRun.prepared_by, PayoutRun.approved_at, PayoutRun.approved_by,
    )  # fmt: skip
    return Source(
        select(*columns).where(PayoutRun.coop_id == viewer.coop_id),
        {"newest": Sorting(((PayoutRun.number, int),), descending=True)},
        {
            "state": one_of(PayoutRun.state, ("draft", "approved", "cancelled")),
            **between_days(viewer, PayoutRun.prepared_at),
        },
    )
