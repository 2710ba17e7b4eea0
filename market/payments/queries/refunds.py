"""Refunds: what may go back, what is on its way."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.kernel.references import Kind, parse, reference
from market.payments.errors import PaymentMissing
from market.payments.models import PaymentPartRow, Refund
from market.payments.rules import Amounts


@dataclass(frozen=True, slots=True)
class RefundView:
    """One refund, with what it took from each component."""

    id: UUID
    number: int
    reference: str
    payment_id: UUID
    subject_id: UUID
    coop_id: UUID
    kind: str
    method: str
    state: str
    money: Money
    amounts: Amounts
    reason: str
    bearer: str
    decided_at: datetime
    paid_at: datetime | None
    problem: str | None
    times_taken_back: int


def refund_view(row: Refund) -> RefundView:
    """Return the view of a row."""
    return RefundView(
        id=row.id,
        number=row.number,
        reference=reference(Kind.REFUND, row.number),
        payment_id=row.payment_id,
        subject_id=row.subject_id,
        coop_id=row.coop_id,
        kind=row.kind,
        method=row.method,
        state=row.state,
        money=Money(row.amount_minor, row.currency),
        amounts=Amounts.of(row.currency, (row.goods_minor, row.premium_minor, row.charges_minor, row.tax_minor)),
        reason=row.reason,
        bearer=row.bearer,
        decided_at=row.decided_at,
        paid_at=row.paid_at,
        problem=row.problem,
        times_taken_back=row.times_taken_back,
    )


def untaken(session: Session, payment_id: UUID) -> dict[UUID, int]:
    """Return by seller order what somebody did not take of an authorisation at the processor, in minor units."""
    rows = select(Refund.subject_id, Refund.amount_minor).where(Refund.payment_id == payment_id, Refund.kind == "untaken")
    return {subject: minor for subject, minor in session.execute(rows)}


def refundable(session: Session, *, payment_id: UUID, subject: UUID) -> Amounts:
    """Return what is left of each component of a seller order. Raises PaymentMissing."""
    row = session.get(PaymentPartRow, (payment_id, subject), populate_existing=True)
    if row is None:
        raise PaymentMissing("This order was not paid by that payment.")
    left = (
        row.goods_minor - row.refunded_goods_minor,
        row.premium_minor - row.refunded_premium_minor,
        row.charges_minor - row.refunded_charges_minor - row.written_off_minor,
        row.tax_minor - row.refunded_tax_minor,
    )
    return Amounts.of(row.currency, left)


def refunds_of(session: Session, *, payment_id: UUID | None = None, subject: UUID | None = None) -> list[RefundView]:
    """Return the refunds of a payment or of a seller order, oldest first."""
    statement = select(Refund).order_by(Refund.number)
    if payment_id is not None:
        statement = statement.where(Refund.payment_id == payment_id)
    if subject is not None:
        statement = statement.where(Refund.subject_id == subject)
    return [refund_view(row) for row in session.scalars(statement)]


def refund(session: Session, refund_id: UUID) -> RefundView:
    """Return one refund. Raises PaymentMissing."""
    row = session.get(Refund, refund_id)
    if row is None:
        raise PaymentMissing("There is no such refund.")
    return refund_view(row)


def refund_by_reference(session: Session, text: str) -> RefundView | None:
    """Return the refund that an RF reference names."""
    found = parse(text)
    if found is None or found[0] is not Kind.REFUND:
        return None
    row = session.scalars(select(Refund).where(Refund.number == found[1])).one_or_none()
    return refund_view(row) if row else None


def refunds_to_transfer(session: Session, *, coop_id: UUID, currency: str) -> list[RefundView]:
    """Return the refunds that staff must send by bank, oldest first."""
    statement = (
        select(Refund)
        .where(
            Refund.coop_id == coop_id,
            Refund.currency == currency,
            Refund.method == "transfer",
            Refund.state.in_(("decided", "needs_person")),
        )
        .order_by(Refund.number)
    )
    return [refund_view(row) for row in session.scalars(statement)]


def hanging_refunds(session: Session, *, coop_id: UUID, limit: int = 200) -> list[RefundView]:
    """Return a co-op's refunds that have not arrived, oldest first."""
    statement = select(Refund).where(Refund.coop_id == coop_id, Refund.state != "paid").order_by(Refund.number).limit(limit)
    return [refund_view(row) for row in session.scalars(statement)]


def refunds_to_send(session: Session, *, now: datetime, limit: int = 100) -> list[UUID]:
    """Return card refunds whose turn it is."""
    statement = (
        select(Refund.id)
        .where(Refund.state.in_(("decided", "unsure", "pending")), Refund.method == "card", Refund.next_try_at <= now)
        .order_by(Refund.next_try_at)
        .limit(limit)
    )
    return list(session.scalars(statement))
