"""Begin a payment, and end one that brought no money."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel import direct, outbox
from market.kernel.ids import new_id
from market.kernel.locks import lock, lock_one
from market.kernel.money import Money
from market.kernel.references import Kind, reference
from market.payments.errors import PaymentAlreadyOpen, PaymentNotOpen, SeveralCoopsByTransfer
from market.payments.events import CLOSED, PAID
from market.payments.models import Payment, PaymentPartRow
from market.payments.queries import PaymentView, live_payment, view
from market.payments.rules import COMPONENTS, LIVE, OPEN, Amounts, PaymentPart, State, total_of

LONGEST_CHECKOUT = timedelta(hours=23)  # the processor closes a page after 24 hours at the latest


def open_payment(
    session: Session,
    *,
    subject_kind: str,
    subject_id: UUID,
    parts: Sequence[PaymentPart],
    method: str,
    title: str,
    expires_at: datetime,
    now: datetime,
    payer_account_id: UUID | None = None,
    email: str | None = None,
) -> PaymentView:
    """Write down that `parts` are to be paid together by `card` or `transfer`, and return the payment.

    A payment of the same kind and amount that is still open is returned instead of a second one. `expires_at` of a card
    payment is at most 23 hours away; its page is closed then. Raises PaymentAlreadyOpen, SeveralCoopsByTransfer.
    """
    begun = opening(
        subject_kind=subject_kind, subject_id=subject_id, parts=parts, method=method, title=title, expires_at=expires_at, now=now,
        payer_account_id=payer_account_id, email=email,
    )  # fmt: skip
    written = direct.run_together(session, [begun.piece], OPENED)
    if written:
        return begun.view(written[0][0])
    existing = live_payment(session, subject_kind=subject_kind, subject_id=subject_id)
    if existing is not None and existing.is_open and existing.method == method and existing.money == begun.money:
        return existing
    raise PaymentAlreadyOpen(
        "This is paid already, or another payment for it is under way.", payment_id=existing.id if existing else None
    )


@dataclass(frozen=True, slots=True)
class Opening:
    """A payment about to be written as a piece of a statement that gives `OPENED` back, its number, if it was let in."""

    piece: direct.Piece
    money: Money
    values: dict[str, Any]

    def view(self, number: int) -> PaymentView:
        """Return the payment as it was written."""
        return PaymentView(
            id=self.values["id"],
            number=number,
            reference=reference(Kind.PAYMENT, number),
            subject_kind=self.values["subject_kind"],
            subject_id=self.values["subject_id"],
            method=self.values["method"],
            state=self.values["state"],
            title=self.values["title"],
            money=self.money,
            received=Money.zero(self.money.currency),
            refunded=Money.zero(self.money.currency),
            checkout_id=None,
            checkout_url=None,
            problem=None,
            opened_at=self.values["opened_at"],
            expires_at=self.values["expires_at"],
            paid_at=None,
        )


def opening(
    *,
    subject_kind: str,
    subject_id: UUID,
    parts: Sequence[PaymentPart],
    method: str,
    title: str,
    expires_at: datetime,
    now: datetime,
    payer_account_id: UUID | None,
    email: str | None,
    title_ending: str = "''",
) -> Opening:
    """Return what `open_payment` writes. `title_ending` is SQL over the other pieces: a number that is drawn with them."""
    money = total_of(parts)
    if method == "transfer" and len({part.coop_id for part in parts}) > 1:
        raise SeveralCoopsByTransfer(
            "A bank transfer can pay the goods of one co-op only. Pay by card, or order from each co-op on its own."
        )
    payment_id = new_id()
    values = {
        "id": payment_id,
        "subject_kind": subject_kind,
        "subject_id": subject_id,
        "method": method,
        "state": State.CREATED if method == "card" else State.AWAITING_TRANSFER,
        "currency": money.currency,
        "amount_minor": money.minor,
        "received_minor": 0,
        "refunded_minor": 0,
        "title": title,
        "payer_account_id": payer_account_id,
        "email": email,
        "idem_key": f"pay-{payment_id}-v1",
        "opened_at": now,
        "expires_at": expires_at if method == "transfer" else min(expires_at, now + LONGEST_CHECKOUT),
    }
    rows = [_row_of(part) for part in parts]
    written = {"payment": direct.as_rows(values), "payment_parts": direct.as_rows(rows)}
    return Opening(direct.Piece(_opening(title_ending), written), money, values)


_PAYMENT = (
    *("id", "subject_kind", "subject_id", "method", "state", "currency", "amount_minor", "received_minor", "refunded_minor"),
    *("title", "payer_account_id", "email", "idem_key", "opened_at", "expires_at"),
)
_PART = ("coop_id", "subject_id", "currency", *(f"{name}_minor" for name in COMPONENTS))
# Two checkouts at once: the index over live payments lets one in, and the other finds its row.
_PARTS = ", ".join(f"part.{name}" for name in _PART)
_LIVE = ", ".join(f"'{state}'" for state in sorted(LIVE))
OPENED = "SELECT number FROM opened"


@cache
def _opening(title_ending: str) -> str:
    names = ", ".join(_PAYMENT)
    return f"""
opened AS (INSERT INTO payment ({names}) SELECT {names.replace("title", f"title || {title_ending}")}
  FROM jsonb_populate_record(NULL::payment, %(payment)s::jsonb) ON CONFLICT (subject_kind, subject_id)
  WHERE state IN ({_LIVE}) DO NOTHING RETURNING id, number),
opened_parts AS (INSERT INTO payment_part (payment_id, {", ".join(_PART)}) SELECT opened.id, {_PARTS}
  FROM opened, jsonb_populate_recordset(NULL::payment_part, %(payment_parts)s::jsonb) AS part)
"""  # noqa: S608  (the names above)


def _row_of(part: PaymentPart) -> dict[str, object]:
    row = {"coop_id": part.coop_id, "subject_id": part.subject, "currency": part.goods.currency}
    return row | {f"{name}_minor": amount.minor for name, amount in part.components()}


def acknowledge(session: Session, *, payment_id: UUID, now: datetime) -> None:
    """Note that whoever is paid has taken note; until then `payments.paid` is announced again and again."""
    row = lock_one(session, Payment, payment_id)
    row.acknowledged_at = row.acknowledged_at or now


def announce_again(session: Session, payments: Sequence[PaymentView], *, now: datetime) -> None:
    """Say once more that these were paid, because nobody took note: the sweep for paid-without-order.

    What somebody has in hand just now is not waited for: whoever that is takes note of it, or the next sweep does.
    """
    ids = [payment.id for payment in payments]
    free = select(Payment).where(Payment.id.in_(ids)).order_by(Payment.id).with_for_update(skip_locked=True)
    for row in session.scalars(free.execution_options(populate_existing=True)):
        if row.acknowledged_at is not None:
            continue
        row.asked_at = now
        outbox.announce(session, PAID, ids_of(view(row)), key=str(row.id))


def parts_left(session: Session, *, subjects: Sequence[UUID]) -> dict[UUID, Amounts]:
    """Lock the payments that paid these seller orders and return what is left of each: paid, and not given back by anybody."""
    mine = PaymentPartRow.subject_id.in_(subjects)
    succeeded = select(PaymentPartRow.payment_id).join(Payment).where(mine, Payment.state == State.SUCCEEDED)
    locked = [row.id for row in lock(session, Payment, session.scalars(succeeded))]
    rows = session.scalars(
        select(PaymentPartRow).where(mine, PaymentPartRow.payment_id.in_(locked)).execution_options(populate_existing=True)
    )
    return {
        row.subject_id: Amounts.of(
            row.currency, (getattr(row, f"{name}_minor") - getattr(row, f"refunded_{name}_minor") for name in COMPONENTS)
        )
        for row in rows
    }


def cancel_unsent(session: Session, *, payment_id: UUID, now: datetime) -> PaymentView:
    """End a payment in which nothing can be under way: no page was opened, or it waits for a first transfer.

    A card page must be closed at the processor first (`close`). Raises PaymentNotOpen.
    """
    return _end(session, payment_id, State.CANCELLED)


def expire(session: Session, *, payment_id: UUID, now: datetime) -> PaymentView:
    """End a payment without a page, or one that waits for a first transfer, because its time is over."""
    return _end(session, payment_id, State.EXPIRED)


def _end(session: Session, payment_id: UUID, state: State) -> PaymentView:
    row = lock_one(session, Payment, payment_id)
    if State(row.state) not in OPEN - {State.PROCESSING, State.PART_PAID} or row.checkout_id is not None:
        raise PaymentNotOpen("This payment has ended, or money for it is under way.", state=row.state)
    row.state = state
    outbox.announce(session, CLOSED, ids_of(view(row)), key=str(row.id))
    return view(row)


def ids_of(payment: PaymentView) -> dict[str, str]:
    """Return the payload of what is announced about a payment."""
    return {
        "payment_id": str(payment.id),
        "subject_kind": payment.subject_kind,
        "subject_id": str(payment.subject_id),
    }
