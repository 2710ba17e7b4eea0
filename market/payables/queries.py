"""Reads of what is owed; frozen answers, sums per currency."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, exists, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, aliased

from market.kernel.money import Money
from market.payables.models import OPEN, Payable
from market.payables.rules import KINDS, SOURCES

LIVE = ("open", "taken", "scheduled")


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing that is or was owed."""

    id: UUID
    coop_id: UUID
    payee_id: UUID
    money: Money
    kind: str
    due_on: date
    source_kind: str
    source_id: UUID
    state: str

    @property
    def what(self) -> str:
        """What it is, as a word of the house."""
        return KINDS.get(self.kind, self.kind)

    @property
    def source(self) -> str:
        """What it comes from, as a word of the house."""
        return SOURCES.get(self.source_kind, self.source_kind)


@dataclass(frozen=True, slots=True)
class OwedTotal:
    """What one payee is owed in one currency: still open, and already on its way."""

    payee_id: UUID
    count: int
    due_on: date
    open: Money
    on_its_way: Money


def owed_from(row: Payable) -> Owed:
    """Return the frozen form of a row."""
    return Owed(
        id=row.id,
        coop_id=row.coop_id,
        payee_id=row.payee_id,
        money=Money(row.amount_minor, row.currency),
        kind=row.kind,
        due_on=row.due_on,
        source_kind=row.source_kind,
        source_id=row.source_id,
        state=row.state,
    )


def taken_by(run_id: UUID) -> Select[*tuple[Any, ...]]:
    """Return the SELECT of what a run has taken, a row per payee and currency: sum, ids and amounts of the payables."""
    return _per_payee(Payable.taken_by == run_id, Payable.state == "taken")


def due_by(coop_id: UUID, day: date) -> Select[*tuple[Any, ...]]:
    """Return the SELECT of what a run of everything due by a day would take; see `taken_by`."""
    return _per_payee(Payable.coop_id == coop_id, OPEN, Payable.due_on <= day)


def owed(coop_id: UUID, day: date) -> Select[*tuple[Any, ...]]:
    """Return the SELECT of what is in no run, by payee and currency: the earliest day, and what of it was due before `day`."""
    late = Payable.due_on < day
    return (
        select(
            Payable.payee_id,
            Payable.currency,
            func.min(Payable.due_on).label("due_on"),
            func.count().filter(late).label("late"),
            func.sum(Payable.amount_minor).filter(late).label("late_minor"),
        )
        .where(Payable.coop_id == coop_id, OPEN)
        .group_by(Payable.payee_id, Payable.currency)
    )


def _per_payee(*where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Payable.payee_id,
            Payable.currency,
            cast(func.sum(Payable.amount_minor), BigInteger).label("gross_minor"),
            func.array_agg(aggregate_order_by(Payable.id, Payable.id)).label("payable_ids"),
            func.array_agg(aggregate_order_by(Payable.amount_minor, Payable.id)).label("payable_minors"),
        )
        .where(*where)
        .group_by(Payable.payee_id, Payable.currency)
    )


def open_payables(session: Session, coop_id: UUID, currency: str | None = None) -> list[Owed]:
    """Return what the co-op owes and no run has taken, earliest due first."""
    statement = select(Payable).where(Payable.coop_id == coop_id, OPEN)
    if currency is not None:
        statement = statement.where(Payable.currency == currency)
    return [owed_from(row) for row in session.execute(statement.order_by(Payable.due_on, Payable.id)).scalars()]


def totals_by_payee(session: Session, coop_id: UUID) -> list[OwedTotal]:
    """Return what each payee is owed per currency, largest open amount first."""
    return _totals(session, Payable.coop_id == coop_id)


def owed_to(session: Session, producer_id: UUID) -> list[OwedTotal]:
    """Return what one producer is owed, one row per currency."""
    return _totals(session, Payable.payee_id == producer_id)


def payables_of(session: Session, producer_id: UUID, *, limit: int = 100) -> list[Owed]:
    """Return a producer's own payables, newest first, history included."""
    statement = (
        select(Payable)
        .where(Payable.payee_id == producer_id, Payable.state != "split")
        .order_by(Payable.raised_at.desc(), Payable.id.desc())
        .limit(limit)
    )
    return [owed_from(row) for row in session.execute(statement).scalars()]


def open_for(session: Session, *, source_id: UUID) -> list[Owed]:
    """Return what is open of what one source owes, earliest due first."""
    statement = (
        select(Payable).where(Payable.source_id == source_id, Payable.state == "open").order_by(Payable.due_on, Payable.id)
    )
    return [owed_from(row) for row in session.scalars(statement)]


def by_ids(session: Session, payable_ids: Sequence[UUID]) -> list[Owed]:
    """Return payables by id, earliest due first."""
    statement = select(Payable).where(Payable.id.in_(payable_ids)).order_by(Payable.due_on, Payable.id)
    return [owed_from(row) for row in session.execute(statement).scalars()]


def netted_beside(paid: Select[*tuple[Any, ...]], but_not: Select[*tuple[Any, ...]], takers: Select[*tuple[Any, ...]]) -> Any:
    """Return the SELECT of what `takers` netted of the sources of the payables `paid`: payee, currency, source, taker, amount.

    Sources that owe any payable of `but_not` are left out; all three are SELECTs of ids.
    """
    row, own, other = aliased(Payable), aliased(Payable), aliased(Payable)

    def same(one: type[Payable]) -> ColumnElement[bool]:
        return and_(*(getattr(one, name) == getattr(row, name) for name in ("coop_id", "source_kind", "source_id", "kind")))

    return select(row.payee_id, row.currency, row.source_id, row.taken_by, row.amount_minor).where(
        row.state == "netted",
        row.taken_by.in_(takers),
        exists().where(same(own), own.id.in_(paid)),
        ~exists().where(same(other), other.id.in_(but_not)),
    )


def overdue(session: Session, *, on: date, coop_id: UUID | None = None) -> list[tuple[UUID, str, int, int, date]]:
    """Return co-op, currency, count, sum and earliest day of payables due before `on` that nobody is paying (law 5)."""
    mine = () if coop_id is None else (Payable.coop_id == coop_id,)
    statement = (
        select(
            Payable.coop_id,
            Payable.currency,
            func.count(),
            func.sum(Payable.amount_minor),
            func.min(Payable.due_on),
        )
        .where(*mine, Payable.state.in_(("open", "taken")), Payable.due_on < on)
        .group_by(Payable.coop_id, Payable.currency)
        .order_by(Payable.coop_id, Payable.currency)
    )
    return [(coop, currency, int(count), int(minor), day) for coop, currency, count, minor, day in session.execute(statement)]


def unscheduled_by_payee(session: Session, coop_id: UUID) -> dict[tuple[UUID, str], int]:
    """Return the sums that must equal the ledger's `payable:<payee>` balances (money.md 1.6)."""
    statement = (
        select(Payable.payee_id, Payable.currency, func.sum(Payable.amount_minor))
        .where(Payable.coop_id == coop_id, Payable.state.in_(("open", "taken")))
        .group_by(Payable.payee_id, Payable.currency)
    )
    return {(payee, currency): int(minor) for payee, currency, minor in session.execute(statement)}


def held_by_payee(session: Session, coop_id: UUID) -> dict[tuple[UUID, str], int]:
    """Return the sums that must equal the ledger's `payable_on_hold:<payee>` balances."""
    statement = (
        select(Payable.payee_id, Payable.currency, func.sum(Payable.amount_minor))
        .where(Payable.coop_id == coop_id, Payable.state == "held")
        .group_by(Payable.payee_id, Payable.currency)
    )
    return {(payee, currency): int(minor) for payee, currency, minor in session.execute(statement)}


def _totals(session: Session, *where: object) -> list[OwedTotal]:
    open_sum = func.coalesce(func.sum(case((Payable.state == "open", Payable.amount_minor))), 0)
    way_sum = func.coalesce(func.sum(case((Payable.state != "open", Payable.amount_minor))), 0)
    statement = (
        select(Payable.payee_id, Payable.currency, func.count(), func.min(Payable.due_on), open_sum, way_sum)
        .where(*where, Payable.state.in_(LIVE))  # type: ignore[arg-type]
        .group_by(Payable.payee_id, Payable.currency)
        .order_by(open_sum.desc(), Payable.payee_id)
    )
    return [
        OwedTotal(payee, int(count), day, Money(int(open_minor), currency), Money(int(way_minor), currency))
        for payee, currency, count, day, open_minor, way_minor in session.execute(statement)
    ]
