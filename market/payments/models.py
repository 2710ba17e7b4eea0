"""Tables of payments, their parts per seller, refunds, bank transfers in, and the processor's statement."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, Id, Instant, Minor
from market.payments.rules import LIVE

_ZERO = text("0")
_LIVE = ", ".join(f"'{state}'" for state in sorted(LIVE))


class Payment(Base):
    """One attempt to be paid for one thing. Several co-ops may be paid by it, so it belongs to none."""

    __tablename__ = "payment"

    id: Mapped[Id]
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    method: Mapped[str]
    state: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    received_minor: Mapped[Minor] = mapped_column(server_default=_ZERO)
    refunded_minor: Mapped[Minor] = mapped_column(server_default=_ZERO)
    title: Mapped[str]
    payer_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    email: Mapped[str | None]
    idem_key: Mapped[str]
    first_sent_at: Mapped[datetime | None]
    checkout_id: Mapped[str | None]
    checkout_url: Mapped[str | None]
    intent_id: Mapped[str | None]
    charge_id: Mapped[str | None]
    problem: Mapped[str | None]
    opened_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    asked_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("number"),
        UniqueConstraint("idem_key"),
        UniqueConstraint("checkout_id"),
        UniqueConstraint("intent_id"),
        CheckConstraint("method IN ('card', 'transfer')", name="method"),
        CheckConstraint(
            "state IN ('created', 'requires_action', 'processing', 'authorised', 'awaiting_transfer', 'part_paid', 'succeeded', "
            "'failed', 'expired', 'cancelled', 'surplus')",
            name="state",
        ),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("received_minor >= 0 AND refunded_minor BETWEEN 0 AND received_minor", name="refunds"),
        CheckConstraint("(state IN ('succeeded', 'surplus')) = (paid_at IS NOT NULL)", name="paid"),
        CheckConstraint("number < 1000000000", name="number"),
        Index("payment_one_live", "subject_kind", "subject_id", unique=True, postgresql_where=text(f"state IN ({_LIVE})")),
        Index("payment_subject", "subject_kind", "subject_id"),
        Index(
            "payment_open",
            "expires_at",
            postgresql_where=text("state IN ('created', 'requires_action', 'processing', 'awaiting_transfer', 'part_paid')"),
        ),
        Index("payment_unacknowledged", "paid_at", postgresql_where=text("paid_at IS NOT NULL AND acknowledged_at IS NULL")),
    )


class CardAuthorisation(Base):
    """Money kept on a card until the goods are packed: then less or all of it is taken, once, and the rest let go.

    A row is written before the card page is opened for the first time, so that the page stays the same in every repeat.
    `capture_before` is when the card company lets go of it by itself. A decision never changes (a trigger).
    """

    __tablename__ = "card_authorisation"

    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"), primary_key=True)
    amount_minor: Mapped[Minor]
    capture_before: Mapped[datetime | None]
    decision: Mapped[str | None]
    captured_minor: Mapped[int | None] = mapped_column(BigInteger)
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    next_try_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("decision IN ('capture', 'release')", name="decision"),
        CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL) AND (decision IS NULL) = (decided_by IS NULL)", name="decided"
        ),
        CheckConstraint("captured_minor BETWEEN 1 AND amount_minor", name="captured"),
        CheckConstraint("coalesce(decision = 'capture', false) = (captured_minor IS NOT NULL)", name="capture"),
        Index("card_authorisation_to_settle", "next_try_at", postgresql_where=text("next_try_at IS NOT NULL")),
        Index("card_authorisation_running_out", "capture_before", postgresql_where=text("decision IS NULL")),
    )


class PaymentPartRow(CoopOwned, Base):
    """What one seller order is paid, by component, and how much of each was given back: never more than was paid.

    `written_off_minor` is the part of the charges that nobody paid (E06), so nobody gets it back.
    """

    __tablename__ = "payment_part"

    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"), primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(CHAR(3))
    goods_minor: Mapped[Minor]
    premium_minor: Mapped[Minor]
    charges_minor: Mapped[Minor]
    tax_minor: Mapped[Minor]
    refunded_goods_minor: Mapped[Minor] = mapped_column(server_default=_ZERO)
    refunded_premium_minor: Mapped[Minor] = mapped_column(server_default=_ZERO)
    refunded_charges_minor: Mapped[Minor] = mapped_column(server_default=_ZERO)
    refunded_tax_minor: Mapped[Minor] = mapped_column(server_default=_ZERO)
    written_off_minor: Mapped[Minor] = mapped_column(server_default=_ZERO)

    __table_args__ = (
        CheckConstraint("goods_minor + premium_minor + charges_minor + tax_minor > 0", name="total"),
        CheckConstraint("refunded_goods_minor BETWEEN 0 AND goods_minor", name="refunded_goods"),
        CheckConstraint("refunded_premium_minor BETWEEN 0 AND premium_minor", name="refunded_premium"),
        CheckConstraint("refunded_charges_minor >= 0 AND written_off_minor >= 0", name="refunded"),
        CheckConstraint("refunded_charges_minor + written_off_minor <= charges_minor", name="refunded_charges"),
        CheckConstraint("refunded_tax_minor BETWEEN 0 AND tax_minor", name="refunded_tax"),
        Index("payment_part_subject", "subject_id"),
    )


class Refund(CoopOwned, Base):
    """Money to give back, decided once. A trigger counts it on the part and the payment, whose CHECKs refuse too much.

    `kind`: `part` by component of a seller order; `surplus` of money that nothing wanted; `elsewhere`, made in the
    processor's dashboard and found there; `untaken`, what somebody did not take there of an authorisation, so that it counts on
    the part alone: the payment never brought it. Amounts never change; a row is never deleted. `times_taken_back` counts how
    often a debit that had paid it turned out to be something else: each time is another fact to be told.
    """

    __tablename__ = "refund"

    id: Mapped[Id]
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"))
    subject_id: Mapped[UUID]
    kind: Mapped[str]
    method: Mapped[str]
    state: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    goods_minor: Mapped[Minor] = mapped_column(server_default=_ZERO)
    premium_minor: Mapped[Minor] = mapped_column(server_default=_ZERO)
    charges_minor: Mapped[Minor] = mapped_column(server_default=_ZERO)
    tax_minor: Mapped[Minor] = mapped_column(server_default=_ZERO)
    reason: Mapped[str]
    bearer: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[Instant]
    idem_key: Mapped[str]
    first_sent_at: Mapped[datetime | None]
    next_try_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)
    provider_ref: Mapped[str | None]
    problem: Mapped[str | None]
    paid_at: Mapped[datetime | None]
    times_taken_back: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)

    __table_args__ = (
        UniqueConstraint("number"),
        UniqueConstraint("idem_key"),
        UniqueConstraint("provider_ref"),
        CheckConstraint("kind IN ('part', 'surplus', 'elsewhere', 'untaken')", name="kind"),
        CheckConstraint("method IN ('card', 'transfer')", name="method"),
        CheckConstraint("state IN ('decided', 'unsure', 'pending', 'paid', 'failed', 'needs_person')", name="state"),
        CheckConstraint("bearer IN ('coop', 'producer', 'carrier')", name="bearer"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("goods_minor >= 0 AND premium_minor >= 0 AND charges_minor >= 0 AND tax_minor >= 0", name="components"),
        CheckConstraint("kind = 'surplus' OR amount_minor = goods_minor + premium_minor + charges_minor + tax_minor", name="sum"),
        CheckConstraint("number < 1000000000", name="number"),
        Index("refund_payment", "payment_id"),
        Index("refund_newest", "coop_id", "number"),
        Index("refund_to_send", "next_try_at", postgresql_where=text("state IN ('decided', 'unsure', 'pending')")),
    )


class TransferReceipt(CoopOwned, Base):
    """One statement line that brought money for a payment, whose state `was` before and `became`.

    Undone when its match was undone.
    """

    __tablename__ = "transfer_receipt"

    id: Mapped[Id]
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"), index=True)
    line_subject: Mapped[UUID]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    booked_on: Mapped[date]
    was: Mapped[str | None]
    became: Mapped[str]
    received_at: Mapped[Instant]
    undone_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("transfer_receipt_line", "line_subject", unique=True, postgresql_where=text("undone_at IS NULL")),
    )


class ProcessorLine(Base):
    """One line of the card processor's statement, kept by its id; gross - fee = net.

    `explained_as` is the account that a person named, `explained` how often one did: what was taken back counts on.
    """

    __tablename__ = "processor_line"

    id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[UUID]
    kind: Mapped[str]
    source: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    gross_minor: Mapped[Minor]
    fee_minor: Mapped[Minor]
    net_minor: Mapped[Minor]
    booked_at: Mapped[Instant]
    payment_id: Mapped[str | None]
    refund_id: Mapped[str | None]
    payout_id: Mapped[str | None]
    bank_payout: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default=text("'new'"))
    problem: Mapped[str | None]
    explained_as: Mapped[str | None]
    explained: Mapped[int] = mapped_column(SmallInteger, server_default=_ZERO)

    __table_args__ = (
        UniqueConstraint("subject"),
        CheckConstraint("explained_as IS NULL OR (state = 'matched' AND explained > 0)", name="explained"),
        CheckConstraint("net_minor = gross_minor - fee_minor", name="net"),
        CheckConstraint("state IN ('new', 'matched', 'unknown')", name="state"),
        Index("processor_line_waiting", "booked_at", postgresql_where=text("state <> 'matched'")),
        Index("processor_line_source", "source"),
    )


class ProcessorShare(CoopOwned, Base):
    """The part of one co-op's books in a line: the shares of a line add up to it (E54)."""

    __tablename__ = "processor_share"

    line_id: Mapped[str] = mapped_column(primary_key=True)
    coop_id: Mapped[UUID] = mapped_column(ForeignKey("coop.id"), primary_key=True)
    gross_minor: Mapped[Minor]
    fee_minor: Mapped[Minor]

    __table_args__ = (ForeignKeyConstraint(["line_id"], ["processor_line.id"]),)


class Dispute(Base):
    """A buyer's objection to a card payment, as far as it has come; several co-ops may have a share in the payment."""

    __tablename__ = "payment_dispute"

    id: Mapped[Id]
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"), index=True)
    provider_ref: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    evidence_due_at: Mapped[datetime | None]
    opened_at: Mapped[Instant]
    closed_at: Mapped[datetime | None]
    evidence: Mapped[str | None]
    submitted_by: Mapped[str | None]
    submitted_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("provider_ref"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("(state IN ('warning_closed', 'won', 'lost', 'prevented')) = (closed_at IS NOT NULL)", name="closed"),
        CheckConstraint(
            "(submitted_at IS NULL) = (evidence IS NULL) AND (submitted_at IS NULL) = (submitted_by IS NULL)", name="submitted"
        ),
    )
