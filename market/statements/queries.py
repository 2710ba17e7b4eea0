"""Reads of statements: accounts with their running figures, files, lines with what may explain them, closes."""

import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, select, text, tuple_
from sqlalchemy.orm import Session

from market.kernel import paging
from market.kernel.money import Money, total
from market.kernel.paging import Page
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.queries import Finding
from market.statements.errors import AccountNotFound, FileNotFound, LineNotFound, ProposalNotFound, RuleNotFound
from market.statements.models import (
    BookingProposal,
    BookingRule,
    MoneyAccount,
    PeriodClose,
    Statement,
    StatementFile,
    StatementLine,
    StatementMatch,
    StatementSuggestion,
)
from market.statements.rules.booking import CONFIRMED
from market.statements.service.booking_rules import RULE, matches_of_rule
from market.statements.service.closing import CloseNotFound, mirror_and_closing

PAGE = 50
STATES = {"open": ("new", "suggested", "parked"), "suggested": ("suggested",), "unmatched": ("new",), "parked": ("parked",)}
STATES |= {"matched": ("matched",), "all": ("new", "suggested", "parked", "matched", "ignored")}


@dataclass(frozen=True, slots=True)
class AccountView:
    """A bank account of a co-op."""

    id: UUID
    coop_id: UUID
    name: str
    iban: str
    currency: str
    mirror: str
    suspense: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What must agree: our mirror and the bank's closing; what must be worked off: suspense and money in transit."""

    mirror: Money
    closing: Money | None
    closing_on: date | None
    suspense: Money
    in_transit: Money
    difference: Money | None
    open_lines: int


@dataclass(frozen=True, slots=True)
class FileView:
    """A statement file and what became of it."""

    id: UUID
    account_id: UUID
    name: str
    sha256: str
    size_bytes: int
    outcome: str
    reason: str | None
    code: str | None
    format: str
    balances: Sequence[dict[str, Any]]
    read_bytes: int
    findings: Sequence[dict[str, Any]]
    new_lines: int
    known_lines: int
    provisional_lines: int
    uploaded_at: datetime


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
class ProposalView:
    """A booking that waits for somebody who approves."""

    id: UUID
    account_code: str
    money: Money
    reason: str
    proposed_by: str
    proposed_at: datetime


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


@dataclass(frozen=True, slots=True)
class AnnouncedView:
    """An entry that the bank announced and has not booked."""

    id: UUID
    expected_on: date
    money: Money
    status: str
    format: str
    counterparty_name: str
    text: str
    references: Sequence[str]


@dataclass(frozen=True, slots=True)
class CloseView:
    """A close of a period, prepared or closed."""

    id: UUID
    starts_on: date
    ends_on: date
    state: str
    items: Sequence[dict[str, Any]]
    trial_balance: Sequence[dict[str, Any]]
    prepared_by: str
    prepared_at: datetime
    closed_by: str | None
    closed_at: datetime | None


def accounts(session: Session, *, coop_id: UUID) -> list[AccountView]:
    """Return the co-op's bank accounts, the first one first."""
    rows = session.execute(
        select(MoneyAccount).where(MoneyAccount.coop_id == coop_id).order_by(MoneyAccount.mirror, MoneyAccount.id)
    )
    return [_account(row) for row in rows.scalars()]


def account(session: Session, account_id: UUID) -> AccountView:
    """Return one bank account. Raises AccountNotFound outside this scope."""
    row = session.get(MoneyAccount, account_id)
    if row is None:
        raise AccountNotFound("There is no such bank account here. Choose one from the list.")
    return _account(row)


def figures(session: Session, account_id: UUID) -> Figures:
    """Return the running figures of an account."""
    row = session.get(MoneyAccount, account_id)
    if row is None:
        raise AccountNotFound("There is no such bank account here. Choose one from the list.")
    book_id = ledger.book_of(session, row.coop_id)
    both = mirror_and_closing(session, row, book_id)
    mirror = both[0] if both else books.balance(session, book_id, row.mirror, row.currency)
    closing_on, open_lines = session.execute(
        select(
            select(func.max(Statement.to_on)).where(Statement.money_account_id == row.id).scalar_subquery(),
            select(func.count())
            .where(StatementLine.money_account_id == row.id, StatementLine.state.in_(STATES["open"]))
            .scalar_subquery(),
        )
    ).one()
    return Figures(
        mirror=mirror,
        closing=both[1] if both else None,
        closing_on=closing_on,
        suspense=books.balance(session, book_id, row.suspense, row.currency),
        in_transit=total(
            [books.balance(session, book_id, f"in_transit:{rail}", row.currency) for rail in row.rails], row.currency
        ),
        difference=both[0] - both[1] if both else None,
        open_lines=open_lines,
    )


def check(session: Session) -> list[Finding]:
    """Return where statements and books disagree: open lines and `suspense:*`, the mirror and the last closing balance (1.6)."""
    findings: list[Finding] = []
    rest = func.sum((func.abs(StatementLine.amount_minor) - StatementLine.matched_minor) * func.sign(StatementLine.amount_minor))
    per_account = select(StatementLine.money_account_id, rest).group_by(StatementLine.money_account_id)
    left: dict[UUID, int] = {account_id: int(minor) for account_id, minor in session.execute(per_account)}
    for account in session.scalars(select(MoneyAccount).order_by(MoneyAccount.id)):
        book_id = ledger.book_of(session, account.coop_id)
        place = f"book {book_id} {account.suspense} {account.currency}"
        suspense = books.balance(session, book_id, account.suspense, account.currency).minor
        lines = -left.get(account.id, 0)  # money that came in stands on the other side until it is explained
        if suspense != lines:
            findings.append(Finding("suspense = open lines", place, f"lines say {lines}, books {suspense}"))
        both = mirror_and_closing(session, account, book_id)
        if both is not None and both[0] != both[1]:
            detail = f"the bank says {both[1].text}, books {both[0].text}"
            findings.append(Finding("mirror = last statement", f"book {book_id} {account.mirror}", detail))
    return findings


def files(session: Session, account_id: UUID, *, cursor: str | None = None, limit: int = PAGE) -> Page[FileView]:
    """Return a page of an account's files, newest first."""
    statement = select(StatementFile).where(StatementFile.money_account_id == account_id)
    if cursor:
        (last,) = paging.decode(cursor, 1)
        statement = statement.where(StatementFile.id < _uuid(last))
    rows = session.execute(statement.order_by(StatementFile.id.desc()).limit(limit + 1)).scalars().all()
    more = paging.encode([rows[limit - 1].id]) if len(rows) > limit else None
    return Page([_file(row) for row in rows[:limit]], more)


def file(session: Session, file_id: UUID) -> FileView:
    """Return one file. Raises FileNotFound outside this scope."""
    row = session.get(StatementFile, file_id)
    if row is None:
        raise FileNotFound("There is no such statement file here.")
    return _file(row)


def file_body(session: Session, file_id: UUID) -> bytes:
    """Return a file as it came. Raises FileNotFound outside this scope."""
    row = session.get(StatementFile, file_id)
    if row is None:
        raise FileNotFound("There is no such statement file here.")
    return zlib.decompress(row.body_zlib)


_RULE_ID: ColumnElement[str] = literal_column(f"statement_match.evidence ->> '{RULE}'")


def rules(session: Session, account_id: UUID) -> list[RuleView]:
    """Return the rules that staff made for an account, the living ones first, the newest first."""
    rows = session.execute(
        select(BookingRule)
        .where(BookingRule.money_account_id == account_id)
        .order_by(BookingRule.ended_at.is_not(None), BookingRule.made_at.desc(), BookingRule.id)
    ).scalars()
    return _rules(session, rows.all())


def rule(session: Session, rule_id: UUID) -> RuleView:
    """Return one rule. Raises RuleNotFound outside this scope."""
    row = session.get(BookingRule, rule_id)
    if row is None:
        raise RuleNotFound("There is no such rule here.")
    return _rules(session, [row])[0]


def lines_of_rule(session: Session, rule_id: UUID) -> list[LineView]:
    """Return the lines that a rule explained, the newest first, those taken back included."""
    ids = [match.line_id for match in matches_of_rule(session, rule_id)]
    rows = session.execute(select(StatementLine).where(StatementLine.id.in_(ids)).order_by(StatementLine.booked_on.desc()))
    return _with_explanations(session, rows.scalars().all())


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


_ANNOUNCED = """
SELECT i.id, i.expected_on, i.amount_minor, i.currency, i.status, i.format, i.counterparty_name, i.text, i.creditor_refs
FROM statement_interim_line i
WHERE i.money_account_id = :account
  AND i.expected_on > (SELECT coalesce(max(to_on), '-infinity') FROM statement WHERE money_account_id = :account)
  AND NOT EXISTS (SELECT FROM statement_line l WHERE l.money_account_id = i.money_account_id AND l.amount_minor = i.amount_minor
    AND l.booked_on >= i.expected_on - 7 AND (l.identity = i.identity OR (i.bank_ref <> '' AND l.bank_ref = i.bank_ref)))
ORDER BY i.expected_on, i.id LIMIT :limit"""


def announced(session: Session, account_id: UUID, *, limit: int = PAGE) -> list[AnnouncedView]:
    """Return what the bank announced and no statement has booked yet, the oldest first. Nothing of it is in the books."""
    rows = session.execute(text(_ANNOUNCED), {"account": account_id, "limit": limit})
    return [
        AnnouncedView(row.id, row.expected_on, Money(row.amount_minor, row.currency.strip()), row.status, row.format,
                      row.counterparty_name, row.text, row.creditor_refs)
        for row in rows
    ]  # fmt: skip


def lines(
    session: Session, account_id: UUID, *, show: str = "open", cursor: str | None = None, limit: int = PAGE
) -> Page[LineView]:
    """Return a page of lines, oldest first, with suggestions and matches; `show` is a key of STATES."""
    statement = select(StatementLine).where(
        StatementLine.money_account_id == account_id, StatementLine.state.in_(STATES.get(show, STATES["open"]))
    )
    if cursor:
        day, last = paging.decode(cursor, 2)
        statement = statement.where(tuple_(StatementLine.booked_on, StatementLine.id) > tuple_(_day(day), _uuid(last)))
    rows = session.execute(statement.order_by(StatementLine.booked_on, StatementLine.id).limit(limit + 1)).scalars().all()
    more = paging.encode([rows[limit - 1].booked_on, rows[limit - 1].id]) if len(rows) > limit else None
    return Page(_with_explanations(session, rows[:limit]), more)


def line(session: Session, line_id: UUID) -> LineView:
    """Return one line with everything about it. Raises LineNotFound outside this scope."""
    row = session.get(StatementLine, line_id)
    if row is None:
        raise LineNotFound("There is no such statement line here.")
    return _with_explanations(session, [row])[0]


def line_of_proposal(session: Session, proposal_id: UUID) -> UUID:
    """Return the line that a proposal is about. Raises ProposalNotFound outside this scope."""
    row = session.get(BookingProposal, proposal_id)
    if row is None:
        raise ProposalNotFound("There is no such proposal here.")
    return row.line_id


def closes(session: Session, *, coop_id: UUID) -> list[CloseView]:
    """Return the closes of a co-op's periods, newest first."""
    rows = session.execute(select(PeriodClose).where(PeriodClose.coop_id == coop_id).order_by(PeriodClose.ends_on.desc()))
    return [_close(row) for row in rows.scalars()]


def close(session: Session, close_id: UUID) -> CloseView:
    """Return one close. Raises CloseNotFound outside this scope."""
    row = session.get(PeriodClose, close_id)
    if row is None:
        raise CloseNotFound("There is no such close here.")
    return _close(row)


def _uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise paging.BadCursor("This page link is not valid any more. Start the list again.", pointer="/cursor") from None


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise paging.BadCursor("This page link is not valid any more. Start the list again.", pointer="/cursor") from None


def _with_explanations(session: Session, rows: Sequence[StatementLine]) -> list[LineView]:
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
    return ProposalView(row.id, row.account_code, money, row.reason, row.proposed_by, row.proposed_at)


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


def _account(row: MoneyAccount) -> AccountView:
    return AccountView(row.id, row.coop_id, row.name, row.iban, row.currency, row.mirror, row.suspense)


def _file(row: StatementFile) -> FileView:
    return FileView(
        row.id, row.money_account_id, row.name, row.sha256, row.size_bytes, row.outcome, row.reason, row.code, row.format,
        row.balances, row.read_bytes, row.findings, row.new_lines, row.known_lines, row.provisional_lines,
        row.uploaded_at,
    )  # fmt: skip


def _close(row: PeriodClose) -> CloseView:
    return CloseView(
        row.id, row.starts_on, row.ends_on, row.state, row.items, row.trial_balance, row.prepared_by, row.prepared_at,
        row.closed_by, row.closed_at,
    )  # fmt: skip
