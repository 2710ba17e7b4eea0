"""Several matches in one act: candidates of a line together, a line in parts, every exact suggestion (money.md 8.3).

All or nothing: one refusal and none is made. Each match stays one that can be undone alone.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.kernel import locks
from market.kernel.actor import Actor
from market.statements.errors import LineExplained, LineNotFound, ReasonNeeded, SuggestionGone, WrongDirection
from market.statements.match_models import StatementSuggestion
from market.statements.models import MoneyAccount, StatementLine
from market.statements.service.accounts import account_of
from market.statements.service.applying import Wish, make_matches, rest_of
from market.statements.service.deciding import accepted, bookable, locked_line, note, refuse_alone
from market.statements.service.referring import meant

MANY = 500
"""Exact suggestions that one act accepts; the rest waits for the next one."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line: a reference of ours or a word of BOOKABLE, how much of the line, and for a booking why."""

    minor: int
    reference: str = ""
    account_code: str = ""
    reason: str = ""


def accept_several(
    session: Session,
    *,
    line_id: UUID,
    suggestion_ids: Sequence[UUID],
    actor: Actor,
    now: datetime,
    amounts: Mapping[UUID, int] | None = None,
) -> list[UUID]:
    """Accept candidates of one line together, each with its own amount or the one in `amounts`; return the matches' ids.

    Raises SuggestionGone, LineExplained when they are more than the line, and the refusals of make_matches.
    """
    line, account = locked_line(session, line_id)
    wanted = _suggestions(session, suggestion_ids)
    if not wanted or any(each.line_id != line_id for each in wanted):
        raise SuggestionGone("Choose at least one of the candidates of this line.", pointer="/suggestion")
    wishes = []
    left = rest_of(line)
    for suggestion in wanted:
        wish = accepted(session, suggestion, actor)
        minor = (amounts or {}).get(suggestion.id, min(wish.line_minor, left))
        if minor <= 0:
            raise LineExplained("Nothing of this line is left for one of the candidates.", pointer="/suggestion")
        left -= minor
        wishes.append(wish if minor == wish.line_minor else replace(wish, line_minor=minor, kind="partial"))
    refuse_alone(session, line, account, wishes, actor)
    note(session, actor, "statements.accepted", line, now, {"matches": [str(wish.id) for wish in wishes]})
    return make_matches(session, account, wishes, now=now)


def accept_many(session: Session, *, account_id: UUID, suggestion_ids: Sequence[UUID], actor: Actor, now: datetime) -> int:
    """Accept one suggestion each of many lines of an account; return how many. Raises SuggestionGone for two of one line."""
    wanted = _suggestions(session, suggestion_ids)
    if max(Counter(each.line_id for each in wanted).values(), default=1) > 1:
        raise SuggestionGone("Two of these belong to one line. Open it and choose.")
    lines = {line.id: line for line in locks.lock(session, StatementLine, [each.line_id for each in wanted])}
    by_account: dict[UUID, list[Wish]] = defaultdict(list)
    for suggestion in wanted:
        line = lines.get(suggestion.line_id)
        if line is None or line.money_account_id != account_id:
            raise LineNotFound("There is no such statement line here.")
        wish = accepted(session, suggestion, actor)
        by_account[account_id].append(wish)
        note(session, actor, "statements.accepted", line, now, {"rule": wish.rule, "match": str(wish.id)})
    for wishes in by_account.values():
        make_matches(session, account_of(session, account_id), wishes, now=now)
    return len(wanted)


def exact_suggestions(session: Session, *, account_id: UUID) -> list[UUID]:
    """Return the suggestions that explain their line to the cent, are its only one, and are wanted by no other line.

    Ordered by day; at most MANY. A rule found them and was not sure enough: a person looks at the list and accepts it whole.
    """
    live = StatementSuggestion.dismissed_at.is_(None)
    of_line = func.count().over(partition_by=StatementSuggestion.line_id)
    of_target = func.count().over(partition_by=(StatementSuggestion.target_kind, StatementSuggestion.target_id))
    rest = func.abs(StatementLine.amount_minor) - StatementLine.matched_minor
    found = (
        select(
            StatementSuggestion.id,
            StatementLine.booked_on,
            StatementSuggestion.line_id,
            of_line.label("of_line"),
            of_target.label("of_target"),
            ((StatementSuggestion.line_minor == rest) & (StatementSuggestion.fee_minor == 0)).label("exact"),
            StatementSuggestion.kind,
            StatementSuggestion.target_kind,
            StatementSuggestion.evidence["amount"].astext.label("amount"),
        )
        .join(StatementLine, StatementLine.id == StatementSuggestion.line_id)
        .where(StatementLine.money_account_id == account_id, StatementLine.state == "suggested", live)
        .subquery()
    )
    sure = (found.c.of_line == 1, found.c.of_target == 1, found.c.exact, found.c.kind == "full", found.c.amount == "equal")
    statement = select(found.c.id).where(*sure, found.c.target_kind.in_(("payout", "payment", "refund")))
    return list(session.scalars(statement.order_by(found.c.booked_on, found.c.line_id).limit(MANY)))


def split_line(session: Session, *, line_id: UUID, pieces: Sequence[Piece], actor: Actor, now: datetime) -> list[UUID]:
    """Explain a line by several things at once, each by a reference or a booking; return the matches' ids.

    Raises ReasonNeeded for a piece that names neither, LineExplained when they are more than the line, and what a single
    match or booking would raise.
    """
    line, account = locked_line(session, line_id)
    wishes = parts_of(session, line, account, pieces, actor)
    refuse_alone(session, line, account, wishes, actor)  # what one person may book alone is for all parts together
    note(session, actor, "statements.split", line, now, {"matches": [str(wish.id) for wish in wishes]})
    return make_matches(session, account, wishes, now=now)


def parts_of(session: Session, line: StatementLine, account: MoneyAccount, pieces: Sequence[Piece], actor: Actor) -> list[Wish]:
    """Return the matches that split a line, whoever may book so much. Raises what `split_line` says of a single piece."""
    if not pieces:
        raise ReasonNeeded("Write at least one part with its amount.", pointer="/minor-1")
    wishes = []
    for number, piece in enumerate(pieces, 1):
        if piece.minor <= 0:
            raise LineExplained("Each part needs an amount above zero.", pointer=f"/minor-{number}")
        try:
            wishes.append(_piece(session, line, account, piece, number, actor))
        except (WrongDirection, ReasonNeeded) as refusal:
            fields = {"/account_code": f"/account-{number}", "/reason": f"/reason-{number}"}
            refusal.pointer = fields.get(refusal.pointer or "", refusal.pointer)
            raise
    return wishes


def _piece(session: Session, line: StatementLine, account: MoneyAccount, piece: Piece, number: int, actor: Actor) -> Wish:
    if not piece.reference:
        return bookable(line, piece.account_code, piece.reason, piece.minor, actor)
    wish = meant(session, line, account, piece.reference, actor, pointer=f"/reference-{number}")
    return replace(wish, line_minor=piece.minor, kind="partial" if piece.minor < wish.line_minor else wish.kind)


def _suggestions(session: Session, ids: Sequence[UUID]) -> list[StatementSuggestion]:
    rows = session.scalars(
        select(StatementSuggestion)
        .where(StatementSuggestion.id.in_(ids), StatementSuggestion.dismissed_at.is_(None))
        .order_by(StatementSuggestion.line_id, StatementSuggestion.rank, StatementSuggestion.id)
    ).all()
    if len(rows) != len(set(ids)):
        raise SuggestionGone("One of these is gone: somebody decided, or matching ran again. Look at the list anew.")
    return list(rows)
