"""Orders that are paid in cash at the co-op's counter instead of by bank: rounded by rule to the coins there are (E48)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel import audit, outbox
from market.kernel.actor import Actor
from market.kernel.locks import lock_one
from market.kernel.money import Money
from market.kernel.words import say
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.payments import postings
from market.payments.errors import CashRefused, PaymentNotOpen
from market.payments.events import PAID
from market.payments.models import Payment
from market.payments.queries import PaymentView, parts, view
from market.payments.rules import State, in_coins
from market.payments.service.books import days_of
from market.payments.service.open import ids_of

CASH_BOX = "cash:1"


def record_cash(session: Session, *, payment_id: UUID, paid: Money, receipt: str, actor: Actor, now: datetime) -> PaymentView:
    """Take cash for a payment that waits for a transfer: the order is paid, the box holds more. Posts: call it last.

    `paid` is the price, or the price rounded to the nearest five of the smallest unit; the difference is nobody's. Raises
    PaymentNotOpen when nothing or not all of it is waited for, CashRefused for another amount or without a receipt's number.
    """
    row = lock_one(session, Payment, payment_id)
    if row.method != "transfer" or row.state != State.AWAITING_TRANSFER:
        raise PaymentNotOpen("Only an order that waits for the whole of its bank transfer can be paid in cash.", state=row.state)
    due = Money(row.amount_minor, row.currency)
    if paid not in (due, in_coins(due)):
        raise CashRefused(say("%(due)s is to be paid, or %(rounded)s in coins.", due=due, rounded=in_coins(due)), pointer="/paid")
    if not receipt.strip():
        raise CashRefused("Write down the number of the receipt that the buyer got.", pointer="/receipt")
    bought = parts(session, payment_id)
    coop_id = bought[0].coop_id
    row.state, row.paid_at, row.received_minor = State.SUCCEEDED, now, row.amount_minor
    outbox.announce(session, PAID, ids_of(view(row)), key=str(row.id))
    audit.record(
        session, actor=actor, action="payments.cash_taken", subject_kind="payment", subject_id=row.id, coop_id=coop_id, now=now,
        new={"amount": paid.text, "receipt": receipt.strip()},
    )  # fmt: skip
    on, book = days_of(session, [coop_id], now)[coop_id], ledger.book_of(session, coop_id)
    entries = []
    for number, part in enumerate(bought):
        given = part.total + (paid - due) if number == 0 else part.total
        legs = postings.cash_sale(CASH_BOX, {name: money for name, money in part.components() if money}, given, part.subject)
        entries.append(Entry(book, "payment.paid", f"payment:{row.id}:paid:{part.subject}", on, actor.label, legs))
    session.flush()
    ledger.post(session, entries, late=True)
    return view(row)
