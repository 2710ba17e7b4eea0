"""Credentials and counters of failed tries, kept apart from the person."""

from datetime import datetime
from uuid import UUID

from flask_security import UserMixin
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, Instant


class User(Base, UserMixin):  # type: ignore[misc]
    """How an account proves itself. `fs_uniquifier` stands in every session: changing it signs out everywhere."""

    __tablename__ = "login_user"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    email: Mapped[str]
    password: Mapped[str | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    fs_uniquifier: Mapped[str]
    confirmed_at: Mapped[datetime | None]

    # Roles belong to `accounts`; the library asks for the attribute.
    roles = ()  # type: ignore[assignment]

    __table_args__ = (
        UniqueConstraint("account_id"),
        UniqueConstraint("email"),
        UniqueConstraint("fs_uniquifier"),
        CheckConstraint("email = lower(email)", name="email_folded"),
    )


class Throttle(Base):
    """Failed tries of one subject (a hash of an address or account) since a moment."""

    __tablename__ = "login_throttle"

    subject: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    since: Mapped[Instant]

    __table_args__ = (CheckConstraint("failures > 0", name="failures"),)
