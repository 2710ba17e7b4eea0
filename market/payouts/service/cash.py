"""Cash: the receipt settles the payout (E46 with one box instead of bags), and the box is filled from the bank (E52)."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel import audit, locks, outbox
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.kernel.words import say
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry, legs
from market.payouts.errors import BagNotFound, ReceiptRefused, SamePerson, StepRefused
from market.payouts.models import CashBag, CashReceipt, Payout, PayoutRun
from market.payouts.rules.cash import Receipt, check_receipt
from market.payouts.rules.postings import paid_from_bag, paid_from_box
from market.payouts.rules.states import Step, transition
from market.payouts.service.settle import GivenBack, mark_items_paid, return_all
from market.producers import queries as producers

CASH_BOX = "cash:1"


def record_receipt(
    session: Session, *, actor: Actor, payout_id: UUID, receipt: Receipt, now: datetime, bag_id: UUID | None = None
) -> UUID:
    """Record the signed receipt of a cash payout: it is settled, and box or bag holds less. Return the receipt's id.

    Raises ReceiptRefused for a receipt that proves nothing or a number used before, LimitExceeded (ledger) when the box
    does not hold the money.
    """
    payout = locks.lock_one(session, Payout, payout_id)
    if payout.rail != "cash":
        raise StepRefused("Only a cash payout ends with a receipt.", rail=payout.rail)
    step = transition(payout.state, Step.HAND_OVER)
    coop = producers.coop(session, payout.coop_id)
    run = session.get_one(PayoutRun, payout.run_id)
    owed = Money(payout.amount_minor, payout.currency)
    checked = check_receipt(
        receipt,
        owed=owed,
        payee=str(payout.details["holder"]),
        approved_on=day_in(run.approved_at or now, coop.time_zone),
        today=day_in(now, coop.time_zone),
    )
    used = select(CashReceipt.id).where(CashReceipt.coop_id == payout.coop_id, CashReceipt.number == checked.number)
    if session.execute(used).first() is not None:
        raise ReceiptRefused(say("Receipt %(number)s is recorded already.", number=checked.number), pointer="/number")
    bag = _bag_for(session, bag_id, payout, checked.paid_on) if bag_id is not None else None
    row = CashReceipt(
        id=new_id(),
        coop_id=payout.coop_id,
        payout_id=payout.id,
        number=checked.number,
        paid_on=checked.paid_on,
        currency=owed.currency,
        amount_minor=owed.minor,
        cashier=checked.cashier,
        taken_by=checked.taken_by,
        signed=checked.signed,
        witness=checked.witness,
        mandate=checked.mandate,
        bag_id=bag_id,
        recorded_by=actor.label,
        recorded_at=now,
    )
    session.add(row)
    payout.state, payout.changed_at, payout.settled_on = step.target, now, checked.paid_on
    mark_items_paid(session, payout.id)
    outbox.announce(session, "payouts.settled", {"payout_id": payout.id})
    audit.record(
        session,
        actor=actor,
        action="payouts.cash_paid",
        subject_kind="payout",
        subject_id=payout.id,
        now=now,
        coop_id=payout.coop_id,
        new={"receipt": checked.number},
    )
    moves = (
        paid_from_box(payout.source_account, owed, payout.id) if bag is None else paid_from_bag(str(bag.number), owed, payout.id)
    )
    book_id = ledger.book_of(session, payout.coop_id)
    entry = Entry(book_id, "cash_paid", f"payout:{payout.id}:receipt", checked.paid_on, actor.label, moves)
    ledger.post(session, [entry], late=True)  # the paper names the day, which may be closed by now
    return row.id


def take_back_receipt(session: Session, *, actor: Actor, payout_id: UUID, reason: str, now: datetime) -> None:
    """Take a receipt back that proves nothing after all: the debt is whole again (E43), the money lies where it was paid from.

    The paper stays on record with its number. From a bag that is counted, the money counts as lying in the box. Posts.
    Raises SamePerson for whoever recorded it, ReceiptRefused without a reason, StepRefused when it is taken back already.
    """
    payout = locks.lock_one(session, Payout, payout_id)
    row = session.execute(select(CashReceipt).where(CashReceipt.payout_id == payout_id)).scalar_one_or_none()
    if row is None:
        raise StepRefused("This payout has no receipt.", state=payout.state)
    if row.recorded_by == actor.label:
        raise SamePerson("You recorded this receipt. Somebody else has to take it back.")
    if len(reason.strip()) < 5:
        raise ReceiptRefused("Write what was wrong with the receipt.", pointer="/reason")
    bag = locks.lock_one(session, CashBag, row.bag_id) if row.bag_id is not None else None
    lies = f"cash_bag:{bag.number}" if bag is not None and bag.closed_at is None else payout.source_account
    on = day_in(now, producers.coop(session, payout.coop_id).time_zone)
    back = GivenBack(payout_id, Money(row.amount_minor, row.currency), reason.strip())
    moves = return_all(session, [back], suspense=lies, now=now)[payout_id]
    audit.record(
        session, actor=actor, action="payouts.receipt_taken_back", subject_kind="payout", subject_id=payout.id, now=now,
        coop_id=payout.coop_id, old={"receipt": row.number}, new={"reason": reason.strip()},
    )  # fmt: skip
    book_id = ledger.book_of(session, payout.coop_id)
    ledger.post(session, [Entry(book_id, "cash_returned", f"payout:{payout.id}:receipt:back", on, actor.label, moves)], late=True)


def _bag_for(session: Session, bag_id: UUID, payout: Payout, paid_on: date) -> CashBag:
    rows = locks.lock(session, CashBag, [bag_id])
    if not rows:
        raise BagNotFound("There is no such cash bag here.")
    bag = rows[0]
    if bag.closed_at is not None or bag.run_id != payout.run_id or bag.currency != payout.currency:
        raise ReceiptRefused("Choose an open bag of this run and currency.", pointer="/bag")
    if paid_on < bag.issued_on:
        raise ReceiptRefused("This bag was handed out after the day of the receipt.", pointer="/paid_on")
    return bag


def fill_cash_box(session: Session, *, actor: Actor, coop_id: UUID, money: Money, on: date, slip: str, now: datetime) -> bool:
    """Book money taken from the bank into the box; the bank's line is later matched to the same transit (E52).

    `slip` is the number of the withdrawal slip, whatever letters are capitals: the same slip is booked once. Returns False
    when it was booked before, with the same figures. Raises ReceiptRefused, and what the books say to other figures.
    """
    slip = " ".join(slip.split())
    if money.minor <= 0 or not slip:
        raise ReceiptRefused("Give an amount above zero and the number of the withdrawal slip.", pointer="/slip")
    if on > day_in(now, producers.coop(session, coop_id).time_zone):
        raise ReceiptRefused("The day cannot lie after today.", pointer="/on")
    book_id = ledger.book_of(session, coop_id)
    spellings = (f"cash_box:{slip}", f"cash_box:{slip.upper()}")  # slips used to be booked as they were typed
    before = next((key for key in spellings if books.booked(session, book_id, key)), None)
    moves = legs((CASH_BOX, "own_transit", money))
    ledger.post(session, [Entry(book_id, "cash_box_filled", before or spellings[1], on, actor.label, moves)], late=True)
    if before is not None:
        return False
    audit.record(
        session, actor=actor, action="payouts.box_filled", subject_kind="cash_box", subject_id=CASH_BOX, now=now,
        coop_id=coop_id, new={"amount": money.text, "slip": slip},
    )  # fmt: skip
    return True


def cash_box_holds(session: Session, *, coop_id: UUID) -> list[Money]:
    """Return what the co-op's box holds by the books, per currency."""
    return [one.money for one in books.balances(session, ledger.book_of(session, coop_id), prefix=CASH_BOX)]
