"""The card processor's account: its lines and its payouts to the bank."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.payments.models import ProcessorLine, ProcessorShare


@dataclass(frozen=True, slots=True)
class ProcessorProblem:
    """A line of the processor's statement that is not explained."""

    line_id: str
    kind: str
    net: Money
    booked_at: datetime
    state: str
    problem: str | None


def unexplained_lines(session: Session, *, limit: int = 100) -> Sequence[ProcessorProblem]:
    """Return lines of the processor's statement that wait for a match or for a person, oldest first."""
    rows = session.scalars(
        select(ProcessorLine).where(ProcessorLine.state != "matched").order_by(ProcessorLine.booked_at).limit(limit)
    )
    return [
        ProcessorProblem(row.id, row.kind, Money(row.net_minor, row.currency), row.booked_at, row.state, row.problem)
        for row in rows
    ]


def net_of_lines(session: Session, ids: Sequence[str], *, coop_id: UUID | None = None) -> dict[str, Money]:
    """Return what lines of the processor's statement brought or took, by their ids; unknown ones are missing.

    With a co-op only lines of which it has a share.
    """
    statement = select(ProcessorLine.id, ProcessorLine.net_minor, ProcessorLine.currency).where(ProcessorLine.id.in_(ids))
    if coop_id is not None:
        share = select(ProcessorShare.line_id).where(
            ProcessorShare.line_id == ProcessorLine.id, ProcessorShare.coop_id == coop_id
        )
        statement = statement.where(share.exists())
    rows = session.execute(statement)
    return {row.id: Money(row.net_minor, row.currency) for row in rows}


def matched_sources(session: Session, sources: Sequence[str]) -> set[str]:
    """Return which of the processor's own ids stand on its statement in a line that is matched."""
    named = select(ProcessorLine.source).where(ProcessorLine.source.in_(sources), ProcessorLine.state == "matched")
    return set(session.scalars(named)) if sources else set()


@dataclass(frozen=True, slots=True)
class BankPayout:
    """A payout of the card processor to the bank that lies in one book alone: its id there, how much, and when it left."""

    payout: str
    money: Money
    booked_at: datetime


def bank_payouts(session: Session, *, coop_id: UUID, currency: str, since: datetime) -> list[BankPayout]:
    """Return the processor's payouts to the bank that belong to a co-op alone, oldest first."""
    share = select(ProcessorShare.line_id).where(
        ProcessorShare.line_id == ProcessorLine.id,
        ProcessorShare.coop_id == coop_id,
        ProcessorShare.gross_minor - ProcessorShare.fee_minor == ProcessorLine.net_minor,
    )
    rows = session.scalars(
        select(ProcessorLine)
        .where(
            ProcessorLine.kind == "payout",
            ProcessorLine.state == "matched",
            ProcessorLine.currency == currency,
            ProcessorLine.bank_payout.is_not(None),
            ProcessorLine.booked_at >= since,
            share.exists(),
        )
        .order_by(ProcessorLine.booked_at, ProcessorLine.id)
    )
    return [BankPayout(str(row.bank_payout), Money(-row.net_minor, row.currency), row.booked_at) for row in rows]


def newest_line(session: Session) -> datetime | None:
    """Return the instant of the newest line of the processor's statement that we have."""
    newest: datetime | None = session.scalar(select(func.max(ProcessorLine.booked_at)))
    return newest


def since_for_sync(session: Session, *, now: datetime) -> datetime:
    """Return from when on to ask for the processor's statement: three days before the newest line (money.md 4.5)."""
    newest = newest_line(session)
    return (newest or now - timedelta(days=27)) - timedelta(days=3)
