"""Payments: what is to be paid, by what reference, and what waits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Text, cast, func, select, true
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.kernel.references import Kind, parse, reference
from market.ledger import queries as books
from market.ledger.service import book_of
from market.payments.errors import PaymentMissing
from market.payments.models import CardAuthorisation, Payment, PaymentPartRow, TransferReceipt
from market.payments.rules import LIVE, OPEN, PaymentPart, State
from market.producers import queries as producers


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One payment. `reference` is what a payer writes on a transfer; `due` is what is still to come."""

    id: UUID
    number: int
    reference: str
    subject_kind: str
    subject_id: UUID
    method: str
    state: State
    title: str
    money: Money
    received: Money
    refunded: Money
    checkout_id: str | None
    checkout_url: str | None
    problem: str | None
    opened_at: datetime
    expires_at: datetime
    paid_at: datetime | None

    @property
    def is_paid(self) -> bool:
        """Whether the thing is paid for; a surplus is not."""
        return self.state is State.SUCCEEDED

    @property
    def is_open(self) -> bool:
        """Whether money may still come."""
        return self.state in OPEN

    @property
    def due(self) -> Money:
        """What is still to come, never negative."""
        return Money(max(self.money.minor - self.received.minor, 0), self.money.currency)


def view(row: Payment) -> PaymentView:
    """Return the view of a row."""
    return PaymentView(
        id=row.id,
        number=row.number,
        reference=reference(Kind.PAYMENT, row.number),
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        method=row.method,
        state=State(row.state),
        title=row.title,
        money=Money(row.amount_minor, row.currency),
        received=Money(row.received_minor, row.currency),
        refunded=Money(row.refunded_minor, row.currency),
        checkout_id=row.checkout_id,
        checkout_url=row.checkout_url if State(row.state) in OPEN else None,
        problem=row.problem,
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        paid_at=row.paid_at,
    )


def payment(session: Session, payment_id: UUID) -> PaymentView:
    """Return one payment. Raises PaymentMissing. Who may see it is decided by whoever owns what it pays for."""
    row = session.get(Payment, payment_id)
    if row is None:
        raise PaymentMissing("There is no such payment. Go back to the order and follow its link.")
    return view(row)


def own_payment(session: Session, payment_id: UUID) -> PaymentView:
    """Return a payment in which this scope has a part. Raises PaymentMissing."""
    if not parts(session, payment_id):
        raise PaymentMissing("There is no such payment here.")
    return payment(session, payment_id)


def payments_of(session: Session, *, subject_kind: str, subject_id: UUID) -> list[PaymentView]:
    """Return every payment of a thing, the newest first."""
    rows = session.scalars(
        select(Payment)
        .where(Payment.subject_kind == subject_kind, Payment.subject_id == subject_id)
        .order_by(Payment.number.desc())
    )
    return [view(row) for row in rows]


def live_payment(session: Session, *, subject_kind: str, subject_id: UUID) -> PaymentView | None:
    """Return the one payment of a thing that is open or has succeeded."""
    row = session.scalars(
        select(Payment).where(Payment.subject_kind == subject_kind, Payment.subject_id == subject_id, Payment.state.in_(LIVE))
    ).one_or_none()
    return view(row) if row else None


def ids_of_subjects(session: Session, subject_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return the payments for these things, each with the thing that it pays."""
    rows = session.execute(select(Payment.id, Payment.subject_id).where(Payment.subject_id.in_(subject_ids)))
    return {row.id: row.subject_id for row in rows}


def payment_by_reference(session: Session, text: str) -> PaymentView | None:
    """Return the payment that an RF reference names, None when it is mistyped, of another kind, or unknown."""
    found = parse(text)
    if found is None or found[0] is not Kind.PAYMENT:
        return None
    row = session.scalars(select(Payment).where(Payment.number == found[1])).one_or_none()
    return view(row) if row else None


def payments_by_references(session: Session, references: Iterable[str]) -> list[PaymentView]:
    """Return the payments that RF references name, in one statement; mistyped and unknown ones are left out."""
    found = [parse(each) for each in references]
    numbers = [each[1] for each in found if each is not None and each[0] is Kind.PAYMENT]
    if not numbers:
        return []
    return [view(row) for row in session.scalars(select(Payment).where(Payment.number.in_(numbers)).order_by(Payment.number))]


def parts(session: Session, payment_id: UUID) -> list[PaymentPart]:
    """Return what each seller order is paid by this payment, in a fixed order; only co-ops in scope."""
    rows = session.scalars(
        select(PaymentPartRow).where(PaymentPartRow.payment_id == payment_id).order_by(PaymentPartRow.subject_id)
    )
    return [
        PaymentPart(
            row.coop_id,
            row.subject_id,
            *(Money(minor, row.currency) for minor in (row.goods_minor, row.premium_minor, row.charges_minor, row.tax_minor)),
        )
        for row in rows
    ]


def awaited_transfers(session: Session, *, coop_id: UUID, currency: str) -> list[PaymentView]:
    """Return the payments for which a co-op waits for a bank transfer, oldest first."""
    statement = (
        select(Payment)
        .where(
            Payment.state.in_((State.AWAITING_TRANSFER, State.PART_PAID)),
            Payment.currency == currency,
            Payment.id.in_(select(PaymentPartRow.payment_id).where(PaymentPartRow.coop_id == coop_id)),
        )
        .order_by(Payment.number)
    )
    return [view(row) for row in session.scalars(statement)]


@dataclass(frozen=True, slots=True)
class BuyerCredit:
    """Money of a buyer that waits in the books: a surplus, or a part of what was to be paid."""

    payment: PaymentView
    money: Money


def buyer_credits(session: Session, *, coop_id: UUID, limit: int = 200) -> list[BuyerCredit]:
    """Return the buyers' own money in a co-op's book, by payment, at most so many."""
    found = [row for row in books.balances(session, book_of(session, coop_id), prefix="buyer_credit:") if row.money][:limit]
    return [BuyerCredit(payment(session, UUID(row.code.removeprefix("buyer_credit:"))), row.money) for row in found]


def transfers_of(session: Session, *, coop_id: UUID, limit: int = 200) -> list[PaymentView]:
    """Return the bank transfers that a co-op waits for in any currency, oldest first."""
    statement = (
        select(Payment)
        .where(
            Payment.state.in_((State.AWAITING_TRANSFER, State.PART_PAID)),
            Payment.id.in_(select(PaymentPartRow.payment_id).where(PaymentPartRow.coop_id == coop_id)),
        )
        .order_by(Payment.number)
        .limit(limit)
    )
    return [view(row) for row in session.scalars(statement)]


def transfers_taken_back(session: Session, payment_id: UUID) -> int:
    """Return how many lines of statements counted for a payment until their match was undone."""
    undone = TransferReceipt.payment_id == payment_id, TransferReceipt.undone_at.is_not(None)
    return session.scalar(select(func.count()).select_from(TransferReceipt).where(*undone)) or 0


def to_refresh(session: Session, *, before: datetime, limit: int = 100) -> list[UUID]:
    """Return open card payments that nobody has asked about since `before`, the longest first."""
    statement = (
        select(Payment.id)
        .where(
            Payment.state.in_((State.CREATED, State.REQUIRES_ACTION, State.PROCESSING)),
            Payment.checkout_id.is_not(None),
            func.coalesce(Payment.asked_at, Payment.opened_at) < before,
        )
        .order_by(func.coalesce(Payment.asked_at, Payment.opened_at))
        .limit(limit)
    )
    return list(session.scalars(statement))


def overdue(session: Session, *, now: datetime, limit: int = 100) -> list[UUID]:
    """Return payments whose time is over and that are still open; a bank debit under way has all the time it needs."""
    statement = (
        select(Payment.id)
        .where(Payment.state.in_(OPEN - {State.PROCESSING, State.AUTHORISED, State.PART_PAID}), Payment.expires_at < now)
        .order_by(Payment.expires_at)
        .limit(limit)
    )
    return list(session.scalars(statement))


@dataclass(frozen=True, slots=True)
class Authorisation:
    """Money kept on a card: how much, until when, and what was decided (`capture`, `release`, or nothing yet)."""

    money: Money
    capture_before: datetime | None
    decision: str | None
    captured: Money | None


def authorisation(session: Session, payment_id: UUID) -> Authorisation | None:
    """Return what is or was kept on a card for a payment; None when it is charged at once."""
    row = session.get(CardAuthorisation, payment_id)
    if row is None:
        return None
    currency = session.get_one(Payment, payment_id).currency
    captured = None if row.captured_minor is None else Money(row.captured_minor, currency)
    return Authorisation(Money(row.amount_minor, currency), row.capture_before, row.decision, captured)


RUNS_OUT = timedelta(hours=3)
"""So long before the card company lets go of an authorisation it ends here, if nobody has said what is sent."""


def running_out(session: Session, *, now: datetime, limit: int = 100) -> list[UUID]:
    """Return authorisations about to end about which nothing was decided."""
    statement = (
        select(Payment.id)
        .join(CardAuthorisation, CardAuthorisation.payment_id == Payment.id)
        .where(
            Payment.state == State.AUTHORISED,
            CardAuthorisation.decision.is_(None),
            CardAuthorisation.capture_before < now + RUNS_OUT,
        )
        .order_by(CardAuthorisation.capture_before)
        .limit(limit)
    )
    return list(session.scalars(statement))


def to_settle(session: Session, *, now: datetime, limit: int = 100) -> list[UUID]:
    """Return authorisations that were decided and whose turn it is at the processor."""
    statement = (
        select(Payment.id)
        .join(CardAuthorisation, CardAuthorisation.payment_id == Payment.id)
        .where(Payment.state == State.AUTHORISED, CardAuthorisation.next_try_at <= now)
        .order_by(CardAuthorisation.next_try_at)
        .limit(limit)
    )
    return list(session.scalars(statement))


def waiting_too_long(session: Session, *, now: datetime, limit: int = 1000) -> list[UUID]:
    """Return part payments whose rest has not come within the days that the co-op gives it after the order's own time."""
    statement = (
        select(Payment.id, Payment.expires_at, func.min(cast(PaymentPartRow.coop_id, Text)))
        .join(PaymentPartRow, PaymentPartRow.payment_id == Payment.id)
        .where(Payment.state == State.PART_PAID, Payment.expires_at < now)
        .group_by(Payment.id)
        .order_by(Payment.expires_at)
        .limit(limit)
    )
    rows = [(payment_id, expires_at, UUID(coop_id)) for payment_id, expires_at, coop_id in session.execute(statement)]
    coops = producers.coops_by_id(session, {coop_id for _, _, coop_id in rows})
    return [one for one, ended, coop_id in rows if ended + timedelta(days=coops[coop_id].part_paid_days) <= now]


def unacknowledged(session: Session, *, before: datetime | None = None, limit: int = 100) -> list[PaymentView]:
    """Return payments that nobody took note of (since they were paid or announced `before`): paid without order."""
    statement = (
        select(Payment)
        .where(
            Payment.state == State.SUCCEEDED,
            Payment.acknowledged_at.is_(None),
            func.coalesce(Payment.asked_at, Payment.paid_at) < before if before else true(),
        )
        .order_by(Payment.paid_at)
        .limit(limit)
    )
    return [view(row) for row in session.scalars(statement)]
