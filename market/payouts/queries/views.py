"""What the reads of runs and payouts answer: frozen forms, made from rows in one place."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from market.kernel.money import Money
from market.payouts.models import Payout, PayoutRun
from market.payouts.rules.numbers import payout_number, run_number


@dataclass(frozen=True, slots=True)
class Total:
    """Count and sum of one rail and currency."""

    rail: str
    count: int
    money: Money


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A payee who was left out of a run, and why."""

    payee_id: UUID
    money: Money
    reason: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """A payout run."""

    id: UUID
    coop_id: UUID
    number: str
    state: str
    due_by: date
    execute_on: date
    totals: tuple[Total, ...]
    skipped: tuple[SkippedRow, ...]
    list_sha256: str
    prepared_by: str
    prepared_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    checked_by: str | None
    drafted_by_clock: bool


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """A payout as staff and its payee see it; `reference` is what the bank will show."""

    id: UUID
    coop_id: UUID
    run_id: UUID
    number: str
    payee_id: UUID
    holder: str
    rail: str
    gross: Money
    deducted: Money
    money: Money
    reference: str
    state: str
    attempts: int
    provider_ref: str | None
    file_id: UUID | None
    reason: str | None
    times_returned: int
    times_unsettled: int
    settled_on: date | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class FileRow:
    """A bank file without its bytes."""

    id: UUID
    run_id: UUID
    message_id: str
    count: int
    money: Money
    sha256: str
    written_at: datetime
    submitted_by: str | None
    submitted_at: datetime | None

    @property
    def name(self) -> str:
        """The name under which it is downloaded."""
        return f"{self.message_id}.xml"


@dataclass(frozen=True, slots=True)
class InTransit:
    """A payout that a statement may still show: what matching compares (money.md 8.1). `iban`: or the wallet's digits."""

    payout_id: UUID
    number: str
    payee_id: UUID
    rail: str
    money: Money
    reference: str
    holder: str
    iban: str
    provider_ref: str | None
    state: str
    message_id: str | None
    sent_on: date | None
    cheque: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One call of a rail."""

    n: int
    action: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that waits longer than it may: `kind` is a word, `count` how many, `since` the oldest."""

    kind: str
    count: int
    since: datetime


def run_from(row: PayoutRun) -> RunRow:
    """Return the frozen form of a run."""
    return RunRow(
        id=row.id,
        coop_id=row.coop_id,
        number=run_number(row.number),
        state=row.state,
        due_by=row.due_by,
        execute_on=row.execute_on,
        totals=tuple(
            Total(rail, count, Money(minor, currency))
            for rail, currencies in sorted(row.totals.items())
            for currency, (count, minor) in sorted(currencies.items())
        ),
        skipped=tuple(
            SkippedRow(UUID(one["payee_id"]), Money(one["amount_minor"], one["currency"]), one["reason"]) for one in row.skipped
        ),
        list_sha256=row.list_sha256,
        prepared_by=row.prepared_by,
        prepared_at=row.prepared_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        checked_by=row.checked_by,
        drafted_by_clock=row.drafted_by_clock,
    )


def payout_from(row: Payout) -> PayoutRow:
    """Return the frozen form of a payout."""
    return PayoutRow(
        id=row.id,
        coop_id=row.coop_id,
        run_id=row.run_id,
        number=payout_number(row.number),
        payee_id=row.payee_id,
        holder=row.details["holder"],
        rail=row.rail,
        gross=Money(row.gross_minor, row.currency),
        deducted=Money(row.deducted_minor, row.currency),
        money=Money(row.amount_minor, row.currency),
        reference=row.reference,
        state=row.state,
        attempts=row.attempts,
        provider_ref=row.provider_ref,
        file_id=row.file_id,
        reason=row.reason,
        times_returned=row.times_returned,
        times_unsettled=row.times_unsettled,
        settled_on=row.settled_on,
        changed_at=row.changed_at,
    )
