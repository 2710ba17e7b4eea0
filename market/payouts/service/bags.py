"""Cash bags: what a field officer takes along for a run, pays out against receipts, and brings back (E46).

Issued = paid + returned, per officer and run. What is missing is named, and stands as a claim on that bag's officer until
somebody owns it.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.kernel import audit, locks
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.kernel.words import say
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.payouts.errors import BagNotFound, BagRefused, StepRefused
from market.payouts.models import CashBag, PayoutRun
from market.payouts.queries.cash import paid_from
from market.payouts.rules.postings import bag_issued, bag_returned
from market.payouts.service.cash import CASH_BOX
from market.producers import queries as producers
from market.producers.errors import NotYoursToChange


def issue_bag(session: Session, *, actor: Actor, run_id: UUID, officer: str, money: Money, on: date, now: datetime) -> UUID:
    """Hand a bag for an approved run to an officer; return its id. Locks the run, so that numbers have no gaps. Posts.

    Raises BagRefused, StepRefused (run not approved), LimitExceeded (ledger) when the box does not hold the money.
    """
    run = locks.lock_one(session, PayoutRun, run_id)
    if run.state != "approved":
        raise StepRefused("Cash is handed out for an approved run only.", state=run.state)
    if not 2 <= len(officer.strip()) <= 120:
        raise BagRefused("Say who takes the bag.", pointer="/officer")
    zone = producers.coop(session, run.coop_id).time_zone
    if not day_in(run.approved_at or now, zone) <= on <= day_in(now, zone):
        raise BagRefused("The day cannot lie before the approval or after today.", pointer="/on")
    if money.minor <= 0:
        raise BagRefused("Put an amount above zero into the bag.", pointer="/amount")
    producers.lock_coop(session, run.coop_id)
    last = session.execute(select(func.max(CashBag.number)).where(CashBag.coop_id == run.coop_id)).scalar_one()
    bag = CashBag(
        id=new_id(), coop_id=run.coop_id, number=(last or 0) + 1, run_id=run.id, officer=officer.strip(),
        currency=money.currency, issued_minor=money.minor, issued_on=on, issued_by=actor.label, issued_at=now,
    )  # fmt: skip
    session.add(bag)
    session.flush()
    audit.record(
        session, actor=actor, action="payouts.bag_issued", subject_kind="cash_bag", subject_id=bag.id, now=now,
        coop_id=run.coop_id, new={"number": bag.number, "amount": money.text},
    )  # fmt: skip
    moves = bag_issued(str(bag.number), CASH_BOX, money, bag.id)
    book_id = ledger.book_of(session, run.coop_id)
    ledger.post(session, [Entry(book_id, "cash_bag_issued", f"cash_bag:{bag.id}:issued", on, actor.label, moves)], late=True)
    return bag.id


def close_bag(
    session: Session, *, actor: Actor, bag_id: UUID, returned: Money, on: date, explanation: str, now: datetime
) -> Money:
    """Count what came back: issued = paid + returned + missing; return what is missing. Locks the bag. Posts.

    Something missing needs an approver and a sentence. Raises BagRefused, StepRefused (closed already), NotYoursToChange.
    """
    bag = locked_bag(session, bag_id)
    if bag.closed_at is not None:
        raise StepRefused("This bag is counted already.", number=bag.number)
    if not bag.issued_on <= on <= day_in(now, producers.coop(session, bag.coop_id).time_zone):
        raise BagRefused("A bag comes back on the day that it was handed out or later, and not after today.", pointer="/on")
    left = bag.issued_minor - session.execute(paid_from(bag.id)).scalar_one()
    missing = Money(left - returned.minor, bag.currency)
    if returned.currency != bag.currency or returned.minor < 0 or missing.minor < 0:
        expected = Money(left, bag.currency)
        raise BagRefused(say("After its receipts %(left)s is in the bag. Count again.", left=expected), pointer="/returned")
    if missing and "approver" not in actor.roles:
        raise NotYoursToChange("Something is missing from this bag: an approver closes it.")
    if missing and len(explanation.strip()) < 5:
        raise BagRefused(say("%(missing)s is missing. Write what is known about it.", missing=missing), pointer="/explanation")
    bag.returned_minor, bag.missing_minor, bag.returned_on = returned.minor, missing.minor, on
    bag.closed_by, bag.closed_at, bag.explanation = actor.label, now, explanation.strip()[:500]
    audit.record(
        session, actor=actor, action="payouts.bag_closed", subject_kind="cash_bag", subject_id=bag.id, now=now,
        coop_id=bag.coop_id, new={"returned": returned.text, "missing": missing.text, "why": bag.explanation},
    )  # fmt: skip
    moves = bag_returned(str(bag.number), CASH_BOX, returned, f"bag-{bag.number}", bag.id, missing=missing)
    if moves:
        book_id = ledger.book_of(session, bag.coop_id)
        entry = Entry(book_id, "cash_bag_returned", f"cash_bag:{bag.id}:returned", on, actor.label, moves)
        ledger.post(session, [entry], late=True)
    return missing


def locked_bag(session: Session, bag_id: UUID) -> CashBag:
    """Return a bag under its row lock. Raises BagNotFound outside this scope."""
    rows = locks.lock(session, CashBag, [bag_id])
    if not rows:
        raise BagNotFound("There is no such cash bag here.")
    return rows[0]
