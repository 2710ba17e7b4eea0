"""Refunds on their way: sent under a committed key, proven by the processor or by the bank's statement.

What is decided lies in `refund_payable`; the line of the processor or of the bank takes it out from there.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel import outbox
from market.kernel.keys import SAME_KEY_FOR
from market.kernel.locks import lock_one
from market.kernel.money import Money
from market.kernel.uow import Units
from market.kernel.words import N_
from market.ledger.rules import Leg
from market.payments import postings
from market.payments.errors import RefundTooLarge, RefundUnderWay, WrongCurrency
from market.payments.events import REFUND_TAKEN_BACK, REFUNDED
from market.payments.models import Payment, Refund
from market.payments.ports import CardProcessor, ProcessorRefused, ProcessorUnsure, RefundAnswer, RefundOrder
from market.payments.queries import RefundView, refund_view
from market.payments.service.disputed_refunds import MET, held, refuse_twice

CHARGE_DISPUTED = "charge_disputed"
"""The processor's word for a refund of what the buyer's bank has taken back (docs.stripe.com/error-codes)."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)


def prepare_refund(session: Session, *, refund_id: UUID, now: datetime) -> tuple[RefundOrder, bool] | None:
    """Return the order to send and whether its key is still good; None when there is nothing to do. Commit before the call.

    A refund that nobody has sent yet waits while the buyer's bank has taken the payment back: the buyer would have it twice.
    """
    row = lock_one(session, Refund, refund_id)
    if row.method != "card" or row.state not in ("decided", "unsure", "pending"):
        return None
    if row.first_sent_at is None and held(session, row, now=now):
        return None
    paid_by = session.get_one(Payment, row.payment_id)
    if paid_by.intent_id is None:
        return None
    row.first_sent_at = row.first_sent_at or now
    row.attempts += 1
    row.next_try_at = now + min(FIRST_PAUSE * 2 ** min(row.attempts - 1, 12), LONGEST_PAUSE)
    order = RefundOrder(row.id, row.idem_key, paid_by.intent_id, Money(row.amount_minor, row.currency))
    return order, row.state != "pending" and now - row.first_sent_at < SAME_KEY_FOR


def send_refund(units: Units, cards: CardProcessor, *, refund_id: UUID, now: datetime) -> RefundView | None:
    """Send a card refund, or find out what became of it; repeating this gives back once.

    After 23 hours, or while the processor says `pending`, only questions are asked; what nobody can tell goes to a person.
    """
    with units() as session:
        prepared = prepare_refund(session, refund_id=refund_id, now=now)
    if prepared is None:
        return None
    order, fresh = prepared
    try:
        answer = cards.refund(order) if fresh else _find(cards, order)
    except ProcessorRefused as error:
        return _refused(units, refund_id, error, now)
    except ProcessorUnsure as error:
        return _outcome(units, refund_id, "unsure", str(error))
    if answer is None:
        return _outcome(
            units, refund_id, "needs_person", N_("The processor knows no such refund, and its key is too old to repeat.")
        )
    with units() as session:
        return record_refund(session, refund_id=refund_id, answer=answer, now=now)


def _find(cards: CardProcessor, order: RefundOrder) -> RefundAnswer | None:
    return next((answer for answer in cards.refunds_of(order.intent_id) if answer.refund_id == order.refund_id), None)


def _refused(units: Units, refund_id: UUID, error: ProcessorRefused, now: datetime) -> RefundView:
    """Note a definite no. For a dispute it is one for now, and the processor may know of that before we do.

    A key brings the same answer for a day: what is let go again sooner is tried until the processor has forgotten it.
    """
    if error.code != CHARGE_DISPUTED:
        return _outcome(units, refund_id, "needs_person", error.detail)
    with units() as session:
        row = lock_one(session, Refund, refund_id)
        if row.state in ("decided", "unsure"):
            row.state, row.first_sent_at, row.next_try_at = "decided", None, now + LONGEST_PAUSE
            held(session, row, now=now)
        return refund_view(row)


def _outcome(units: Units, refund_id: UUID, state: str, problem: str) -> RefundView:
    with units() as session:
        return record_refund_outcome(session, refund_id=refund_id, state=state, problem=problem)


def record_refund_outcome(session: Session, *, refund_id: UUID, state: str, problem: str) -> RefundView:
    """Note a call whose outcome is open (`unsure`) or that a person must look at; what is paid stays paid."""
    row = lock_one(session, Refund, refund_id)
    if row.state in ("decided", "unsure", "pending"):
        row.state, row.problem = state, problem
    return refund_view(row)


def record_refund(session: Session, *, refund_id: UUID, answer: RefundAnswer, now: datetime) -> RefundView:
    """Apply what the processor says about a refund; announces `payments.refunded` once."""
    row = lock_one(session, Refund, refund_id)
    row.provider_ref = row.provider_ref or answer.provider_ref
    if row.method != "card":  # a person has sent it another way since; what the card says late must not open it again
        if answer.state == "succeeded":
            row.problem = N_("The card processor says that it gave this back, too. Ask it before the bank pays.")
    elif answer.state == "failed":
        fail_refund(row)
    elif answer.state == "succeeded":
        settle_refund(session, row, now)
    elif row.state in ("decided", "unsure"):
        row.state = "pending"
    return refund_view(row)


def settle_refund(session: Session, row: Refund, now: datetime) -> None:
    """Mark a locked refund as paid and say so, once."""
    if row.state in ("paid", "failed"):
        return
    row.state, row.paid_at, row.problem = "paid", now, None
    outbox.announce(session, REFUNDED, _ids(row), key=str(row.payment_id))


def _ids(row: Refund) -> dict[str, str]:
    return {"refund_id": str(row.id), "payment_id": str(row.payment_id), "subject_id": str(row.subject_id)}


def fail_refund(row: Refund) -> None:
    """Note on a locked refund that the card did not take the money back.

    No news for one that goes by bank meanwhile, nor for one that a lost dispute has met: the buyer has that money.
    """
    if row.method == "card" and row.problem != MET:
        row.state, row.problem = "failed", N_("The card did not take the money back. Another way is needed.")


def record_bank_refund(session: Session, *, refund_id: UUID, amount: Money, suspense: str, now: datetime) -> tuple[Leg, ...]:
    """Mark a refund as paid by a debit on the bank's statement and return the legs of its match (E24), for the caller to post.

    Raises RefundUnderWay when it is paid already or goes back by card, WrongCurrency, RefundTooLarge when the debit is not
    the refund's amount.
    """
    row = lock_one(session, Refund, refund_id)
    if row.method != "transfer" or row.state not in ("decided", "needs_person"):
        raise RefundUnderWay("This refund is paid already, or goes back by card. The debit is something else.", state=row.state)
    if amount.currency != row.currency:
        raise WrongCurrency("The debit is in another currency than the refund.")
    if amount.minor != row.amount_minor:
        raise RefundTooLarge("The debit is not the refund's amount.", wanted_minor=row.amount_minor, found_minor=amount.minor)
    settle_refund(session, row, now)
    return postings.refund_paid(suspense, amount, row.subject_id)


def undo_bank_refund(session: Session, *, refund_id: UUID) -> RefundView:
    """Take back that a debit paid a refund, because its match is undone; the caller mirrors the postings. It is owed again.

    Announces `payments.refund_taken_back`, because the buyer was told that it was sent. Raises RefundUnderWay when it is not
    paid by bank, PaymentDisputed while the buyer's bank has taken the payment back.
    """
    row = lock_one(session, Refund, refund_id)
    if row.method != "transfer" or row.state != "paid":
        raise RefundUnderWay("This refund is not paid by bank. Its match cannot be taken back.", state=row.state)
    refuse_twice(session, session.get_one(Payment, row.payment_id))
    row.state, row.paid_at, row.times_taken_back = "decided", None, row.times_taken_back + 1
    outbox.announce(session, REFUND_TAKEN_BACK, _ids(row) | {"times": str(row.times_taken_back)}, key=str(row.payment_id))
    return refund_view(row)
