"""Tables of payouts (money.md 6.1). The database itself holds: four eyes, one live payout per payable, unique keys."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, Id, Instant, Json, Minor

PAYOUT_NUMBERS = Sequence("payout_number", metadata=Base.metadata)
RUN_NUMBERS = Sequence("payout_run_number", metadata=Base.metadata)
STATES = (
    "draft", "approved", "queued", "sending", "sent", "unknown", "needs_person", "settled", "failed", "cancelled", "returned",
)  # fmt: skip


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


class PayoutRun(CoopOwned, Base):
    """A list of payouts that one person prepared and another approves; `list_sha256` is what was approved."""

    __tablename__ = "payout_run"

    id: Mapped[Id]
    number: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(server_default=text("'draft'"))
    due_by: Mapped[date]
    execute_on: Mapped[date]
    totals: Mapped[Json]
    skipped: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    list_sha256: Mapped[str]
    prepared_by: Mapped[str]
    prepared_at: Mapped[Instant]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    checked_by: Mapped[str | None]
    checked_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("number"),
        UniqueConstraint("id", "coop_id"),
        CheckConstraint(_one_of("state", ("draft", "approved", "cancelled")), name="state"),
        CheckConstraint("approved_by <> prepared_by AND approved_by <> checked_by", name="four_eyes"),
        CheckConstraint("(checked_by IS NULL) = (checked_at IS NULL)", name="checked"),
        CheckConstraint(
            "state <> 'approved' OR checked_by IS NOT NULL OR NOT starts_with(prepared_by, 'system:')", name="checked_first"
        ),
        CheckConstraint("(state = 'approved') = (approved_by IS NOT NULL AND approved_at IS NOT NULL)", name="approved"),
        CheckConstraint("list_sha256 ~ '^[0-9a-f]{64}$'", name="list_sha256"),
        Index("payout_run_newest", "coop_id", "number"),
    )

    @property
    def drafted_by_clock(self) -> bool:
        """Whether a rhythm drafted it, so that a person has still to check it."""
        return self.prepared_by.startswith("system:")


class PayoutSetting(CoopOwned, Base):
    """How a co-op pays out (rules.schedule). `drafted_on` is the last day on which the clock looked after its rhythm."""

    __tablename__ = "payout_setting"

    coop_id: Mapped[UUID] = mapped_column(ForeignKey("coop.id"), primary_key=True)
    rhythm: Mapped[str]
    weekday: Mapped[int] = mapped_column(SmallInteger)
    day_of_month: Mapped[int] = mapped_column(SmallInteger)
    minimum_minor: Mapped[Minor]
    file_format: Mapped[str]
    batch_booking: Mapped[bool]
    purpose: Mapped[str]
    cheque_stale_days: Mapped[int] = mapped_column(SmallInteger)
    drafted_on: Mapped[date | None]

    __table_args__ = (
        CheckConstraint(_one_of("rhythm", ("on_demand", "weekly", "monthly")), name="rhythm"),
        CheckConstraint("weekday BETWEEN 0 AND 6 AND day_of_month BETWEEN 1 AND 31", name="days"),
        CheckConstraint("minimum_minor >= 0", name="minimum"),
        CheckConstraint(_one_of("file_format", ("pain.001.001.09", "pain.001.001.03")), name="file_format"),
        CheckConstraint("purpose ~ '^([A-Z]{4})?$'", name="purpose"),
    )


class PayoutFile(CoopOwned, Base):
    """A bank file as it was written, once per run and currency: downloading again gives these bytes."""

    __tablename__ = "payout_file"

    id: Mapped[Id]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("payout_run.id"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    message_id: Mapped[str]
    count: Mapped[int]
    total_minor: Mapped[Minor]
    sha256: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    written_at: Mapped[Instant]
    submitted_by: Mapped[str | None]
    submitted_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("run_id", "currency"),
        UniqueConstraint("message_id"),
        CheckConstraint("sha256 = encode(sha256(body), 'hex')", name="sha256"),
        CheckConstraint("(submitted_by IS NULL) = (submitted_at IS NULL)", name="submitted"),
    )


class Payout(CoopOwned, Base):
    """Money for one payee over one rail. `wake_at` is when a worker may take it (again), to send or to ask; null: none may.

    The key for the rail follows from the id, so that no payout can ever have another's; so does the UETR (rules.pain001).
    `times_returned` counts how often a statement or a receipt brought it back, `times_unsettled` how often the match that had
    settled it was undone: each time is another fact to be told.
    `earlier_reason` is the `reason` that stood there before, for when it did not come back after all.
    """

    __tablename__ = "payout"

    id: Mapped[Id]
    coop_id: Mapped[UUID] = mapped_column()
    run_id: Mapped[UUID]
    number: Mapped[int] = mapped_column(BigInteger)
    payee_id: Mapped[UUID] = mapped_column(ForeignKey("producer.id"))
    rail: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    gross_minor: Mapped[Minor]
    deducted_minor: Mapped[Minor] = mapped_column(server_default=text("0"))
    amount_minor: Mapped[Minor]
    source_account: Mapped[str]
    details: Mapped[Json]
    reference: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'draft'"))
    lease_token: Mapped[UUID | None]
    wake_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    first_sent_at: Mapped[datetime | None]
    provider_ref: Mapped[str | None]
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("payout_file.id"))
    reason: Mapped[str | None]
    earlier_reason: Mapped[str | None]
    times_returned: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    times_unsettled: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    settled_on: Mapped[date | None]
    changed_at: Mapped[Instant]

    __table_args__ = (
        ForeignKeyConstraint(["run_id", "coop_id"], ["payout_run.id", "payout_run.coop_id"]),
        UniqueConstraint("number"),
        UniqueConstraint("reference"),
        CheckConstraint(_one_of("state", STATES), name="state"),
        CheckConstraint(_one_of("rail", ("sepa", "stripe", "momo", "cash", "cheque")), name="rail"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint(
            "amount_minor > 0 AND deducted_minor >= 0 AND gross_minor = amount_minor + deducted_minor", name="amounts"
        ),
        CheckConstraint("(state = 'settled') <= (settled_on IS NOT NULL)", name="settled"),
        CheckConstraint("lease_token IS NULL OR state = 'sending'", name="lease"),
        Index("payout_provider_ref", "rail", "provider_ref", unique=True, postgresql_where=text("provider_ref IS NOT NULL")),
        Index(
            "payout_ended",
            "coop_id",
            "state",
            postgresql_where=text("state IN ('settled', 'failed', 'cancelled', 'returned')"),
        ),
        Index("payout_wake", "wake_at", "id", postgresql_where=text("wake_at IS NOT NULL")),
        Index("payout_of_run", "run_id", "number"),
        Index("payout_of_payee", "payee_id", "number"),
        Index(
            "payout_in_transit",
            "coop_id",
            "currency",
            postgresql_where=text("state IN ('queued', 'sending', 'sent', 'unknown', 'needs_person')"),
        ),
    )

    @property
    def idem_key(self) -> str:
        """Return the key that the rail knows this payout by."""
        return f"po-{self.id}-v1"


class PayoutItem(CoopOwned, Base):
    """A payable inside a payout. Not released = live, and a payable has one live item at most: nobody is paid twice.

    The trigger `belongs` looks up payout and payable, which are never deleted, once for all items of a statement. What was
    released stays so, unless its payout is paid: then it did not come back after all.
    """

    __tablename__ = "payout_item"

    coop_id: Mapped[UUID] = mapped_column()
    payout_id: Mapped[UUID]
    payable_id: Mapped[UUID]
    amount_minor: Mapped[Minor]
    released_at: Mapped[datetime | None]

    __table_args__ = (
        PrimaryKeyConstraint("payout_id", "payable_id"),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("payout_item_live", "payable_id", unique=True, postgresql_where=text("released_at IS NULL")),
    )


class PayoutAttempt(CoopOwned, Base):
    """One call of a rail, written before the call; its outcome is added once and nothing else ever changes (trigger)."""

    __tablename__ = "payout_attempt"

    payout_id: Mapped[UUID] = mapped_column(ForeignKey("payout.id"))
    n: Mapped[int] = mapped_column(SmallInteger)
    action: Mapped[str]
    key: Mapped[str]
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    started_at: Mapped[Instant]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]

    __table_args__ = (
        PrimaryKeyConstraint("payout_id", "n"),
        CheckConstraint("action IN ('send', 'ask')", name="action"),
        CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="ended"),
    )


class CashBag(CoopOwned, Base):
    """Cash that an officer takes along for a run; counted once, when issued = paid + returned + missing."""

    __tablename__ = "cash_bag"

    id: Mapped[Id]
    number: Mapped[int]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("payout_run.id"), index=True)
    officer: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    issued_minor: Mapped[Minor]
    issued_on: Mapped[date]
    issued_by: Mapped[str]
    issued_at: Mapped[Instant]
    returned_minor: Mapped[int | None] = mapped_column(BigInteger)
    missing_minor: Mapped[int | None] = mapped_column(BigInteger)
    returned_on: Mapped[date | None]
    closed_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    explanation: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("coop_id", "number"),
        CheckConstraint("issued_minor > 0 AND returned_minor >= 0 AND missing_minor >= 0", name="amounts"),
        CheckConstraint("num_nulls(returned_minor, missing_minor, returned_on, closed_by, closed_at) IN (0, 5)", name="closed"),
        CheckConstraint("missing_minor = 0 OR explanation <> ''", name="explained"),
    )


class Cheque(CoopOwned, Base):
    """The cheque of a payout. Cashed is what a statement shows, so it stands on the payout."""

    __tablename__ = "cheque"

    payout_id: Mapped[UUID] = mapped_column(ForeignKey("payout.id"), primary_key=True)
    number: Mapped[str]
    issued_on: Mapped[date]
    issued_by: Mapped[str]
    issued_at: Mapped[Instant]
    voided_by: Mapped[str | None]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("coop_id", "number"),
        CheckConstraint("num_nulls(voided_by, voided_at, void_reason) IN (0, 3) AND voided_by <> issued_by", name="voided"),
    )


class CashReceipt(CoopOwned, Base):
    """The signed paper that proves a cash payout."""

    __tablename__ = "cash_receipt"

    id: Mapped[Id]
    payout_id: Mapped[UUID] = mapped_column(ForeignKey("payout.id"))
    number: Mapped[str]
    paid_on: Mapped[date]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    cashier: Mapped[str]
    taken_by: Mapped[str]
    signed: Mapped[str]
    witness: Mapped[str | None]
    mandate: Mapped[str | None]
    bag_id: Mapped[UUID | None] = mapped_column(ForeignKey("cash_bag.id"), index=True)
    recorded_by: Mapped[str]
    recorded_at: Mapped[Instant]

    __table_args__ = (
        UniqueConstraint("payout_id"),
        UniqueConstraint("coop_id", "number"),
        CheckConstraint("signed IN ('signature', 'thumb')", name="signed"),
        CheckConstraint("signed <> 'thumb' OR witness IS NOT NULL", name="witness"),
        CheckConstraint("amount_minor > 0", name="amount"),
    )


class PayoutStatement(CoopOwned, Base):
    """The payee's statement as it was printed the first time; never printed anew (money.md 9)."""

    __tablename__ = "payout_statement"

    payout_id: Mapped[UUID] = mapped_column(ForeignKey("payout.id"), primary_key=True)
    language: Mapped[str]
    sha256: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    printed_at: Mapped[Instant]

    __table_args__ = (CheckConstraint("sha256 = encode(sha256(body), 'hex')", name="sha256"),)


class PayoutStop(CoopOwned, Base):
    """Nothing is approved or sent for a co-op: a rail or bank shows a payout that our tables do not know.

    So they were restored from a backup, or somebody pays beside them. A person compares, and lifts it with what they found.
    """

    __tablename__ = "payout_stop"

    id: Mapped[Id]
    found_in: Mapped[str]
    evidence: Mapped[str]
    found_at: Mapped[Instant]
    lifted_by: Mapped[str | None]
    lifted_why: Mapped[str | None]
    lifted_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            "(lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lifted_why IS NULL)", name="lifted"
        ),
        UniqueConstraint("coop_id", "evidence"),
        Index("payout_stop_open", "coop_id", postgresql_where=text("lifted_at IS NULL")),
    )


class TransferReversal(CoopOwned, Base):
    """A part of a card transfer that the co-op asks back, because the payee owes it (E22); the processor's statement books it.

    `asked` until the processor has answered; a question without an answer is asked again under the same key, and `unsure` when
    nobody knows after that key is too old to be sent.
    """

    __tablename__ = "transfer_reversal"

    id: Mapped[Id]
    payout_id: Mapped[UUID] = mapped_column(ForeignKey("payout.id"), index=True)
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'asked'"))
    answer: Mapped[str | None]
    asked_by: Mapped[str]
    asked_at: Mapped[Instant]

    __table_args__ = (
        CheckConstraint("state IN ('asked', 'accepted', 'refused', 'unsure')", name="state"),
        CheckConstraint("amount_minor > 0 AND length(reason) >= 3", name="asked"),
        Index("transfer_reversal_waiting", "asked_at", postgresql_where=text("state = 'asked'")),
    )
