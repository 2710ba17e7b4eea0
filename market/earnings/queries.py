"""Reads of earnings; frozen answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from market.earnings.errors import NoRecord
from market.earnings.models import (
    Advance,
    AdvanceRecovery,
    Delivery,
    Distribution,
    DistributionShare,
    PayableCorrection,
    PayableHold,
)
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger.queries import Finding


@dataclass(frozen=True, slots=True)
class AdvanceView:
    """An advance: what was granted, what is left, who proposed and decided it."""

    id: UUID
    producer_id: UUID
    money: Money
    left: Money
    priority: int
    cap_percent: Decimal
    reason: str
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class HoldView:
    """What is kept back from a member: how much, why, until when, by whom, how to appeal."""

    id: UUID
    coop_id: UUID
    producer_id: UUID
    money: Money
    reason: str
    appeal: str
    ends_on: date
    set_by: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """A correction and its two persons."""

    id: UUID
    producer_id: UUID
    money: Money
    reason: str
    state: str
    proposed_by: str
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class DistributionView:
    """A second payment or patronage refund."""

    id: UUID
    kind: str
    pool: str
    name: str
    starts_on: date
    ends_on: date
    money: Money
    cash_percent: Decimal
    minutes: str
    state: str
    proposed_by: str
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A weigh slip."""

    id: UUID
    producer_id: UUID
    slip: str
    delivered_on: date
    pool: str
    net: Decimal
    unit: str
    unit_price: Decimal
    deduction: Decimal
    money: Money


def advances(session: Session, coop_id: UUID, *, producer_id: UUID | None = None, state: str | None = None) -> list[AdvanceView]:
    """Return advances of a co-op or of one member, newest first."""
    statement = select(Advance).where(Advance.coop_id == coop_id).order_by(Advance.proposed_at.desc(), Advance.id.desc())
    if producer_id is not None:
        statement = statement.where(Advance.producer_id == producer_id)
    if state is not None:
        statement = statement.where(Advance.state == state)
    return [_advance(row) for row in session.scalars(statement)]


def advance_ids() -> Select[tuple[UUID]]:
    """Return the SELECT of the ids of advances: what netted a payable to recover one."""
    return select(Advance.id)


def advances_by_id(session: Session, advance_ids: Iterable[UUID]) -> dict[UUID, AdvanceView]:
    """Return advances by id."""
    return {row.id: _advance(row) for row in session.scalars(select(Advance).where(Advance.id.in_(list(advance_ids))))}


def holds(session: Session, coop_id: UUID, *, producer_id: UUID | None = None, ended: bool = False) -> list[HoldView]:
    """Return holds in force, or with `ended` all of them, the one that ends first first."""
    statement = select(PayableHold).where(PayableHold.coop_id == coop_id).order_by(PayableHold.ends_on, PayableHold.id)
    if producer_id is not None:
        statement = statement.where(PayableHold.producer_id == producer_id)
    if not ended:
        statement = statement.where(PayableHold.ended_at.is_(None))
    return [_hold(row) for row in session.scalars(statement)]


def hold(session: Session, hold_id: UUID) -> HoldView:
    """Return one hold. Raises NoRecord when this scope has none."""
    row = session.get(PayableHold, hold_id)
    if row is None:
        raise NoRecord("There is no such hold here.")
    return _hold(row)


def corrections(session: Session, coop_id: UUID) -> list[CorrectionView]:
    """Return corrections, newest first."""
    statement = (
        select(PayableCorrection)
        .where(PayableCorrection.coop_id == coop_id)
        .order_by(PayableCorrection.proposed_at.desc(), PayableCorrection.id.desc())
    )
    return [
        CorrectionView(
            row.id, row.producer_id, Money(row.amount_minor, row.currency), row.reason, row.state, row.proposed_by, row.decided_by
        )
        for row in session.scalars(statement)
    ]


def distributions(session: Session, coop_id: UUID) -> list[DistributionView]:
    """Return second payments and patronage refunds, newest first."""
    statement = (
        select(Distribution)
        .where(Distribution.coop_id == coop_id)
        .order_by(Distribution.proposed_at.desc(), Distribution.id.desc())
    )
    return [
        DistributionView(
            row.id,
            row.kind,
            row.pool,
            row.name,
            row.starts_on,
            row.ends_on,
            Money(row.amount_minor, row.currency),
            row.cash_percent,
            row.minutes,
            row.state,
            row.proposed_by,
            row.decided_by,
        )
        for row in session.scalars(statement)
    ]


def deliveries(session: Session, coop_id: UUID, *, producer_id: UUID | None = None, limit: int = 200) -> list[DeliveryView]:
    """Return weigh slips, newest first."""
    statement = select(Delivery).where(Delivery.coop_id == coop_id).order_by(Delivery.delivered_on.desc(), Delivery.id.desc())
    if producer_id is not None:
        statement = statement.where(Delivery.producer_id == producer_id)
    return [
        DeliveryView(
            row.id,
            row.producer_id,
            row.slip,
            row.delivered_on,
            row.pool,
            row.gross - row.tare - row.rejected,
            row.unit,
            row.unit_price,
            row.deduction,
            Money(row.amount_minor, row.currency),
        )
        for row in session.scalars(statement.limit(limit))
    ]


def check(session: Session) -> list[Finding]:
    """Return where rows and books disagree: what is left of advances, retained equity, recoveries and their sums."""
    findings: list[Finding] = []
    for book_id, coop_id in books.books(session):
        if coop_id is None:
            continue
        left = {
            (f"advance:{row.id}", row.money.currency): row.left.minor
            for row in advances(session, coop_id)
            if row.state in ("granted", "recovered") and row.left
        }
        findings += books.differences(session, book_id, law="what is left of advances = advance:*", prefix="advance:", rows=left)
        statement = (
            select(DistributionShare.producer_id, Distribution.currency, func.sum(DistributionShare.retained_minor))
            .join(Distribution, Distribution.id == DistributionShare.distribution_id)
            .where(DistributionShare.coop_id == coop_id)
            .group_by(DistributionShare.producer_id, Distribution.currency)
        )
        kept = {
            (f"retained_patronage:{one}", currency): int(minor) for one, currency, minor in session.execute(statement) if minor
        }
        findings += books.differences(
            session, book_id, law="retained patronage = retained_patronage:*", prefix="retained_patronage:", rows=kept
        )
    sums = select(AdvanceRecovery.advance_id, func.sum(AdvanceRecovery.amount_minor)).group_by(AdvanceRecovery.advance_id)
    recovered = {advance_id: int(minor) for advance_id, minor in session.execute(sums)}
    findings += [
        Finding("recovered = sum of recoveries", f"advance {row.id}", f"{row.recovered_minor}, rows {recovered.get(row.id, 0)}")
        for row in session.scalars(select(Advance).where(Advance.recovered_minor > 0))
        if row.recovered_minor != recovered.get(row.id, 0)
    ]
    return findings


def _advance(row: Advance) -> AdvanceView:
    return AdvanceView(
        row.id,
        row.producer_id,
        Money(row.amount_minor, row.currency),
        Money(row.amount_minor - row.recovered_minor, row.currency),
        row.priority,
        row.cap_percent,
        row.reason,
        row.state,
        row.proposed_by,
        row.proposed_at,
        row.decided_by,
    )


def _hold(row: PayableHold) -> HoldView:
    return HoldView(
        row.id,
        row.coop_id,
        row.producer_id,
        Money(row.amount_minor, row.currency),
        row.reason,
        row.appeal,
        row.ends_on,
        row.set_by,
        row.ended_at,
    )
