"""Open the last closed period again: a visible act of two persons with a reason (money.md 1.4)."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.kernel import audit, deciding, locks
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.text import says_why
from market.kernel.words import say
from market.ledger import queries as books
from market.ledger import service as ledger
from market.statements.errors import NothingProposed, NotYours, ReasonNeeded, ReopeningRefused, SecondPersonNeeded
from market.statements.models import PeriodClose, PeriodReopening
from market.statements.service.closing import CloseNotFound

ENDS = {
    "opened": "statements.period_reopened",
    "declined": "statements.reopening_declined",
    "withdrawn": "statements.reopening_withdrawn",
}
"""What the audit calls the end of a proposal."""


def propose_reopening(session: Session, *, close_id: UUID, reason: str, actor: Actor, now: datetime) -> PeriodReopening:
    """Propose to open the days of the last closed period again; they stay closed until another person agrees.

    Raises CloseNotFound, ReasonNeeded below ten letters, ReopeningRefused when it is not the last one, when days are being
    closed, or when somebody has proposed it already.
    """
    if not says_why(reason):
        raise ReasonNeeded("Say in a sentence what has to be put right in the closed period.", pointer="/reason")
    close = _locked(session, close_id)
    _check_last(session, close)
    if _waiting(session, close_id) is not None:
        raise ReopeningRefused("To open this period again was proposed already. Another person decides.")
    row = PeriodReopening(
        id=new_id(), coop_id=close.coop_id, close_id=close.id, reason=reason.strip(), state="proposed",
        proposed_by=actor.label, proposed_at=now,
    )  # fmt: skip
    session.add(row)
    audit.record(session, actor=actor, action="statements.reopening_proposed", subject_kind="period_close", subject_id=close.id,
                 coop_id=close.coop_id, now=now, new={"ends_on": close.ends_on.isoformat(), "reason": row.reason})  # fmt: skip
    return row


def decide_reopening(session: Session, *, close_id: UUID, agreed: bool, actor: Actor, now: datetime) -> PeriodReopening:
    """Open the days again as the second person, or decline. What was booked on a later day for them stays there.

    Its protocol is kept, marked as opened again; closing the days anew makes another one. Waits for postings in flight.
    Raises CloseNotFound, NothingProposed, SecondPersonNeeded for whoever proposed it, and ReopeningRefused when a later period
    is closed or being closed since.
    """
    close, row = _proposed(session, close_id)
    if agreed:
        _check_last(session, close)
    deciding.decide(row, "opened" if agreed else "declined", actor=actor, now=now, refusal=SecondPersonNeeded)
    _note(session, close, row, actor=actor, now=now)
    if agreed:
        close.state = "reopened"
        before = session.execute(
            select(func.max(PeriodClose.ends_on)).where(
                PeriodClose.coop_id == close.coop_id, PeriodClose.state == "closed", PeriodClose.ends_on < close.ends_on
            )
        ).scalar_one()
        first = before + timedelta(days=1) if before else None
        ledger.reopen_days(session, ledger.book_of(session, close.coop_id), since=first, through=close.ends_on)
    return row


def withdraw_reopening(session: Session, *, close_id: UUID, actor: Actor, now: datetime) -> PeriodReopening:
    """Withdraw one's own proposal that nobody has decided; the days stay closed.

    Raises CloseNotFound, NothingProposed, NotYours.
    """
    close, row = _proposed(session, close_id)
    deciding.withdraw(row, actor=actor, now=now, refusal=NotYours)
    _note(session, close, row, actor=actor, now=now)
    return row


def may_be_reopened(session: Session, close_id: UUID) -> bool:
    """Return whether a close is the last one, with no other being prepared. Raises CloseNotFound."""
    try:
        _check_last(session, _found(session, close_id))
    except ReopeningRefused:
        return False
    return True


def _found(session: Session, close_id: UUID) -> PeriodClose:
    close = session.get(PeriodClose, close_id)
    if close is None:
        raise CloseNotFound("There is no such close here.")
    return close


def _locked(session: Session, close_id: UUID) -> PeriodClose:
    return locks.lock_one(session, PeriodClose, _found(session, close_id).id)


def _waiting(session: Session, close_id: UUID) -> PeriodReopening | None:
    return session.scalars(select(PeriodReopening).filter_by(close_id=close_id, state="proposed")).one_or_none()


def _proposed(session: Session, close_id: UUID) -> tuple[PeriodClose, PeriodReopening]:
    """Return a close, locked, with the proposal to open it again that waits."""
    close = _locked(session, close_id)
    row = _waiting(session, close_id)
    if row is None:
        raise NothingProposed("Nobody has proposed to open this period again, or it was decided already.")
    return close, row


def _note(session: Session, close: PeriodClose, row: PeriodReopening, *, actor: Actor, now: datetime) -> None:
    audit.record(session, actor=actor, action=ENDS[row.state], subject_kind="period_close", subject_id=close.id,
                 coop_id=close.coop_id, now=now, new={"ends_on": close.ends_on.isoformat(), "reason": row.reason})  # fmt: skip


def _check_last(session: Session, close: PeriodClose) -> None:
    if close.state != "closed":
        raise ReopeningRefused("Only a period that is closed can be opened again.")
    book_id = ledger.book_of(session, close.coop_id)
    closed = books.shut_days(session, [book_id])[book_id].closed
    if closed is not None and closed > close.ends_on:
        raise ReopeningRefused(
            say("The books are closed through %(closed)s. Only the last closed period can be opened again.", closed=closed)
        )
    prepared = session.execute(
        select(func.max(PeriodClose.ends_on)).where(PeriodClose.coop_id == close.coop_id, PeriodClose.state == "prepared")
    ).scalar_one()
    if prepared is not None:
        raise ReopeningRefused(
            say("The period up to %(day)s is being closed. Take that close back first, or finish it.", day=prepared)
        )
