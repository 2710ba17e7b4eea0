"""Tables of the treasury: plan items of the premium fund, their spendings, and conversions between currencies.

Each is proposed by one person and decided by another; what was decided is never changed, only closed.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, FourEyes, Id, Minor, four_eyes


class PremiumItem(CoopOwned, FourEyes, Base):
    """What the members decided to use part of the premium fund for; `minutes` say who decided it and when."""

    __tablename__ = "premium_item"

    id: Mapped[Id]
    name: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    minutes: Mapped[str]

    __table_args__ = (
        *four_eyes("approved", "declined", "closed"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("length(minutes) >= 3 AND length(name) >= 2", name="words"),
    )


class PremiumSpending(CoopOwned, FourEyes, Base):
    """A payment of a plan item, with the paper that proves it."""

    __tablename__ = "premium_spending"

    id: Mapped[Id]
    item_id: Mapped[UUID] = mapped_column(ForeignKey("premium_item.id"), index=True)
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    payee: Mapped[str]
    evidence: Mapped[str]

    __table_args__ = (
        *four_eyes("booked", "declined"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("length(evidence) >= 3 AND length(payee) >= 2", name="words"),
    )


class FxConversion(CoopOwned, FourEyes, Base):
    """A debt that changes its currency: the rate, its day and where it was read are the evidence (money.md 3)."""

    __tablename__ = "fx_conversion"

    id: Mapped[Id]
    producer_id: Mapped[UUID] = mapped_column(ForeignKey("producer.id"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    agreed_currency: Mapped[str] = mapped_column(CHAR(3))
    agreed_minor: Mapped[Minor]
    rate: Mapped[Decimal] = mapped_column(Numeric(20, 10))
    rate_on: Mapped[date]
    source: Mapped[str]
    given_minor: Mapped[int | None]

    __table_args__ = (
        *four_eyes("booked", "declined", "settled"),
        CheckConstraint("amount_minor > 0 AND agreed_minor > 0 AND rate > 0", name="amount"),
        CheckConstraint("currency <> agreed_currency", name="currencies"),
        CheckConstraint("length(source) >= 3", name="source"),
        CheckConstraint("(state = 'settled') = (given_minor IS NOT NULL)", name="settled"),
    )
