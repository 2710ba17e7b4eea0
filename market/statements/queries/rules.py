"""The booking rules that staff made for an account, and the lines they explained."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.statements.errors import RuleNotFound
from market.statements.match_models import BookingRule, StatementMatch
from market.statements.models import StatementLine
from market.statements.queries.accounts import account
from market.statements.queries.lines import LineView, explained
from market.statements.rules.booking import CONFIRMED
from market.statements.service.booking_rules import RULE, matches_of_rule


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule that staff made, living or ended, with how often it was used and how much it booked."""

    id: UUID
    account_id: UUID
    account_code: str
    counterparty: str
    words: Sequence[str]
    most: Money
    reason: str
    confirmations: int
    automatic: bool
    made_by: str
    made_at: datetime
    ended_at: datetime | None
    ended_reason: str | None
    used: int


_RULE_ID: ColumnElement[str] = literal_column(f"statement_match.evidence ->> '{RULE}'")


def rule(session: Session, rule_id: UUID) -> RuleView:
    """Return one rule. Raises RuleNotFound outside this scope."""
    row = session.get(BookingRule, rule_id)
    if row is None:
        raise RuleNotFound("There is no such rule here.")
    return _rules(session, [row])[0]


def rule_made_from(session: Session, line_id: UUID) -> RuleView | None:
    """Return the living rule that somebody made from a line; None without one."""
    made = select(BookingRule).where(BookingRule.made_from == line_id, BookingRule.ended_at.is_(None))
    row = session.scalars(made.order_by(BookingRule.made_at.desc()).limit(1)).first()
    return None if row is None else _rules(session, [row])[0]


def lines_of_rule(session: Session, rule_id: UUID) -> list[LineView]:
    """Return the lines that a rule explained, the newest first, those taken back included."""
    ids = [match.line_id for match in matches_of_rule(session, rule_id)]
    rows = session.execute(select(StatementLine).where(StatementLine.id.in_(ids)).order_by(StatementLine.booked_on.desc()))
    return explained(session, rows.scalars().all())


def _rules(session: Session, rows: Sequence[BookingRule]) -> list[RuleView]:
    used = {
        rule_id: count
        for rule_id, count in session.execute(
            select(_RULE_ID, func.count())
            .where(StatementMatch.rule == RULE, StatementMatch.undone_at.is_(None), _RULE_ID.in_([str(row.id) for row in rows]))
            .group_by(_RULE_ID)
        )
    }
    currencies = {row.money_account_id: account(session, row.money_account_id).currency for row in rows}
    return [
        RuleView(
            row.id, row.money_account_id, row.account_code, row.counterparty_name or row.counterparty_account, row.words,
            Money(row.max_minor, currencies[row.money_account_id]), row.reason, row.confirmations,
            row.confirmations >= CONFIRMED, row.made_by, row.made_at, row.ended_at, row.ended_reason,
            int(used.get(str(row.id), 0)),
        )
        for row in rows
    ]  # fmt: skip
