"""Statement lines with what may explain them and what did."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.orm import Session

from market.kernel import paging
from market.kernel.money import Money
from market.kernel.paging import Page
from market.statements.errors import LineNotFound, ProposalNotFound
from market.statements.match_models import BookingProposal, StatementMatch, StatementSuggestion
from market.statements.models import StatementLine

PAGE = 50
BESIDE = timedelta(days=31)
"""So near in time are the lines in which a bank paid one payout."""

STATES = {"open": ("new", "suggested", "parked"), "suggested": ("suggested",), "unmatched": ("new",), "parked": ("parked",)}

STATES |= {"matched": ("matched",), "all": ("new", "suggested", "parked", "matched", "ignored")}


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """A candidate for a line, with the evidence of its rule."""

    id: UUID
    part: int
    target_kind: str
    target_id: UUID | None
    account_code: str | None
    money: Money
    fee: Money
    kind: str
    rule: str
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MatchView:
    """A match, live or undone."""

    id: UUID
    part: int
    target_kind: str
    target_id: UUID | None
    account_code: str | None
    money: Money
    fee: Money
    kind: str
    rule: str
    automatic: bool
    evidence: dict[str, Any]
    reason: str | None
    matched_by: str
    matched_at: datetime
    undone_by: str | None
    undone_at: datetime | None
    undone_reason: str | None


@dataclass(frozen=True, slots=True)
class PieceView:
    """A part of a proposed split: a reference of ours, or what it is booked as and why."""

    money: Money
    reference: str
    account_code: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A booking, or a split in `pieces`, that waits for somebody who approves."""

    id: UUID
    account_code: str | None
    money: Money
    reason: str
    proposed_by: str
    proposed_at: datetime
    pieces: list[PieceView]


@dataclass(frozen=True, slots=True)
class LineView:
    """A statement line with its suggestions and matches, and the booking that is proposed for it."""

    id: UUID
    account_id: UUID
    booked_on: date
    value_on: date | None
    money: Money
    rest: Money
    state: str
    counterparty_name: str
    counterparty_account: str
    text: str
    references: Sequence[str]
    bank_ref: str
    returned: bool
    return_reason: str
    parts: int
    question: str | None
    suggestions: Sequence[SuggestionView]
    matches: Sequence[MatchView]
    proposal: ProposalView | None


def lines(
    session: Session, account_id: UUID, *, show: str = "open", cursor: str | None = None, limit: int = PAGE
) -> Page[LineView]:
    """Return a page of lines, oldest first, with suggestions and matches; `show` is a key of STATES."""
    statement = select(StatementLine).where(
        StatementLine.money_account_id == account_id, StatementLine.state.in_(STATES.get(show, STATES["open"]))
    )
    if cursor:
        day, last = paging.read(cursor, date.fromisoformat, UUID)
        statement = statement.where(tuple_(StatementLine.booked_on, StatementLine.id) > tuple_(day, last))
    rows = session.execute(statement.order_by(StatementLine.booked_on, StatementLine.id).limit(limit + 1)).scalars().all()
    more = paging.encode([rows[limit - 1].booked_on, rows[limit - 1].id]) if len(rows) > limit else None
    return Page(explained(session, rows[:limit]), more)


def line(session: Session, line_id: UUID) -> LineView:
    """Return one line with everything about it. Raises LineNotFound outside this scope."""
    row = session.get(StatementLine, line_id)
    if row is None:
        raise LineNotFound("There is no such statement line here.")
    return explained(session, [row])[0]


def open_beside(session: Session, of: LineView) -> list[LineView]:
    """Return the open lines of the same account and direction that most likely belong to a line: the same other side first."""
    alike = StatementLine.counterparty_account == of.counterparty_account, StatementLine.counterparty_name == of.counterparty_name
    statement = select(StatementLine).where(
        StatementLine.money_account_id == of.account_id,
        StatementLine.state.in_(STATES["open"]),
        StatementLine.amount_minor < 0,
        StatementLine.booked_on.between(of.booked_on - BESIDE, of.booked_on + BESIDE),
        StatementLine.id != of.id,
    )
    near = func.abs(StatementLine.booked_on - of.booked_on)
    return explained(session, session.scalars(statement.order_by(or_(*alike).desc(), near, StatementLine.id).limit(8)).all())


def lines_of_payout(session: Session, payout_id: UUID) -> list[LineView]:
    """Return the lines that settled a payout or brought it back, the newest first."""
    shows = StatementMatch.target_kind.in_(("payout", "payout_return")), StatementMatch.target_id == payout_id
    ids = select(StatementMatch.line_id).where(*shows, StatementMatch.undone_at.is_(None))
    rows = session.scalars(select(StatementLine).where(StatementLine.id.in_(ids)).order_by(StatementLine.booked_on.desc()))
    return explained(session, rows.all())


def line_of_proposal(session: Session, proposal_id: UUID) -> UUID:
    """Return the line that a proposal is about. Raises ProposalNotFound outside this scope."""
    row = session.get(BookingProposal, proposal_id)
    if row is None:
        raise ProposalNotFound("There is no such proposal here.")
    return row.line_id


def explained(session: Session, rows: Sequence[StatementLine]) -> list[LineView]:
    """Return lines with what may explain them and what did."""
    ids = [row.id for row in rows]
    suggestions: dict[UUID, list[StatementSuggestion]] = defaultdict(list)
    matches: dict[UUID, list[StatementMatch]] = defaultdict(list)
    for suggestion in session.execute(
        select(StatementSuggestion)
        .where(StatementSuggestion.line_id.in_(ids), StatementSuggestion.dismissed_at.is_(None))
        .order_by(StatementSuggestion.rank)
    ).scalars():
        suggestions[suggestion.line_id].append(suggestion)
    for match in session.execute(
        select(StatementMatch).where(StatementMatch.line_id.in_(ids)).order_by(StatementMatch.matched_at, StatementMatch.id)
    ).scalars():
        matches[match.line_id].append(match)
    parked = [row.id for row in rows if row.state == "parked"]
    waiting = select(BookingProposal).where(BookingProposal.line_id.in_(parked), BookingProposal.state == "proposed")
    proposals = {each.line_id: each for each in session.execute(waiting).scalars()} if parked else {}
    return [_line(row, suggestions[row.id], matches[row.id], proposals.get(row.id)) for row in rows]


def _line(
    row: StatementLine,
    suggestions: Sequence[StatementSuggestion],
    matches: Sequence[StatementMatch],
    proposal: BookingProposal | None,
) -> LineView:
    sign = 1 if row.amount_minor >= 0 else -1
    return LineView(
        id=row.id,
        account_id=row.money_account_id,
        booked_on=row.booked_on,
        value_on=row.value_on,
        money=Money(row.amount_minor, row.currency),
        rest=Money(sign * (abs(row.amount_minor) - row.matched_minor), row.currency),
        state=row.state,
        counterparty_name=row.counterparty_name,
        counterparty_account=row.counterparty_account,
        text=row.text,
        references=tuple(dict.fromkeys([*row.creditor_refs, *row.refs])),
        bank_ref=row.bank_ref,
        returned=row.returned,
        return_reason=row.return_reason,
        parts=row.parts,
        question=row.question,
        suggestions=[_suggestion(each, row.currency) for each in suggestions],
        matches=[_match(each, row.currency) for each in matches],
        proposal=_proposal(proposal, row.currency) if proposal else None,
    )


def _proposal(row: BookingProposal, currency: str) -> ProposalView:
    money = Money(row.amount_minor, currency)
    pieces = [
        PieceView(Money(each["minor"], currency), each["reference"], each["account_code"], each["reason"])
        for each in row.pieces or ()
    ]
    return ProposalView(row.id, row.account_code, money, row.reason, row.proposed_by, row.proposed_at, pieces)


def _suggestion(row: StatementSuggestion, currency: str) -> SuggestionView:
    return SuggestionView(
        row.id, row.part, row.target_kind, row.target_id, row.account_code, Money(row.line_minor, currency),
        Money(row.fee_minor, currency), row.kind, row.rule, row.evidence,
    )  # fmt: skip


def _match(row: StatementMatch, currency: str) -> MatchView:
    return MatchView(
        row.id, row.part, row.target_kind, row.target_id, row.account_code, Money(row.line_minor, currency),
        Money(row.fee_minor, currency), row.kind, row.rule, row.automatic, row.evidence, row.reason, row.matched_by,
        row.matched_at, row.undone_by, row.undone_at, row.undone_reason,
    )  # fmt: skip
