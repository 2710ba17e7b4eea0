"""A booking or a split that one person may not make alone: proposed, then decided by somebody who approves (money.md 8.3)."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel import locks
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.kernel.words import say
from market.statements.errors import LineExplained, ProposalClosed, ProposalNotFound, ReasonNeeded, SecondPersonNeeded
from market.statements.match_models import BookingProposal
from market.statements.models import MoneyAccount, StatementLine
from market.statements.service.applying import Wish, make_matches, rest_of
from market.statements.service.deciding import book_line, bookable, locked_line, note
from market.statements.service.together import Piece, parts_of, split_line


def book_or_propose(
    session: Session,
    *,
    line_id: UUID,
    account_code: str,
    reason: str,
    actor: Actor,
    now: datetime,
    amount_minor: int | None = None,
) -> UUID | None:
    """Book a line as `book_line` does and return the match's id; propose it instead, and return None, when it takes two persons.

    A proposed line is parked. Raises what `book_line` raises beside SecondPersonNeeded, and ProposalClosed when one waits.
    """
    asked = {"line_id": line_id, "account_code": account_code, "reason": reason, "amount_minor": amount_minor}
    try:
        return book_line(session, actor=actor, now=now, **asked)  # type: ignore[arg-type]
    except SecondPersonNeeded:
        line, account = locked_line(session, line_id)
    minor = rest_of(line) if amount_minor is None else amount_minor
    wish = bookable(line, account_code, reason, minor, actor)
    _propose(session, line, account, [wish], str(wish.reason), actor, now, account_code=account_code)
    return None


def split_or_propose(
    session: Session, *, line_id: UUID, pieces: Sequence[Piece], actor: Actor, now: datetime
) -> list[UUID] | None:
    """Split a line as `split_line` does and return the matches' ids; propose the parts, and return None, when it takes two.

    Raises what `split_line` raises beside SecondPersonNeeded, and ProposalClosed when one waits.
    """
    try:
        return split_line(session, line_id=line_id, pieces=pieces, actor=actor, now=now)
    except SecondPersonNeeded:
        line, account = locked_line(session, line_id)
    wishes = parts_of(session, line, account, pieces, actor)
    reasons = "; ".join(dict.fromkeys(str(wish.reason) for wish in wishes if wish.reason))
    _propose(session, line, account, wishes, reasons, actor, now, pieces=[asdict(piece) for piece in pieces])
    return None


def _propose(
    session: Session,
    line: StatementLine,
    account: MoneyAccount,
    wishes: Sequence[Wish],
    reason: str,
    actor: Actor,
    now: datetime,
    **what: Any,
) -> None:
    """Keep what may be booked for somebody who approves, and park the line; `what` is the account or the pieces."""
    minor = sum(wish.line_minor for wish in wishes)
    if minor > rest_of(line):
        rest = Money(rest_of(line), account.currency)
        raise LineExplained(say("Of this line only %(rest)s is still unexplained.", rest=rest), pointer="/amount")
    waiting = select(BookingProposal.id).where(BookingProposal.line_id == line.id, BookingProposal.state == "proposed")
    if session.scalar(waiting):
        raise ProposalClosed("A proposal for this line waits already. Take it back first.")
    row = BookingProposal(
        id=new_id(),
        coop_id=line.coop_id,
        line_id=line.id,
        amount_minor=minor,
        reason=reason,
        state="proposed",
        proposed_by=actor.label,
        proposed_at=now,
        **what,
    )
    session.add(row)
    line.state, line.question = "parked", row.reason[:500]
    note(session, actor, "statements.proposed", line, now, {**_facts(row, account), "reason": row.reason})
    session.flush()


def _facts(row: BookingProposal, account: MoneyAccount) -> dict[str, Any]:
    what = {"account": row.account_code} if row.pieces is None else {"parts": len(row.pieces)}
    return {**what, "amount": Money(row.amount_minor, account.currency).text}


def decide_proposal(
    session: Session, *, proposal_id: UUID, accepted: bool, answer: str, actor: Actor, now: datetime
) -> StatementLine:
    """Book what was proposed, or decline it in words; return its line. Posts, so call it last.

    Whoever proposed it can only take it back. Raises ProposalNotFound, ProposalClosed, SecondPersonNeeded, ReasonNeeded, and
    LineExplained when the line was explained otherwise in the meantime.
    """
    line_id = session.scalar(select(BookingProposal.line_id).where(BookingProposal.id == proposal_id))
    if line_id is None:
        raise ProposalNotFound("There is no such proposal here.")
    line, account = locked_line(session, line_id)
    row = locks.lock_one(session, BookingProposal, proposal_id)
    if row.state != "proposed":
        raise ProposalClosed("This proposal was decided already.")
    own = row.proposed_by == actor.label
    if accepted and own:
        raise SecondPersonNeeded("You proposed this. Somebody else has to accept it.")
    if not own and "approver" not in actor.roles:
        raise SecondPersonNeeded("Somebody who approves decides this.")
    if not accepted and not own and len(answer.strip()) < 3:
        raise ReasonNeeded("Say in a few words why not, so that your colleague can go on.", pointer="/answer")
    row.state, row.decided_by, row.decided_at = "accepted" if accepted else "declined", actor.label, now
    row.answer = answer.strip()[:300] or None
    if line.state == "parked":
        line.state = "new"
        line.question = None if accepted else row.answer
    note(session, actor, f"statements.proposal_{row.state}", line, now, {**_facts(row, account), "answer": row.answer})
    if accepted:
        wishes = _wishes(session, line, account, row, actor)
        session.flush()
        make_matches(session, account, wishes, now=now)
    return line


def _wishes(session: Session, line: StatementLine, account: MoneyAccount, row: BookingProposal, actor: Actor) -> list[Wish]:
    if row.account_code is not None:
        return [bookable(line, row.account_code, row.reason, row.amount_minor, actor)]
    return parts_of(session, line, account, [Piece(**piece) for piece in row.pieces or ()], actor)
