"""What is owed, payouts, their runs, cheques, and transfers of the co-op's own share."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, case, cast, func, literal, select

from market.kernel.references import bare
from market.payables.models import Payable
from market.payables.queries import LIVE
from market.payouts.models import STATES as PAYOUT_STATES
from market.payouts.models import Cheque, Payout, PayoutRun, PayoutSetting
from market.payouts.rules.schedule import PayoutSettings
from market.producers.models import Producer
from market.producers.rules import RAILS
from market.reports.queries.lists import (
    Sorting,
    Source,
    Viewer,
    between_dates,
    between_days,
    by_amount,
    by_day,
    contains,
    one_of,
    search_of,
)
from market.treasury.models import CoopShare


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
            "run": lambda text: Payout.run_id.in_(
                select(PayoutRun.id).where(PayoutRun.coop_id == viewer.coop_id, _run_named(text))
            ),
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
    plain = bare(text)
    if plain.startswith("RF"):
        return Payout.reference == plain
    digits = plain.removeprefix("PO")
    if digits.isdigit() and len(digits) < 16:
        return Payout.number == int(digits)
    return contains(Producer.name, text)


def owed(viewer: Viewer) -> Source:
    """Return what each member is owed in each currency and is not paid yet, the largest sum first."""
    minor, day = func.sum(Payable.amount_minor), func.min(Payable.due_on)
    is_open = Payable.state == "open"
    sums = (
        select(
            Payable.payee_id.label("id"),
            Payable.currency,
            cast(func.coalesce(minor.filter(is_open), 0), BigInteger).label("open_minor"),
            cast(func.coalesce(minor.filter(~is_open), 0), BigInteger).label("way_minor"),
            day.label("due_on"),
            func.count().label("count"),
        )
        .where(Payable.coop_id == viewer.coop_id, Payable.state.in_(LIVE))
        .group_by(Payable.payee_id, Payable.currency)
        .subquery("owed")
        .c
    )
    state = case((sums.open_minor == 0, "on_its_way"), (sums.due_on < viewer.today, "overdue"), else_="open")
    unique = ((sums.id, UUID), (sums.currency, str))
    return Source(
        select(*sums, Producer.name.label("payee"), state.label("state")).outerjoin(Producer, Producer.id == sums.id),
        {
            "largest": Sorting(((sums.open_minor, int), *unique), descending=True),
            "oldest": Sorting(((sums.due_on, date.fromisoformat), *unique)),
        },
        {
            "q": search_of(Producer.name),
            "state": one_of(state, ("open", "overdue", "on_its_way")),
            "currency": lambda text: sums.currency == text.upper(),
            "amount": lambda text: sums.open_minor == viewer.minor(text),
            **between_dates(sums.due_on),
        },
        sums.open_minor,
        sums.currency,
        keyed=False,
    )


SHARE_STATES = ("proposed", "approved", "declined", "sent", "refused", "booked")


def shares(viewer: Viewer) -> Source:
    """Return the transfers of the co-op's share to its own account at the card processor, the newest first."""
    columns = (
        CoopShare.id, CoopShare.proposed_at, CoopShare.amount_minor, CoopShare.currency, CoopShare.state, CoopShare.answer,
        CoopShare.decided_at, CoopShare.proposed_by,
    )  # fmt: skip
    return Source(
        select(*columns).where(CoopShare.coop_id == viewer.coop_id),
        {
            "newest": by_day(CoopShare.proposed_at, unique=CoopShare.id),
            "largest": by_amount(CoopShare.amount_minor, unique=CoopShare.id),
        },
        {
            "state": one_of(CoopShare.state, SHARE_STATES),
            "amount": lambda text: CoopShare.amount_minor == viewer.minor(text),
            **between_days(viewer, CoopShare.proposed_at),
        },
        CoopShare.amount_minor,
        CoopShare.currency,
    )


def runs(viewer: Viewer) -> Source:
    """Return the co-op's payout runs, newest first."""
    columns = (
        PayoutRun.id, PayoutRun.number, PayoutRun.state, PayoutRun.due_by, PayoutRun.execute_on, PayoutRun.prepared_at,
        PayoutRun.totals, PayoutRun.approved_at,
    )  # fmt: skip
    return Source(
        select(*columns).where(PayoutRun.coop_id == viewer.coop_id),
        {"newest": Sorting(((PayoutRun.number, int),), descending=True)},
        {
            "q": _run_named,
            "state": one_of(PayoutRun.state, ("draft", "approved", "cancelled")),
            **between_days(viewer, PayoutRun.prepared_at),
        },
    )


def _run_named(text: str) -> Any:
    return PayoutRun.number == int(text.strip().upper().removeprefix("RUN-"))


def cheques(viewer: Viewer) -> Source:
    """Return the cheques, the last made out first, with those that nobody has cashed for long."""
    settings = select(PayoutSetting.cheque_stale_days).where(PayoutSetting.coop_id == viewer.coop_id).scalar_subquery()
    patience = func.coalesce(settings, PayoutSettings().cheque_stale_days)
    state = case(
        (Cheque.voided_at.is_not(None), "voided"),
        (Payout.state == "settled", "cashed"),
        (Cheque.issued_on < literal(viewer.today) - patience, "stale"),
        else_="issued",
    )
    payee = Payout.details["holder"].astext
    columns = (Cheque.payout_id.label("id"), Cheque.number, payee.label("payee"), Cheque.issued_on, state.label("state"))
    return Source(
        select(*columns, Payout.amount_minor, Payout.currency)
        .join(Payout, Payout.id == Cheque.payout_id)
        .where(Cheque.coop_id == viewer.coop_id),
        {
            "newest": by_day(Cheque.issued_on, kind=date.fromisoformat, unique=Cheque.payout_id),
            "largest": by_amount(Payout.amount_minor, unique=Cheque.payout_id),
        },
        {
            "q": search_of(Cheque.number, payee),
            "state": one_of(state, ("issued", "stale", "cashed", "voided")),
            "amount": lambda text: Payout.amount_minor == viewer.minor(text),
            **between_dates(Cheque.issued_on),
        },
        Payout.amount_minor,
        Payout.currency,
    )
