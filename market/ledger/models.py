"""Tables of the books (money.md 1.3). Their triggers and the functions `ledger_post` and `ledger_post_set` stand in
the migrations."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from market.kernel.orm import Base, Instant, Minor


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id, by which a posting is known to belong to the running transaction."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Return the SQL name of the type."""
        return "xid8"


class LedgerMove(UserDefinedType[object]):
    """One row of a set to book, as `ledger_post_set` takes it: codes of accounts, which it looks up, instead of their ids."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Return the SQL name of the type."""
        return "ledger_move"


ischema_names["xid8"] = Xid8  # so that comparing models with a database knows the type


class Currency(Base):
    """A currency that books may hold."""

    __tablename__ = "currency"

    code: Mapped[str] = mapped_column(primary_key=True)
    exponent: Mapped[int] = mapped_column(SmallInteger)
    community: Mapped[bool] = mapped_column(server_default=text("false"))

    __table_args__ = (
        CheckConstraint("code ~ '^[A-Z][A-Z0-9]{2,7}$'", name="code"),
        CheckConstraint("exponent BETWEEN 0 AND 4", name="exponent"),
    )


class LedgerBook(Base):
    """The books of one co-op, or of the operator when `coop_id` is null."""

    __tablename__ = "ledger_book"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    coop_id: Mapped[UUID | None]
    base_currency: Mapped[str] = mapped_column(ForeignKey("currency.code"))

    __table_args__ = (UniqueConstraint("coop_id", postgresql_nulls_not_distinct=True),)


class LedgerAccount(Base):
    """An account of a book in one currency; balance = side * (debits - credits)."""

    __tablename__ = "ledger_account"

    book_id: Mapped[int] = mapped_column(ForeignKey("ledger_book.id"))
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    currency: Mapped[str] = mapped_column(ForeignKey("currency.code"))
    code: Mapped[str]
    side: Mapped[int] = mapped_column(SmallInteger)
    floor_minor: Mapped[int | None] = mapped_column(BigInteger)
    ceiling_minor: Mapped[int | None] = mapped_column(BigInteger)
    slots: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))

    __table_args__ = (
        PrimaryKeyConstraint("book_id", "id"),
        UniqueConstraint("book_id", "code", "currency"),
        CheckConstraint("code ~ '^[a-z][a-z0-9_]*(:[A-Za-z0-9_-]+)*$'", name="code"),
        CheckConstraint("side IN (1, -1)", name="side"),
        CheckConstraint("slots BETWEEN 1 AND 16", name="slots"),
        CheckConstraint("slots = 1 OR (floor_minor IS NULL AND ceiling_minor IS NULL)", name="slots_or_limits"),
        CheckConstraint("floor_minor <= ceiling_minor", name="limits"),
    )


class LedgerTransaction(Base):
    """A business fact in a book; `idem_key` names the fact, `content_hash` what was said of it."""

    __tablename__ = "ledger_transaction"

    book_id: Mapped[int] = mapped_column(BigInteger)  # that of its postings' accounts, and it has postings
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    kind: Mapped[str]
    effective_on: Mapped[date]
    booked_at: Mapped[Instant] = mapped_column(server_default=func.clock_timestamp())
    idem_key: Mapped[str]
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    reverses_id: Mapped[int | None] = mapped_column(BigInteger)
    actor: Mapped[str]
    note: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    xid: Mapped[str] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))

    __table_args__ = (
        PrimaryKeyConstraint("book_id", "id"),
        UniqueConstraint("book_id", "idem_key"),
        ForeignKeyConstraint(["book_id", "reverses_id"], ["ledger_transaction.book_id", "ledger_transaction.id"]),
        CheckConstraint("length(idem_key) BETWEEN 3 AND 200", name="idem_key"),
        CheckConstraint("octet_length(content_hash) = 32", name="content_hash"),
        CheckConstraint("reverses_id < id", name="reverses"),
        Index(
            "ledger_transaction_book_id_reverses_id_key",
            "book_id",
            "reverses_id",
            unique=True,
            postgresql_where=text("reverses_id IS NOT NULL"),
        ),
        # Bookings follow the days, nearly: reports of a day find those after it, and an order pays nothing for the index.
        Index(
            "ledger_transaction_effective_on",
            "effective_on",
            postgresql_using="brin",
            postgresql_with={"pages_per_range": 32},
        ),
    )


class LedgerPosting(Base):
    """One positive amount from a credit account to a debit account of the same book and currency.

    The trigger `no_late_leg` looks all of a statement up at once: its transaction is being made now, both accounts are there.
    """

    __tablename__ = "ledger_posting"

    book_id: Mapped[int] = mapped_column(BigInteger)
    transaction_id: Mapped[int] = mapped_column(BigInteger)
    n: Mapped[int] = mapped_column(SmallInteger)
    debit_id: Mapped[int] = mapped_column(BigInteger)
    credit_id: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    amount_minor: Mapped[Minor]
    subject: Mapped[UUID | None]

    __table_args__ = (
        PrimaryKeyConstraint("book_id", "transaction_id", "n"),
        CheckConstraint("n > 0", name="n"),
        CheckConstraint("debit_id <> credit_id", name="two_accounts"),
        CheckConstraint("amount_minor BETWEEN 1 AND 1000000000000000", name="amount"),
        Index("ledger_posting_debit", "book_id", "debit_id", "transaction_id"),
        Index("ledger_posting_credit", "book_id", "credit_id", "transaction_id"),
        Index("ledger_posting_subject", "book_id", "subject", postgresql_where=text("subject IS NOT NULL")),
    )


class LedgerBalance(Base):
    """The running sums of an account, in as many slots as the account is hot."""

    __tablename__ = "ledger_balance"

    book_id: Mapped[int] = mapped_column(BigInteger)
    account_id: Mapped[int] = mapped_column(BigInteger)
    slot: Mapped[int] = mapped_column(SmallInteger)
    debits_minor: Mapped[Minor] = mapped_column(server_default=text("0"))
    credits_minor: Mapped[Minor] = mapped_column(server_default=text("0"))
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))

    __table_args__ = (
        PrimaryKeyConstraint("book_id", "account_id", "slot"),
        ForeignKeyConstraint(["book_id", "account_id"], ["ledger_account.book_id", "ledger_account.id"]),
        {"postgresql_with": {"fillfactor": "50"}},
    )


class LedgerPeriod(Base):
    """A stretch of days of a book; postings need an open one, not one that is being closed. Periods of a book never overlap."""

    __tablename__ = "ledger_period"

    book_id: Mapped[int] = mapped_column(ForeignKey("ledger_book.id"))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    state: Mapped[str] = mapped_column(Text, server_default=text("'open'"))
    closed_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        PrimaryKeyConstraint("book_id", "starts_on"),
        CheckConstraint("state IN ('open', 'closing', 'closed')", name="state"),
        CheckConstraint("starts_on <= ends_on", name="days"),
        ExcludeConstraint(
            (text("int8range(book_id, book_id, '[]')"), "&&"),
            (text("daterange(starts_on, ends_on, '[]')"), "&&"),
            name="ledger_period_no_overlap",
            using="gist",
        ),
    )


class LedgerUnsealed(Base):
    """Transactions that no seal of the public log covers yet (money.md 1.8)."""

    __tablename__ = "ledger_unsealed"

    book_id: Mapped[int] = mapped_column(BigInteger)
    transaction_id: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (PrimaryKeyConstraint("book_id", "transaction_id"),)
