"""Take what the bank made of a payment file: payments accepted, or rejected with a reason (money.md 6.1, 6.2).

Accepted is not paid: an accepted payout waits for its statement line. Rejected is the bank's definite no, so the payables
are open again (E42). What contradicts our books is left to a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel import locks
from market.kernel.actor import Actor
from market.kernel.words import say
from market.payouts.errors import FileNotFound
from market.payouts.models import Payout, PayoutFile
from market.payouts.rules.states import State, Step
from market.payouts.service.files import mark_submitted
from market.payouts.service.settle import undo

_OPEN = (State.SENDING, State.SENT, State.UNKNOWN, State.NEEDS_PERSON)


@dataclass(frozen=True, slots=True)
class BankStatus:
    """The bank's word about one payment: accepted, rejected (with the reason), or neither yet (None)."""

    accepted: bool | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StatusTaken:
    """What followed: references of payouts by what became of them; `puzzling` ones are for a person."""

    accepted: Sequence[str]
    rejected: Sequence[str]
    known: Sequence[str]
    puzzling: Sequence[str]


def take_status(
    session: Session,
    *,
    coop_id: UUID,
    message_id: str,
    whole: BankStatus | None,
    payments: Mapping[str, BankStatus],
    actor: Actor,
    now: datetime,
) -> StatusTaken:
    """Apply a report to the payouts of one file; `payments` is by reference and goes before the word about the `whole`.

    The same report again changes nothing. Raises FileNotFound when the co-op sent no such file. Locks the file, then its
    payouts. Posts.
    """
    file = session.execute(
        select(PayoutFile).where(PayoutFile.coop_id == coop_id, PayoutFile.message_id == message_id)
    ).scalar_one_or_none()
    if file is None:
        raise FileNotFound(say("No payment file of this co-op has the number %(message_id)s.", message_id=message_id))
    ids = session.scalars(select(Payout.id).where(Payout.file_id == file.id))
    rows = {row.reference: row for row in locks.lock(session, Payout, list(ids))}
    words = {reference: payments.get(reference, whole) for reference in rows}
    if file.submitted_at is None and any(word is not None for word in words.values()):
        mark_submitted(session, actor=actor, file_id=file.id, now=now)  # the bank has it, whoever gave it to them
        session.expire_all()
    accepted, rejected, known = list[str](), list[str](), list[str]()
    puzzling = sorted(set(payments) - set(rows))
    for reference, word in sorted(words.items()):
        if word is None or word.accepted is None:
            continue
        row, open_ = rows[reference], rows[reference].state in _OPEN
        if word.accepted:
            (accepted if open_ else known if row.state == State.SETTLED else puzzling).append(reference)
        elif open_:
            undo(session, row, Step.FAIL, reason=word.reason, actor=actor, now=now)
            rejected.append(reference)
        else:
            (known if row.state == State.FAILED else puzzling).append(reference)
    return StatusTaken(accepted, rejected, known, puzzling)
