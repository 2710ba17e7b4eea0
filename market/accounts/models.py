"""Tables of people, roles and API keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from market.kernel.orm import Base, Id, Instant


class Account(Base):
    """A person (or an integrator's contact). The name is for the screen, the e-mail for letters."""

    __tablename__ = "account"

    id: Mapped[Id]
    email: Mapped[str]
    name: Mapped[str] = mapped_column(server_default=text("''"))
    locale: Mapped[str] = mapped_column(server_default=text("'en'"))
    created_at: Mapped[Instant]
    erased_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_folded"),
        CheckConstraint("locale ~ '^[a-z]{2}(-[A-Z]{2})?$'", name="locale"),
        UniqueConstraint("email"),
    )


class AccountRole(Base):
    """A role of an account; for a co-op, or for the whole site when `coop_id` is null (admin)."""

    __tablename__ = "account_role"

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    role: Mapped[str]
    coop_id: Mapped[UUID | None]
    granted_by: Mapped[str]
    granted_at: Mapped[Instant]

    __table_args__ = (
        CheckConstraint("role IN ('preparer', 'approver', 'admin')", name="role"),
        CheckConstraint("(role = 'admin') = (coop_id IS NULL)", name="scope"),
        Index("account_role_once", "account_id", "role", "coop_id", unique=True, postgresql_nulls_not_distinct=True),
    )


class ApiKey(Base):
    """A machine's key: only its prefix and the SHA-256 of its secret are kept."""

    __tablename__ = "api_key"

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    coop_id: Mapped[UUID | None]
    label: Mapped[str]
    prefix: Mapped[str]
    secret_hash: Mapped[bytes]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[Instant]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("prefix"),
        CheckConstraint("octet_length(secret_hash) = 32", name="secret_hash"),
        CheckConstraint("expires_at > created_at", name="expires"),
    )
