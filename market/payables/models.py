"""The table of what is owed."""

from datetime import date
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, and_, func, text
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, Id, Instant, Minor


class Payable(CoopOwned, Base):
    """An amount owed to one payee. `taken_by` is the run that pays it, or the hold that keeps it, or what it was netted with."""

    __tablename__ = "payable"

    id: Mapped[Id]
    coop_id: Mapped[UUID] = mapped_column(ForeignKey("coop.id"))
    payee_id: Mapped[UUID] = mapped_column(ForeignKey("producer.id"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    kind: Mapped[str]
    due_on: Mapped[date]
    source_kind: Mapped[str]
    source_id: Mapped[UUID]
    part: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    state: Mapped[str] = mapped_column(server_default=text("'open'"))
    taken_by: Mapped[UUID | None]
    raised_at: Mapped[Instant] = mapped_column(server_default=func.clock_timestamp())

    __table_args__ = (
        UniqueConstraint("coop_id", "source_kind", "source_id", "kind", "part", name="payable_source_key"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("state IN ('open', 'taken', 'scheduled', 'paid', 'split', 'refunded', 'held', 'netted')", name="state"),
        CheckConstraint("(state IN ('taken', 'scheduled', 'paid', 'held', 'netted')) = (taken_by IS NOT NULL)", name="taken"),
        # The state stands in no index, so that a payable's later steps are cheap (docs/decisions/0093).
        Index("payable_open", "coop_id", "due_on", postgresql_where=text("taken_by IS NULL")),
        Index("payable_payee", "payee_id", "currency"),
        Index("payable_taken", "taken_by", postgresql_where=text("taken_by IS NOT NULL")),
        {"postgresql_with": {"fillfactor": "50"}},
    )


OPEN = and_(Payable.state == "open", Payable.taken_by.is_(None))
"""Waits to be paid: in the words of the index that finds it."""
