"""The second person's word on something proposed: once, by somebody else, on record."""

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from market.earnings.errors import NoRecord, NotOpen, SecondPerson
from market.earnings.models import Advance, Distribution, PayableCorrection
from market.kernel import audit, deciding
from market.kernel.actor import Actor
from market.kernel.locks import lock
from market.kernel.words import Term, say

Proposed = TypeVar("Proposed", Advance, Distribution, PayableCorrection)


def decide(session: Session, model: type[Proposed], row_id: UUID, *, actor: Actor, state: str, now: datetime) -> Proposed:
    """Lock a proposed row and give it its end; return it. Raises NoRecord, NotOpen, SecondPerson."""
    row = next(iter(lock(session, model, [row_id])), None)
    if row is None:
        raise NoRecord("There is no such record here.")
    if row.state != "proposed":
        raise NotOpen(say("This is %(state)s already.", state=Term(row.state)), state=row.state)
    deciding.decide(row, state, actor=actor, now=now, refusal=SecondPerson)
    audit.record(
        session,
        actor=actor,
        action=f"earnings.{model.__tablename__}_{state}",
        subject_kind=model.__tablename__,
        subject_id=row.id,
        coop_id=row.coop_id,
        now=now,
        old={"state": "proposed"},
        new={"state": state},
    )
    return row
