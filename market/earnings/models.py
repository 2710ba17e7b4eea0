"""Tables of earnings. What two persons must see is two columns that may not be equal."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, Numeric, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, FourEyes, Id, Instant, Minor, Percent, Quantity, UnitPrice, four_eyes


class Delivery(CoopOwned, Base):
    """A weigh slip: `(unit_price - deduction) * (gross - tare - rejected) = amount`, never priced anew once settled."""

    __tablename__ = "weigh_slip"

    id: Mapped[Id]
    producer_id: Mapped[UUID] = mapped_column(ForeignKey("producer.id"))
    slip: Mapped[str]
    delivered_on: Mapped[date]
    pool: Mapped[str]
    gross: Mapped[Quantity]
    tare: Mapped[Quantity]
    rejected: Mapped[Quantity]
    unit: Mapped[str]
    unit_price: Mapped[UnitPrice]
    deduction: Mapped[UnitPrice]
    floor_price: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    entered_by: Mapped[str]
    entered_at: Mapped[Instant]

    __table_args__ = (
        UniqueConstraint("coop_id", "slip"),
        CheckConstraint("tare >= 0 AND rejected >= 0 AND gross > tare + rejected", name="weights"),
        CheckConstraint("deduction >= 0 AND unit_price > deduction", name="price"),
        CheckConstraint("floor_price > 0 AND unit_price - deduction >= floor_price", name="floor"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("pool ~ '^[A-Za-z0-9_-]{1,40}$'", name="pool"),
        Index("weigh_slip_producer", "producer_id", "delivered_on"),
    )


class Advance(CoopOwned, FourEyes, Base):
    """Money ahead of the harvest: proposed by one person, granted by another, recovered from later payments."""

    __tablename__ = "advance"

    id: Mapped[Id]
    producer_id: Mapped[UUID] = mapped_column(ForeignKey("producer.id"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    recovered_minor: Mapped[Minor] = mapped_column(server_default=text("0"))
    priority: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    cap_percent: Mapped[Percent]
    reason: Mapped[str]

    __table_args__ = (
        *four_eyes("granted", "recovered", "declined"),
        CheckConstraint("amount_minor > 0 AND recovered_minor BETWEEN 0 AND amount_minor", name="amount"),
        CheckConstraint("(state = 'recovered') = (recovered_minor = amount_minor)", name="recovered"),
        CheckConstraint("cap_percent BETWEEN 0 AND 100", name="cap"),
        CheckConstraint("priority BETWEEN 1 AND 9", name="priority"),
        Index("advance_open", "producer_id", "priority", postgresql_where=text("state = 'granted'")),
    )


class AdvanceRecovery(CoopOwned, Base):
    """What one payment gave back of one advance; a payment is asked once."""

    __tablename__ = "advance_recovery"

    id: Mapped[Id]
    advance_id: Mapped[UUID] = mapped_column(ForeignKey("advance.id"))
    payable_id: Mapped[UUID] = mapped_column(ForeignKey("payable.id"))
    amount_minor: Mapped[Minor]
    recovered_on: Mapped[date]

    __table_args__ = (UniqueConstraint("advance_id", "payable_id"), CheckConstraint("amount_minor > 0", name="amount"))


class PayableHold(CoopOwned, Base):
    """Part of what a member is owed, not paid for now: how much, why, until when, by whom, and how to appeal (law 5)."""

    __tablename__ = "payable_hold"

    id: Mapped[Id]
    producer_id: Mapped[UUID] = mapped_column(ForeignKey("producer.id"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    reason: Mapped[str]
    appeal: Mapped[str]
    ends_on: Mapped[date]
    source_kind: Mapped[str]
    source_id: Mapped[UUID]
    set_by: Mapped[str]
    set_at: Mapped[Instant]
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("coop_id", "source_kind", "source_id", "producer_id"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("length(reason) >= 3 AND length(appeal) >= 3", name="words"),
        CheckConstraint("(ended_by IS NULL) = (ended_at IS NULL)", name="ended"),
        Index("payable_hold_open", "ends_on", postgresql_where=text("ended_at IS NULL")),
    )


class PayableCorrection(CoopOwned, FourEyes, Base):
    """More or less owed than was counted, with a reason and a second person."""

    __tablename__ = "payable_correction"

    id: Mapped[Id]
    producer_id: Mapped[UUID] = mapped_column(ForeignKey("producer.id"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    reason: Mapped[str]

    __table_args__ = (
        *four_eyes("booked", "declined"),
        CheckConstraint("amount_minor <> 0", name="amount"),
        CheckConstraint("length(reason) >= 3", name="reason"),
    )


class Distribution(CoopOwned, FourEyes, Base):
    """A second payment of a season or a patronage refund: declared with minutes by one person, booked by another."""

    __tablename__ = "distribution"

    id: Mapped[Id]
    kind: Mapped[str]
    pool: Mapped[str]
    name: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    cash_percent: Mapped[Percent]
    minutes: Mapped[str]

    __table_args__ = (
        UniqueConstraint("coop_id", "kind", "name"),
        CheckConstraint("kind IN ('second_payment', 'patronage')", name="kind"),
        *four_eyes("booked", "declined"),
        CheckConstraint("pool ~ '^[A-Za-z0-9_-]{1,40}$'", name="pool"),
        CheckConstraint("starts_on <= ends_on", name="days"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("cash_percent BETWEEN 0 AND 100", name="cash"),
    )


class DistributionShare(CoopOwned, Base):
    """What one member gets of a distribution: the weight, the part in cash, the part retained as equity."""

    __tablename__ = "distribution_share"

    id: Mapped[Id]
    distribution_id: Mapped[UUID] = mapped_column(ForeignKey("distribution.id"))
    producer_id: Mapped[UUID] = mapped_column(ForeignKey("producer.id"))
    weight: Mapped[Quantity]
    cash_minor: Mapped[Minor]
    retained_minor: Mapped[Minor]

    __table_args__ = (
        UniqueConstraint("distribution_id", "producer_id"),
        CheckConstraint("weight >= 0 AND cash_minor >= 0 AND retained_minor >= 0", name="parts"),
    )
