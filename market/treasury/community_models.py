"""Tables of a community currency: the members' decision to have one, who holds it within which limits, and transfers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, FourEyes, Id, Instant, Minor, four_eyes

UNIT = "XCC"


class CommunityScheme(CoopOwned, FourEyes, Base):
    """That a co-op keeps a community currency: off until two persons say where its legal check is kept (solidarity.md 6)."""

    __tablename__ = "community_scheme"

    id: Mapped[Id]
    legal_check: Mapped[str]
    authorise_above_minor: Mapped[Minor]

    __table_args__ = (
        *four_eyes("open", "declined"),
        CheckConstraint("length(legal_check) >= 10 AND authorise_above_minor >= 0", name="terms"),
        Index("community_scheme_one", "coop_id", unique=True, postgresql_where=text("state <> 'declined'")),
    )


class CommunityHolder(CoopOwned, FourEyes, Base):
    """A member who holds the unit, down to `-limit_down_minor` and up to `limit_up_minor`; the books defend both (M-2).

    What others pay in raises the lower limit up to `growth_cap_minor` (M-4). `left` when the account was given up (M-9).
    """

    __tablename__ = "community_holder"

    id: Mapped[Id]
    producer_id: Mapped[UUID] = mapped_column(ForeignKey("producer.id"))
    limit_down_minor: Mapped[Minor]
    limit_up_minor: Mapped[int | None] = mapped_column(BigInteger)
    growth_cap_minor: Mapped[Minor]

    __table_args__ = (
        *four_eyes("open", "declined", "left"),
        CheckConstraint("limit_down_minor > 0 AND growth_cap_minor >= limit_down_minor", name="down"),
        CheckConstraint("limit_up_minor > 0", name="up"),
        Index("community_holder_one", "producer_id", unique=True, postgresql_where=text("state <> 'declined'")),
    )


class CommunityTransfer(CoopOwned, Base):
    """What one holder pays another; above the scheme's limit a second person authorises it (M-6). Committed is final (M-5)."""

    __tablename__ = "community_transfer"

    id: Mapped[Id]
    payer_id: Mapped[UUID] = mapped_column(ForeignKey("community_holder.id"), index=True)
    payee_id: Mapped[UUID] = mapped_column(ForeignKey("community_holder.id"), index=True)
    amount_minor: Mapped[Minor]
    words: Mapped[str]
    needs_second: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[Instant]
    authorised_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('pending', 'committed', 'denied')", name="state"),
        CheckConstraint("amount_minor > 0 AND payer_id <> payee_id AND length(words) >= 2", name="facts"),
        CheckConstraint("authorised_by <> asked_by", name="second"),
        CheckConstraint("(state = 'pending') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("state <> 'committed' OR NOT needs_second OR authorised_by IS NOT NULL", name="authorised"),
    )


class CommunityLeaving(CoopOwned, FourEyes, Base):
    """A member who leaves with a debt that the members take over (E53, M-9); `minutes` say who decided it and when."""

    __tablename__ = "community_leaving"

    id: Mapped[Id]
    holder_id: Mapped[UUID] = mapped_column(ForeignKey("community_holder.id"), index=True)
    minutes: Mapped[str]

    __table_args__ = (*four_eyes("booked", "declined"), CheckConstraint("length(minutes) >= 3", name="words"))
