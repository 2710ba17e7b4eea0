"""Bank transfers in: what a line on the bank's statement does to a payment that waits for it (E05 to E09)."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from market.kernel import outbox
from market.kernel.ids import new_id
from market.kernel.locks import lock_one
from market.kernel.money import Money
from market.kernel.words import say
from market.ledger import service as ledger
from market.ledger.queries import balance
from market.ledger.rules import Leg
from market.payments.errors import (
    LaterTransfer,
    PaymentDisputed,
    PaymentMissing,
    PaymentNotOpen,
    TransferAlreadyUsed,
    TransferEarned,
    TransferGivenBack,
    WrongCurrency,
)
from market.payments.events import PAID, SURPLUS, SURPLUS_TAKEN_BACK
from market.payments.models import Dispute, Payment, PaymentPartRow, Refund, TransferReceipt
from market.payments.queries import PaymentView, parts, transfers_taken_back, view
from market.payments.rules import PAID as PAID_STATES
from market.payments.rules import Arrival, State, arrival
from market.payments.service.books import credit_account, is_held, legs_of
from market.payments.service.open import ids_of


@dataclass(frozen=True, slots=True)
class Received:
    """What a transfer did: the payment as it is now, the book and the legs to post against the suspense."""

    payment: PaymentView
    coop_id: UUID
    legs: tuple[Leg, ...]


def record_transfer(
    session: Session,
    *,
    payment_id: UUID,
    line_subject: UUID,
    amount: Money,
    booked_on: date,
    now: datetime,
    suspense: str = "suspense:1",
) -> Received:
    """Count `amount` of a statement line for a payment and return the legs of its match, for the caller to post.

    Exact, a little short, in parts, too much, or too late: all end in a state and nothing is lost. Announces
    `payments.paid` when it completes the payment and `payments.surplus` when more came than was waited for. Locks the payment.
    Raises WrongCurrency, TransferAlreadyUsed, PaymentNotOpen for a card payment.
    """
    row = lock_one(session, Payment, payment_id)
    if row.method != "transfer":
        raise PaymentNotOpen("This payment is made by card; a transfer cannot belong to it.")
    if amount.currency != row.currency:
        raise WrongCurrency("The transfer is in another currency than the payment: a person decides.")
    used = select(TransferReceipt.id).where(TransferReceipt.line_subject == line_subject, TransferReceipt.undone_at.is_(None))
    if session.scalars(used).first() is not None:
        raise TransferAlreadyUsed("This line is counted for a payment already.")
    before = State(row.state)
    bought = parts(session, payment_id)
    if not bought:
        raise PaymentMissing("There is no such payment here.")
    waiting = Money(row.received_minor if before is State.PART_PAID else 0, row.currency)
    what = arrival(
        bought,
        state=before,
        credit_before=waiting,
        amount=amount,
        suspense=suspense,
        credit=credit_account(payment_id),
        line=line_subject,
    )
    row.received_minor += amount.minor
    _become(session, row, before, what, now)
    if what.credit and what.state in PAID_STATES:
        outbox.announce(session, SURPLUS, {"payment_id": str(row.id)}, key=str(row.id))
    session.add(
        TransferReceipt(
            id=new_id(),
            coop_id=bought[0].coop_id,
            payment_id=payment_id,
            line_subject=line_subject,
            currency=amount.currency,
            amount_minor=amount.minor,
            booked_on=booked_on,
            was=before,
            became=what.state,
            received_at=now,
        )
    )
    session.flush()  # the match that the caller writes next refers to it
    return Received(view(row), bought[0].coop_id, legs_of(what.moves))


def _become(session: Session, row: Payment, before: State, what: Arrival, now: datetime) -> None:
    if what.state is before:
        return
    row.state = what.state
    if what.state not in PAID_STATES:
        return
    row.paid_at = now
    for move in what.moves:
        if move.debit == "write_off":
            session.get_one(PaymentPartRow, (row.id, move.subject)).written_off_minor = move.money.minor
    if what.state is State.SUCCEEDED:
        outbox.announce(session, PAID, ids_of(view(row)), key=str(row.id))


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The payment after one of its transfers was taken from it, and whether what it pays is not paid any more."""

    payment: PaymentView
    unpaid: bool


def undo_transfer(session: Session, *, line_subject: UUID, until: datetime, now: datetime) -> TakenBack:
    """Take back that a line belonged to a payment, because its match is undone; the caller mirrors the postings.

    What came too much is taken from the buyer's credit. Where it had completed the payment, the rest is awaited again until
    `until`, and the caller sees to what was paid. Locks the payment. Raises PaymentNotOpen for a line that no payment counts,
    LaterTransfer, TransferGivenBack, TransferEarned, PaymentDisputed.
    """
    mine = TransferReceipt.line_subject == line_subject, TransferReceipt.undone_at.is_(None)
    payment_id = session.scalars(select(TransferReceipt.payment_id).where(*mine)).one_or_none()
    row = lock_one(session, Payment, payment_id) if payment_id else None
    receipt = session.scalars(select(TransferReceipt).where(*mine)).one_or_none()
    if row is None or receipt is None:
        raise PaymentNotOpen("No payment counts this line.")
    completed_by = _completing(session, row) if row.state == State.SUCCEEDED else None
    unpaid = completed_by is receipt
    too_much = not unpaid and row.state != State.PART_PAID
    if unpaid:
        _refuse_unless_whole(session, row, receipt)
    elif too_much:
        _refuse_unless_too_much(session, row, receipt, completed_by)
    receipt.undone_at = now
    row.received_minor -= receipt.amount_minor
    if unpaid or row.state == State.PART_PAID:
        row.state = State.PART_PAID if row.received_minor else State.AWAITING_TRANSFER
    elif receipt.became == State.SURPLUS and not any(each.became == State.SURPLUS for each in _receipts(session, row)):
        row.state, row.paid_at = _ended_as(session, row), None
    if unpaid:
        row.paid_at = row.acknowledged_at = row.asked_at = None
        row.expires_at = until
        session.execute(update(PaymentPartRow).where(PaymentPartRow.payment_id == row.id).values(written_off_minor=0))
    session.flush()
    if too_much:  # the buyer was told that it goes back
        times = transfers_taken_back(session, row.id)
        outbox.announce(session, SURPLUS_TAKEN_BACK, {"payment_id": str(row.id), "times": str(times)}, key=str(row.id))
    return TakenBack(view(row), unpaid)


def _receipts(session: Session, payment: Payment) -> list[TransferReceipt]:
    """Return the transfers that a payment counts, in the order in which it took note of them."""
    mine = TransferReceipt.payment_id == payment.id, TransferReceipt.undone_at.is_(None)
    return list(session.scalars(select(TransferReceipt).where(*mine).order_by(TransferReceipt.received_at, TransferReceipt.id)))


def _ended_as(session: Session, payment: Payment) -> State:
    """Return how a payment had ended before money came that it did not want any more.

    The first line that came then knows it, even if it was taken back; those of before the column was there do not.
    """
    late = select(TransferReceipt.was).where(TransferReceipt.payment_id == payment.id, TransferReceipt.became == State.SURPLUS)
    was = session.scalars(late.where(TransferReceipt.was.is_distinct_from(State.SURPLUS)).limit(1)).first()
    return State(was or State.CANCELLED)


def _completing(session: Session, payment: Payment) -> TransferReceipt | None:
    return next((each for each in _receipts(session, payment) if each.became == State.SUCCEEDED), None)


def _money(receipt: TransferReceipt) -> Money:
    return Money(receipt.amount_minor, receipt.currency)


def _refuse_unless_whole(session: Session, payment: Payment, receipt: TransferReceipt) -> None:
    """Refuse to unpay what is not as the transfer left it: nothing came after it, went back, or was earned."""
    if (last := _receipts(session, payment)[-1]) is not receipt:
        raise LaterTransfer(
            say(
                "More money came for this order after it: %(money)s on %(day)s. Take the match of that line back first, then this"
                " one, and then match that line again: it pays the order.",
                money=_money(last),
                day=last.booked_on,
            )
        )
    if session.scalars(select(Refund.id).where(Refund.payment_id == payment.id).limit(1)).first() is not None:
        raise TransferGivenBack(
            "Money of this payment goes back or went back already. Leave the match, and ask this buyer to pay again under the"
            " reference of the order that the money was meant for."
        )
    if session.scalars(select(Dispute.id).where(Dispute.payment_id == payment.id).limit(1)).first() is not None:
        raise PaymentDisputed("The buyer's bank disputes this payment. Its decision comes first.")
    bought = parts(session, payment.id)
    books = ledger.books_of(session, {part.coop_id for part in bought})
    if not all(is_held(session, books[part.coop_id], part, part.subject) for part in bought):
        raise TransferEarned(
            "What this line paid has been earned by the producers. Leave the match, and ask this buyer to pay again under the"
            " reference of the order that the money was meant for."
        )


def _refuse_unless_too_much(
    session: Session, payment: Payment, receipt: TransferReceipt, completed_by: TransferReceipt | None
) -> None:
    """Refuse to take back what is not, or not any more, the buyer's credit of a payment that is paid or has ended."""
    if completed_by is not None and (receipt.received_at, receipt.id) < (completed_by.received_at, completed_by.id):
        raise LaterTransfer(
            say(
                "The line of %(money)s on %(day)s completed what this one began. Take the match of that line back first, then"
                " this one, and then match that line again.",
                money=_money(completed_by),
                day=completed_by.booked_on,
            )
        )
    book_id = ledger.book_of(session, receipt.coop_id)
    left = balance(session, book_id, credit_account(payment.id), receipt.currency)
    if left.minor < receipt.amount_minor:
        raise TransferGivenBack(
            "This money went back to its sender already, or is about to. Leave the match: the line that pays it out explains it."
        )
