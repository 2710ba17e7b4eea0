"""Bank transfers in: what a line on the bank's statement does to a payment that waits for it (E05 to E09)."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel import outbox
from market.kernel.ids import new_id
from market.kernel.locks import lock_one
from market.kernel.money import Money
from market.ledger import service as ledger
from market.ledger.queries import balance
from market.ledger.rules import Leg
from market.payments.errors import PaymentMissing, PaymentNotOpen, TransferAlreadyUsed, WrongCurrency
from market.payments.events import PAID, SURPLUS
from market.payments.models import Payment, PaymentPartRow, TransferReceipt
from market.payments.queries import PaymentView, parts, view
from market.payments.rules import PAID as PAID_STATES
from market.payments.rules import Arrival, State, arrival
from market.payments.service.books import credit_account, legs_of
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


def undo_transfer(session: Session, *, line_subject: UUID, now: datetime) -> PaymentView:
    """Take back that a line belonged to a payment, because its match is undone; the caller mirrors the postings.

    While the payment waits for more, or where the line brought only credit: too late, or once more (E08, E09), and the buyer
    has not been given it back. What completed an order is no such line: its way back is a refund. Raises PaymentNotOpen.
    """
    receipt = session.scalars(
        select(TransferReceipt).where(TransferReceipt.line_subject == line_subject, TransferReceipt.undone_at.is_(None))
    ).one_or_none()
    if receipt is None:
        raise PaymentNotOpen("No payment counts this line.")
    row = lock_one(session, Payment, receipt.payment_id)
    if row.state != State.PART_PAID:
        _refuse_used(session, row, receipt)
    receipt.undone_at = now
    row.received_minor -= receipt.amount_minor
    if row.state == State.PART_PAID:
        row.state = State.PART_PAID if row.received_minor else State.AWAITING_TRANSFER
    elif row.state == State.SURPLUS and not row.received_minor:
        row.state, row.paid_at = State.CANCELLED, None  # it had ended before the money came, and waits for none
    return view(row)


def _refuse_used(session: Session, row: Payment, receipt: TransferReceipt) -> None:
    """Refuse to take back a line whose money is no longer the buyer's credit alone."""
    only_credit = row.state == State.SURPLUS or (row.paid_at is not None and row.paid_at < receipt.received_at)
    if not only_credit:
        raise PaymentNotOpen("The order is paid by this line. Give the money back by a refund instead.", state=row.state)
    credit = balance(session, ledger.book_of(session, receipt.coop_id), credit_account(row.id), receipt.currency)
    if credit.minor < receipt.amount_minor:
        raise PaymentNotOpen("The buyer was given this money back, or it is decided. The line cannot mean something else now.")
