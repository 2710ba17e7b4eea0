"""Tables of what lines meant (money.md 8.2). The database itself holds: matches within the line, one live match per payout, four
eyes on a booking that one person may not make alone."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, SmallInteger, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, Id, Instant, Json, Minor
from market.statements.models import one_of

TARGETS = ("payout", "payout_return", "payment", "refund", "account")
MATCH_KINDS = ("full", "partial", "fee", "write_off", "return", "rest")


class BookingRule(CoopOwned, Base):
    """What staff said of lines like one they saw: always book these so (money.md 8.1, rule 9).

    Empty conditions are none; at least one of counterparty and words is given. Automatic from `confirmations` 3 on.
    """

    __tablename__ = "statement_booking_rule"

    id: Mapped[Id]
    money_account_id: Mapped[UUID] = mapped_column(ForeignKey("money_account.id"))
    sign: Mapped[int] = mapped_column(SmallInteger)
    account_code: Mapped[str]
    counterparty_account: Mapped[str]
    counterparty_name: Mapped[str]
    words: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    max_minor: Mapped[Minor]
    reason: Mapped[str]
    confirmations: Mapped[int] = mapped_column(Integer, server_default=sql("1"))
    made_from: Mapped[UUID | None] = mapped_column(ForeignKey("statement_line.id"))
    made_by: Mapped[str]
    made_at: Mapped[Instant]
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("sign IN (-1, 1)", name="sign"),
        CheckConstraint("counterparty_account <> '' OR counterparty_name <> '' OR cardinality(words) > 0", name="conditions"),
        CheckConstraint("max_minor > 0", name="maximum"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        Index("statement_booking_rule_live", "money_account_id", postgresql_where=sql("ended_at IS NULL")),
    )


class StatementMatch(CoopOwned, Base):
    """What (a part of) a line meant. History: a match is never changed except to be undone.

    `line_minor` of the line is used up; `fee_minor` of it is the bank's (for a return: what the bank kept on top). That the
    line is of its co-op is checked once for all rows of an INSERT.
    """

    __tablename__ = "statement_match"

    id: Mapped[Id]
    coop_id: Mapped[UUID] = mapped_column(index=True)
    line_id: Mapped[UUID] = mapped_column()
    part: Mapped[int] = mapped_column(Integer)
    target_kind: Mapped[str]
    target_id: Mapped[UUID | None]
    account_code: Mapped[str | None]
    line_minor: Mapped[Minor]
    fee_minor: Mapped[Minor]
    kind: Mapped[str]
    rule: Mapped[str]
    automatic: Mapped[bool]
    evidence: Mapped[Json]
    reason: Mapped[str | None]
    matched_by: Mapped[str]
    matched_at: Mapped[Instant]
    undone_by: Mapped[str | None]
    undone_at: Mapped[datetime | None]
    undone_reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(one_of("target_kind", TARGETS), name="target_kind"),
        CheckConstraint("(target_kind = 'account') = (account_code IS NOT NULL)", name="account"),
        CheckConstraint("(target_kind = 'account') = (target_id IS NULL)", name="target"),
        CheckConstraint(one_of("kind", MATCH_KINDS), name="kind"),
        CheckConstraint("line_minor > 0 AND fee_minor >= 0", name="amounts"),
        CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone"),
        CheckConstraint("rule <> 'person' OR target_kind <> 'account' OR length(trim(reason)) >= 3", name="reason"),
        Index("statement_match_of_line", "line_id"),
        Index(
            "statement_match_live_payout",
            "target_kind",
            "target_id",
            unique=True,
            postgresql_where=sql("undone_at IS NULL AND target_kind IN ('payout', 'payout_return', 'refund')"),
        ),
    )


class StatementSuggestion(CoopOwned, Base):
    """A candidate that a rule found for a line and that only a person may accept; once dismissed it does not come back."""

    __tablename__ = "statement_suggestion"

    id: Mapped[Id]
    line_id: Mapped[UUID] = mapped_column(ForeignKey("statement_line.id"))
    part: Mapped[int] = mapped_column(Integer)
    target_kind: Mapped[str]
    target_id: Mapped[UUID | None]
    line_minor: Mapped[Minor]
    fee_minor: Mapped[Minor]
    kind: Mapped[str]
    rule: Mapped[str]
    evidence: Mapped[Json]
    account_code: Mapped[str | None]
    rank: Mapped[int] = mapped_column(SmallInteger)
    dismissed_by: Mapped[str | None]
    dismissed_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("line_id", "part", "target_kind", "target_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("(dismissed_at IS NULL) = (dismissed_by IS NULL)", name="dismissed"),
    )


class BookingProposal(CoopOwned, Base):
    """A booking of a line that one person may not make alone, until somebody who approves accepts or declines it.

    Whoever proposed it may take it back, which is a decline by the same person. A split has `pieces` instead of an account,
    each as `service.Piece` has it, and `amount_minor` is their sum.
    """

    __tablename__ = "statement_proposal"

    id: Mapped[Id]
    line_id: Mapped[UUID] = mapped_column(ForeignKey("statement_line.id"))
    account_code: Mapped[str | None]
    pieces: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    amount_minor: Mapped[Minor]
    reason: Mapped[str]
    state: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[Instant]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    answer: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("state IN ('proposed', 'accepted', 'declined')", name="state"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("(account_code IS NULL) <> (pieces IS NULL)", name="what"),
        CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided"),
        CheckConstraint("state <> 'accepted' OR decided_by <> proposed_by", name="four_eyes"),
        Index("statement_proposal_open", "line_id", unique=True, postgresql_where=sql("state = 'proposed'")),
    )
