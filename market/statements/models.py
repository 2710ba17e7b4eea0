"""Tables of what banks say, and of closed periods (money.md 7). The database itself holds: no file twice, no line twice, four
eyes on a close. What the lines meant is in `match_models`."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, FourEyes, Id, Instant, Json, Minor, four_eyes
from market.kernel.text import SHORTEST_REASON

OUTCOMES = ("waiting", "refused", "draft", "imported", "discarded")
LINE_STATES = ("new", "suggested", "matched", "parked", "ignored")


def one_of(column: str, words: tuple[str, ...]) -> str:
    """Return the condition that a column holds one of these words."""
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


class MoneyAccount(CoopOwned, Base):
    """An account that a bank keeps for the co-op, or a mobile-money provider, with its mirror and suspense account in the books.

    `iban` holds the bank's own number where the country has no IBAN, and the digits of a wallet's number.
    """

    __tablename__ = "money_account"

    id: Mapped[Id]
    name: Mapped[str]
    iban: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    mirror: Mapped[str]
    suspense: Mapped[str]
    known_fees: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=sql("'{}'"))
    holds_premium: Mapped[bool] = mapped_column(server_default=sql("true"))
    opened_on: Mapped[date]
    created_at: Mapped[Instant]

    __table_args__ = (
        UniqueConstraint("coop_id", "mirror", "currency"),
        UniqueConstraint("coop_id", "iban", "currency"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("mirror ~ '^(bank|wallet):[0-9]+$' AND suspense ~ '^suspense:[0-9]+$'", name="codes"),
    )

    @property
    def is_wallet(self) -> bool:
        """Whether this is the float of a mobile-money provider."""
        return self.mirror.startswith("wallet:")

    @property
    def rails(self) -> tuple[str, ...]:
        """The rails whose payouts show on this account's statements."""
        return ("momo",) if self.is_wallet else ("sepa", "cheque")


class StatementFile(CoopOwned, Base):
    """A file as it came, kept whole, compressed; `findings` are what a person was told about it.

    One that has statements of several accounts has a row for each; its bytes are kept with one of them, the others'
    `original_id`. `waiting`: a worker reads it; `read_bytes` says how far it is. `code` is the refusal's stable name.
    """

    __tablename__ = "statement_file"

    id: Mapped[Id]
    money_account_id: Mapped[UUID] = mapped_column(ForeignKey("money_account.id"))
    original_id: Mapped[UUID | None] = mapped_column(ForeignKey("statement_file.id"))
    sha256: Mapped[str]
    name: Mapped[str]
    size_bytes: Mapped[int]
    body_zlib: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    outcome: Mapped[str]
    reason: Mapped[str | None]
    code: Mapped[str | None]
    format: Mapped[str] = mapped_column(server_default=sql("''"))
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    balances: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=sql("'[]'"))
    read_bytes: Mapped[Minor] = mapped_column(server_default=sql("0"))
    new_lines: Mapped[int] = mapped_column(Integer, server_default=sql("0"))
    known_lines: Mapped[int] = mapped_column(Integer, server_default=sql("0"))
    provisional_lines: Mapped[int] = mapped_column(Integer, server_default=sql("0"))
    uploaded_by: Mapped[str]
    uploaded_at: Mapped[Instant]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("money_account_id", "sha256"),
        CheckConstraint(one_of("outcome", OUTCOMES), name="outcome"),
        CheckConstraint("(outcome = 'refused') = (reason IS NOT NULL)", name="reason"),
        CheckConstraint("(body_zlib IS NULL) = (original_id IS NOT NULL)", name="bytes"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        Index("statement_file_newest", "money_account_id", "uploaded_at"),
    )


class Statement(CoopOwned, Base):
    """One statement of an account. `position` counts the account's statements in the order of import."""

    __tablename__ = "statement"

    id: Mapped[Id]
    money_account_id: Mapped[UUID] = mapped_column(ForeignKey("money_account.id"))
    file_id: Mapped[UUID] = mapped_column(ForeignKey("statement_file.id"))
    position: Mapped[int] = mapped_column(Integer)
    number: Mapped[str]
    from_on: Mapped[date | None]
    to_on: Mapped[date]
    opening_minor: Mapped[int | None] = mapped_column(BigInteger)
    closing_minor: Mapped[int | None] = mapped_column(BigInteger)
    booked_minor: Mapped[Minor]
    lines: Mapped[int] = mapped_column(Integer)
    continues: Mapped[bool]

    __table_args__ = (
        UniqueConstraint("money_account_id", "position"),
        UniqueConstraint("money_account_id", "number", "opening_minor", "closing_minor", postgresql_nulls_not_distinct=True),
    )


class StatementLine(CoopOwned, Base):
    """One booked entry. `matched_minor` is the sum of its live matches; the rest stands on the suspense account.

    That its statement is of its account and its co-op is checked once for all rows of an INSERT.
    """

    __tablename__ = "statement_line"

    id: Mapped[Id]
    coop_id: Mapped[UUID] = mapped_column()
    money_account_id: Mapped[UUID] = mapped_column()
    statement_id: Mapped[UUID] = mapped_column()
    n: Mapped[int] = mapped_column(Integer)
    source_line: Mapped[int] = mapped_column(Integer)
    identity: Mapped[UUID]
    occurrence: Mapped[int] = mapped_column(Integer)
    booked_on: Mapped[date]
    value_on: Mapped[date | None]
    amount_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(CHAR(3))
    bank_ref: Mapped[str]
    refs: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    creditor_refs: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    batch_refs: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    batch_count: Mapped[int] = mapped_column(Integer)
    counterparty_name: Mapped[str]
    counterparty_account: Mapped[str]
    text: Mapped[str]
    bank_code: Mapped[str]
    reversal: Mapped[bool]
    returned: Mapped[bool]
    return_reason: Mapped[str]
    charges_minor: Mapped[Minor]
    parts: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(server_default=sql("'new'"))
    matched_minor: Mapped[Minor] = mapped_column(server_default=sql("0"))
    question: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("money_account_id", "identity", "occurrence"),
        UniqueConstraint("statement_id", "n"),
        CheckConstraint(one_of("state", LINE_STATES), name="state"),
        CheckConstraint("matched_minor BETWEEN 0 AND abs(amount_minor)", name="matched"),
        CheckConstraint("(state = 'ignored') = (amount_minor = 0)", name="ignored"),
        CheckConstraint("state <> 'matched' OR matched_minor = abs(amount_minor)", name="explained"),
        Index("statement_line_by_amount", "coop_id", "amount_minor"),
        Index("statement_line_desk", "money_account_id", "booked_on", "id"),
        Index(
            "statement_line_open",
            "money_account_id",
            "booked_on",
            "id",
            postgresql_where=sql("state IN ('new', 'suggested', 'parked')"),
        ),
    )


class InterimLine(CoopOwned, Base):
    """An entry that a bank announced (camt.052, camt.054, MT942, or pending): shown and used, never posted.

    `parts` are the transactions of a batch, which a later statement may name only as a sum.
    """

    __tablename__ = "statement_interim_line"

    id: Mapped[Id]
    money_account_id: Mapped[UUID] = mapped_column(ForeignKey("money_account.id"))
    file_id: Mapped[UUID] = mapped_column(ForeignKey("statement_file.id"))
    format: Mapped[str]
    status: Mapped[str]
    identity: Mapped[UUID]
    occurrence: Mapped[int] = mapped_column(Integer)
    expected_on: Mapped[date]
    amount_minor: Mapped[Minor]
    currency: Mapped[str] = mapped_column(CHAR(3))
    bank_ref: Mapped[str]
    refs: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    creditor_refs: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    batch_refs: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    counterparty_name: Mapped[str]
    counterparty_account: Mapped[str]
    text: Mapped[str]
    parts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)

    __table_args__ = (
        UniqueConstraint("money_account_id", "identity", "occurrence"),
        Index("statement_interim_line_expected", "money_account_id", "expected_on"),
    )


class CsvFormat(CoopOwned, Base):
    """How the bank of an account writes its CSV, as a person said once; a new one for the same header replaces it."""

    __tablename__ = "statement_csv_format"

    id: Mapped[Id]
    money_account_id: Mapped[UUID] = mapped_column(ForeignKey("money_account.id"))
    fingerprint: Mapped[str]
    header: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    mapping: Mapped[Json]
    made_by: Mapped[str]
    made_at: Mapped[Instant]
    replaced_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "statement_csv_format_live",
            "money_account_id",
            "fingerprint",
            unique=True,
            postgresql_where=sql("replaced_at IS NULL"),
        ),
    )


class StatementLinePart(CoopOwned, Base):
    """One transaction inside a batch line."""

    __tablename__ = "statement_line_part"

    line_id: Mapped[UUID] = mapped_column(ForeignKey("statement_line.id"))
    n: Mapped[int] = mapped_column(Integer)
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    refs: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    creditor_refs: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    batch_refs: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    counterparty_name: Mapped[str]
    counterparty_account: Mapped[str]
    text: Mapped[str]
    returned: Mapped[bool]
    return_reason: Mapped[str]
    charges_minor: Mapped[Minor]

    __table_args__ = (PrimaryKeyConstraint("line_id", "n"),)


class PeriodClose(CoopOwned, Base):
    """The close of a period: what was found, how each difference was explained, who prepared it and who closed it.

    `overtaken`: a later period was closed while this one waited for its second person, and its days with it.
    """

    __tablename__ = "period_close"

    id: Mapped[Id]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    state: Mapped[str]
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    trial_balance: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    prepared_by: Mapped[str]
    prepared_at: Mapped[Instant]
    closed_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        Index("period_close_one", "coop_id", "ends_on", unique=True, postgresql_where=sql("state <> 'reopened'")),
        CheckConstraint("state IN ('prepared', 'taken_back', 'overtaken', 'closed', 'reopened')", name="state"),
        CheckConstraint("(state IN ('closed', 'reopened')) = (closed_by IS NOT NULL AND closed_at IS NOT NULL)", name="closed"),
        CheckConstraint("closed_by <> prepared_by", name="four_eyes"),
        CheckConstraint("starts_on <= ends_on", name="days"),
    )


class PeriodReopening(CoopOwned, FourEyes, Base):
    """That the days of a closed period shall be open again: who proposed it and why, and who agreed, declined or withdrew it."""

    __tablename__ = "period_reopening"

    id: Mapped[Id]
    close_id: Mapped[UUID] = mapped_column(ForeignKey("period_close.id"), index=True)
    reason: Mapped[str]

    __table_args__ = (
        *four_eyes("opened", "declined", "withdrawn"),
        CheckConstraint(f"length(reason) >= {SHORTEST_REASON}", name="words"),
        Index("period_reopening_waits", "close_id", unique=True, postgresql_where=sql("state = 'proposed'")),
    )
