"""Money kept on a card until the goods are packed: taken once, all or less of it, or let go; the rest is released.

A co-op that weighs or picks after the order asks for it (`charge_when_packed`). The decision is committed before the call,
never changes, and is repeated under its key until the processor shows what became of it; browser, webhook and sweep all end
in `cards.apply`.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel import outbox
from market.kernel.actor import Actor
from market.kernel.keys import SAME_KEY_FOR
from market.kernel.locks import lock_one
from market.kernel.money import Money
from market.kernel.uow import Units
from market.payments.errors import AuthorisationDecided, CaptureTooLarge, PaymentNotOpen
from market.payments.events import AUTHORISATION_DECIDED
from market.payments.models import CardAuthorisation, Payment, PaymentPartRow
from market.payments.ports import CaptureOrder, CardProcessor, ProcessorRefused, ProcessorUnsure
from market.payments.rules import Amounts, State
from market.payments.service.cards import apply

TRY_AGAIN, REFUSED_AGAIN = timedelta(minutes=2), timedelta(hours=1)
_log = logging.getLogger(__name__)


def decide_capture(session: Session, *, payment_id: UUID, amounts: Mapping[UUID, Amounts], actor: Actor, now: datetime) -> Money:
    """Write down what is to be taken of an authorisation, by seller order, and return the sum; the worker takes it.

    `amounts` names every seller order of the payment; of none more than was authorised, by component. Nothing at all lets the
    authorisation go. Raises PaymentNotOpen, AuthorisationDecided, CaptureTooLarge.
    """
    row, kept = _undecided(session, payment_id)
    own = select(PaymentPartRow).where(PaymentPartRow.payment_id == payment_id)
    rows = {part.subject_id: part for part in session.scalars(own.execution_options(populate_existing=True))}
    if rows.keys() != amounts.keys():
        raise CaptureTooLarge("Say of each part of the order what is taken.")
    taken = 0
    for subject, part in rows.items():
        for name, money in amounts[subject].components():
            if not 0 <= money.minor <= getattr(part, f"{name}_minor"):
                raise CaptureTooLarge("No more can be taken than was authorised.")
            setattr(part, f"{name}_minor", money.minor)
        taken += amounts[subject].total.minor
        if not amounts[subject].total:
            session.delete(part)  # nothing of it was bought
    if not taken:
        raise CaptureTooLarge("Nothing is taken: let the authorisation go instead.")
    kept.captured_minor = row.amount_minor = taken
    _decide(session, kept, "capture", actor, now)
    return Money(taken, row.currency)


def decide_release(session: Session, *, payment_id: UUID, actor: Actor, now: datetime) -> None:
    """Write down that all of an authorisation is let go; the worker does it. Raises PaymentNotOpen, AuthorisationDecided."""
    _decide(session, _undecided(session, payment_id)[1], "release", actor, now)


def _undecided(session: Session, payment_id: UUID) -> tuple[Payment, CardAuthorisation]:
    row = lock_one(session, Payment, payment_id)
    kept = session.get(CardAuthorisation, payment_id, populate_existing=True)
    if kept is None or State(row.state) is not State.AUTHORISED:
        raise PaymentNotOpen("Nothing is kept on a card for this payment.", state=row.state)
    if kept.decision is not None:
        raise AuthorisationDecided("It was decided already what is taken from the card.")
    return row, kept


def _decide(session: Session, kept: CardAuthorisation, decision: str, actor: Actor, now: datetime) -> None:
    kept.decision, kept.decided_by, kept.decided_at, kept.next_try_at = decision, actor.label, now, now + TRY_AGAIN
    outbox.announce(session, AUTHORISATION_DECIDED, {"payment_id": str(kept.payment_id)})


def settle_authorisation(units: Units, cards: CardProcessor, *, payment_id: UUID, now: datetime) -> State:
    """Do at the processor what was decided, or find that it is done; return the payment's state.

    Without an answer, the sweep comes back under the same key, after 23 hours under a new one: taking twice is impossible,
    an authorisation ends with the first capture. What the processor refuses shows as the payment's problem.
    """
    with units() as session:
        order, decision, state = _to_send(session, payment_id, now)
    if order is None:
        return state
    problem = None
    try:
        seen = cards.capture(order) if decision == "capture" else cards.release(order)
    except ProcessorUnsure as error:
        _log.warning("payment %s waits for the sweep: %s", payment_id, error)
        return state
    except ProcessorRefused as error:
        problem = error.detail
        try:
            seen = cards.checkout(order.checkout_id)
        except (ProcessorUnsure, ProcessorRefused):
            return state
    with units() as session:
        done = apply(session, payment_id=payment_id, seen=seen, now=now)
        if done.state is State.AUTHORISED:
            lock_one(session, Payment, payment_id).problem = problem
            session.get_one(CardAuthorisation, payment_id).next_try_at = now + REFUSED_AGAIN
        return done.state


def _to_send(session: Session, payment_id: UUID, now: datetime) -> tuple[CaptureOrder | None, str | None, State]:
    row = lock_one(session, Payment, payment_id)
    kept = session.get(CardAuthorisation, payment_id, populate_existing=True)
    state = State(row.state)
    if kept is None or kept.decided_at is None or state is not State.AUTHORISED:
        return None, None, state
    assert row.checkout_id is not None
    assert row.intent_id is not None
    kept.next_try_at = now + TRY_AGAIN
    version = 1 + max(now - kept.decided_at, timedelta()) // SAME_KEY_FOR
    money = Money(kept.captured_minor or kept.amount_minor, row.currency)
    order = CaptureOrder(f"{kept.decision}-{row.id}-v{version}", row.checkout_id, row.intent_id, money)
    return order, kept.decision, state


def release_late(session: Session, *, payment_id: UUID, actor: Actor, now: datetime) -> None:
    """Let go of an authorisation whose time runs out with nothing packed: nobody is charged for what was not sent."""
    kept = session.get(CardAuthorisation, payment_id)
    if kept is not None and kept.decision is None and State(lock_one(session, Payment, payment_id).state) is State.AUTHORISED:
        decide_release(session, payment_id=payment_id, actor=actor, now=now)
