"""Cheques: issued under a number, cashed when a statement shows them, voided by a second person before that."""

import re
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel import audit, locks
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.words import say
from market.payouts.errors import ChequeRefused, SamePerson, StepRefused
from market.payouts.models import Cheque, Payout, PayoutRun
from market.payouts.rules.states import Step, transition
from market.payouts.service.settle import undo
from market.producers import queries as producers

_NUMBER = re.compile(r"[A-Z0-9][A-Z0-9/-]{0,29}")


def issue_cheque(session: Session, *, actor: Actor, payout_id: UUID, number: str, on: date, now: datetime) -> None:
    """Write down the cheque that was made out for a payout: it counts as sent. Raises ChequeRefused, StepRefused."""
    payout = locks.lock_one(session, Payout, payout_id)
    if payout.rail != "cheque":
        raise StepRefused("Only a payout by cheque has a cheque.", rail=payout.rail)
    step = transition(payout.state, Step.ISSUE)
    number = number.strip().upper()
    if not _NUMBER.fullmatch(number):
        raise ChequeRefused("The cheque's number has 1 to 30 letters, digits, - or /.", pointer="/number")
    zone = producers.coop(session, payout.coop_id).time_zone
    approved_at = session.get_one(PayoutRun, payout.run_id).approved_at or now
    if not day_in(approved_at, zone) <= on <= day_in(now, zone):
        raise ChequeRefused("The day cannot lie before the approval or after today.", pointer="/on")
    used = select(Cheque.payout_id).where(Cheque.coop_id == payout.coop_id, Cheque.number == number)
    if session.execute(used).first() is not None:
        raise ChequeRefused(say("Cheque %(number)s is recorded already.", number=number), pointer="/number")
    session.add(
        Cheque(payout_id=payout.id, coop_id=payout.coop_id, number=number, issued_on=on, issued_by=actor.label, issued_at=now)
    )
    payout.state, payout.changed_at, payout.first_sent_at = step.target, now, now
    audit.record(
        session, actor=actor, action="payouts.cheque_issued", subject_kind="payout", subject_id=payout.id, now=now,
        coop_id=payout.coop_id, new={"number": number},
    )  # fmt: skip


def void_cheque(session: Session, *, actor: Actor, payout_id: UUID, reason: str, now: datetime) -> None:
    """Void a cheque that nobody cashed (lost, torn, stale): what it pays is open again (E42). Posts.

    A voided cheque must be stopped at the bank first. Raises SamePerson for whoever issued it, StepRefused, ChequeRefused.
    """
    payout = locks.lock_one(session, Payout, payout_id)
    cheque = session.get(Cheque, payout.id)
    if cheque is None or cheque.voided_at is not None:
        raise StepRefused("There is no cheque to be voided.", state=payout.state)
    transition(payout.state, Step.FAIL)
    if cheque.issued_by == actor.label:
        raise SamePerson("You issued this cheque. Somebody else has to void it.")
    if len(reason.strip()) < 5:
        raise ChequeRefused("Write why, and when the bank was told to stop it.", pointer="/reason")
    cheque.voided_by, cheque.voided_at, cheque.void_reason = actor.label, now, reason.strip()[:500]
    undo(session, payout, Step.FAIL, reason=reason.strip(), actor=actor, now=now)
