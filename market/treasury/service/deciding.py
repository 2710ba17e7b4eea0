"""Proposing, and the second person's word: once, by somebody else, on record; and booking what was decided."""

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel import audit, deciding
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.locks import lock
from market.kernel.words import Term, say
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry, Leg
from market.producers import queries as producers
from market.treasury.community_models import CommunityHolder, CommunityLeaving, CommunityScheme
from market.treasury.errors import NoRecord, NotOpen, NotYours, SecondPerson
from market.treasury.models import (
    CoopRecipient,
    CoopShare,
    FxConversion,
    Loan,
    LoanRepayment,
    OpeningBalance,
    PremiumInvoice,
    PremiumItem,
    PremiumSpending,
)

Row = TypeVar(
    "Row", CoopRecipient, CoopShare, PremiumInvoice, PremiumItem, PremiumSpending, FxConversion, Loan, LoanRepayment,
    CommunityScheme, CommunityHolder, CommunityLeaving, OpeningBalance,
)  # fmt: skip
_WAITED = {"state": "proposed"}


def add(session: Session, row: Row, *, actor: Actor, now: datetime, facts: dict[str, Any]) -> UUID:
    """Keep a proposal and note it; return its id."""
    session.add(row)
    session.flush()
    _note(session, row, "proposed", actor=actor, now=now, new=facts)
    return row.id


def locked(session: Session, model: type[Row], row_id: UUID, *, state: str) -> Row:
    """Return a row in a state, locked. Raises NoRecord, NotOpen."""
    row = next(iter(lock(session, model, [row_id])), None)
    if row is None:
        raise NoRecord("There is no such record here.")
    if row.state != state:
        raise NotOpen(say("This is %(state)s already.", state=Term(row.state)), state=row.state)
    return row


def decide(session: Session, model: type[Row], row_id: UUID, *, actor: Actor, state: str, now: datetime) -> Row:
    """Give a proposal its end; return it. Raises NoRecord, NotOpen, SecondPerson."""
    row = locked(session, model, row_id, state="proposed")
    deciding.decide(row, state, actor=actor, now=now, refusal=SecondPerson)
    _note(session, row, state, actor=actor, now=now, old=_WAITED, new={"state": state})
    return row


def withdraw(session: Session, model: type[Row], row_id: UUID, *, actor: Actor, now: datetime) -> None:
    """End one's own proposal that nobody has decided. Raises NoRecord, NotOpen, NotYours."""
    row = locked(session, model, row_id, state="proposed")
    deciding.withdraw(row, actor=actor, now=now, refusal=NotYours)
    _note(session, row, row.state, actor=actor, now=now, old=_WAITED, new={"state": row.state})


def end(session: Session, row: Row, state: str, *, actor: Actor, now: datetime) -> None:
    """Give a row another state and note who did."""
    old, row.state = row.state, state
    _note(session, row, state, actor=actor, now=now, old={"state": old}, new={"state": state})


def book(session: Session, row: Row, kind: str, legs: tuple[Leg, ...], *, actor: Actor, now: datetime, **note: str) -> None:
    """Post what a decision moves, on the co-op's day; the row's id and `kind` name the fact."""
    on = day_in(now, producers.coop(session, row.coop_id).time_zone)
    book_id = ledger.book_of(session, row.coop_id)
    ledger.post(session, [Entry(book_id, kind, f"{kind}:{row.id}", on, actor.label, legs, note=note or None)])


def unbook(session: Session, row: Row, kind: str, *, actor: Actor, now: datetime) -> None:
    """Post the exact mirror of what `book` posted for a row under `kind`: the reverse of the event, once."""
    book_id = ledger.book_of(session, row.coop_id)
    booked = books.transaction_id(session, book_id, f"{kind}:{row.id}")
    on = day_in(now, producers.coop(session, row.coop_id).time_zone)
    legs = tuple(leg.mirrored() for leg in books.legs_of(session, book_id, booked))
    key = f"{kind}:{row.id}:taken_back"
    ledger.post(session, [Entry(book_id, f"{kind}_taken_back", key, on, actor.label, legs, reverses=booked)])


def _note(session: Session, row: Row, what: str, *, actor: Actor, now: datetime, **values: dict[str, Any]) -> None:
    audit.record(
        session, actor=actor, action=f"treasury.{row.__tablename__}_{what}", subject_kind=row.__tablename__, subject_id=row.id,
        coop_id=row.coop_id, now=now, **values,
    )  # fmt: skip
