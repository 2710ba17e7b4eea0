"""What the processor tells us by itself: stored once, handled once, and never believed without looking.

An event is a hint: order is not promised, deliveries repeat, some never come. So handling fetches what the event is
about and applies *that*; an hourly comparison with the processor's own list finds what was lost (money.md 4.3).
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from market.kernel import inbox, outbox
from market.kernel.actor import system
from market.kernel.errors import DomainError
from market.kernel.uow import Units, busy
from market.payments.errors import PaymentMissing
from market.payments.events import EVENT_STORED
from market.payments.ports import CardProcessor, ProcessorRefused, ProcessorUnsure, ProviderEvent
from market.payments.queries import (
    overdue,
    payment,
    refunds_to_send,
    running_out,
    to_refresh,
    to_settle,
    unacknowledged,
    waiting_too_long,
)
from market.payments.service.authorise import release_late, settle_authorisation
from market.payments.service.cards import close, record_checkout, refresh
from market.payments.service.disputes import record_dispute
from market.payments.service.open import announce_again
from market.payments.service.paying_refunds import record_refund, send_refund
from market.payments.service.refunds import give_back_credit, record_refund_elsewhere

SOURCE = "stripe"
ABOUT_PAYMENTS = ("payment_intent.", "checkout.session.")
ABOUT_DISPUTES = ("charge.dispute.",)
ABOUT_REFUNDS = ("refund.", "charge.refunded")
QUIET = timedelta(minutes=2)
COMPARED = timedelta(hours=48)
_log = logging.getLogger(__name__)
Apply = Callable[[Session], object]
T = TypeVar("T")


def store_event(session: Session, *, event: ProviderEvent, now: datetime) -> int | None:
    """Store an event that was verified and announce it; None when it is known: deliveries repeat."""
    payload: dict[str, object] = {name: str(value) for name, value in asdict(event).items() if value is not None}
    stored = inbox.store(session, source=SOURCE, external_id=event.event_id, kind=event.kind, payload=payload, now=now)
    if stored is not None:
        outbox.announce(session, EVENT_STORED, {"inbox_id": stored})
    return stored


def handle_event(units: Units, cards: CardProcessor, *, inbox_id: int, now: datetime) -> str | None:
    """Look at what an event is about, apply it and mark the event as handled in one unit; return the outcome.

    None when it was handled before. Raises ProcessorUnsure when the processor does not answer: then it still waits.
    """
    with units() as session:
        row = inbox.claim(session, inbox_id)
        if row is None:
            return None
        kind, facts = row.kind, {name: str(value) for name, value in row.payload.items()}
    try:
        apply, outcome = _look(units, cards, kind, facts, now)
    except (ProcessorRefused, PaymentMissing) as error:
        apply, outcome = None, f"refused: {error}"
    try:
        return _finish(units, inbox_id, apply, outcome, now)
    except DomainError as error:
        _log.warning("event %s of kind %s cannot be applied: %s", facts.get("event_id"), kind, error.detail)
        return _finish(units, inbox_id, None, f"refused: {error.detail}", now)


def _finish(units: Units, inbox_id: int, apply: Apply | None, outcome: str, now: datetime) -> str | None:
    with units() as session:
        row = inbox.claim(session, inbox_id)
        if row is None:
            return None
        row.handled_at, row.outcome = now, outcome
        if apply is not None:
            apply(session)  # posts, so it comes last
    return outcome


def _look(units: Units, cards: CardProcessor, kind: str, facts: dict[str, str], now: datetime) -> tuple[Apply | None, str]:
    if kind.startswith(ABOUT_PAYMENTS) and "payment_id" in facts:
        return _look_at_payment(units, cards, kind, facts, now), "applied"
    if kind.startswith(ABOUT_DISPUTES):
        answer = cards.dispute(facts["object_id"])
        return lambda session: record_dispute(session, answer=answer, now=now), "applied"
    if kind.startswith(ABOUT_REFUNDS) and "intent_id" in facts:
        return _look_at_refunds(cards, facts["intent_id"], now), "applied"
    return None, "not about payments"


def _look_at_payment(units: Units, cards: CardProcessor, kind: str, facts: dict[str, str], now: datetime) -> Apply | None:
    payment_id = UUID(facts["payment_id"])
    with units() as session:
        known = payment(session, payment_id)
    # The buyer may pay before we have noted which page we opened; the event itself names it.
    checkout_id = known.checkout_id or (facts["object_id"] if kind.startswith("checkout.session.") else None)
    if checkout_id is None:
        return None
    seen = cards.checkout(checkout_id)
    return lambda session: record_checkout(session, payment_id=payment_id, seen=seen, now=now)


def _look_at_refunds(cards: CardProcessor, intent_id: str, now: datetime) -> Apply:
    answers = cards.refunds_of(intent_id)

    def apply(session: Session) -> None:
        for answer in answers:
            if answer.refund_id is not None:
                record_refund(session, refund_id=answer.refund_id, answer=answer, now=now)
        for answer in answers:
            if answer.refund_id is None and answer.state == "succeeded":
                record_refund_elsewhere(session, intent_id=intent_id, answer=answer, now=now)

    return apply


def compare_events(units: Units, cards: CardProcessor, *, now: datetime) -> int:
    """Store the events of two days that no delivery brought; return how many those were."""
    found = 0
    events = cards.events_since(now - COMPARED)
    for event in events:
        with units() as session:
            found += store_event(session, event=event, now=now) is not None
    return found


def sweep(units: Units, cards: CardProcessor, *, now: datetime) -> dict[str, int]:
    """Do what a lost wake-up, a closed browser or a silent processor left undone; return what was done, counted.

    Events not handled, authorisations to take or about to end, part payments whose rest never came, payments whose time is
    over, payments nobody asked about, refunds whose turn it is, and payments that were paid and that nobody took note of.
    Two sweeps at once do no harm: every step is guarded by its row.
    """
    with units() as session:
        events = inbox.waiting(session, source=SOURCE)
        late = overdue(session, now=now)
        ending = running_out(session, now=now)
        kept = to_settle(session, now=now)
        parts = waiting_too_long(session, now=now)
        quiet = to_refresh(session, before=now - QUIET)
        refunds = refunds_to_send(session, now=now)
        lost = unacknowledged(session, before=now - 2 * QUIET)
        announce_again(session, lost, now=now)
    return {
        "events": _each(events, lambda row_id: handle_event(units, cards, inbox_id=row_id, now=now)),
        "running_out": _each(ending, lambda payment_id: _let_go(units, payment_id, now)),
        "authorisations": _each(kept, lambda one: settle_authorisation(units, cards, payment_id=one, now=now)),
        "given_back": _each(parts, lambda payment_id: _give_back(units, payment_id, now)),
        "closed": _each(late, lambda payment_id: close(units, cards, payment_id=payment_id, now=now)),
        "asked": _each([one for one in quiet if one not in late], lambda one: refresh(units, cards, payment_id=one, now=now)),
        "refunds": _each(refunds, lambda refund_id: send_refund(units, cards, refund_id=refund_id, now=now)),
        "announced": len(lost),
    }


def _give_back(units: Units, payment_id: UUID, now: datetime) -> None:
    with units() as session:
        give_back_credit(session, payment_id=payment_id, actor=system("payments"), now=now)


def _let_go(units: Units, payment_id: UUID, now: datetime) -> None:
    with units() as session:
        release_late(session, payment_id=payment_id, actor=system("payments"), now=now)


def _each(ids: Sequence[T], step: Callable[[T], object]) -> int:
    """Take a step for each id; one that fails waits for the next sweep and stops nobody else."""
    done = 0
    for one in ids:
        try:
            step(one)
            done += 1
        except (ProcessorUnsure, DomainError) as error:
            _log.warning("a step of the payment sweep waits for the next one: %s", error)
        except DBAPIError as error:
            if not busy(error):
                raise
            _log.warning("a step of the payment sweep waits for the next one: somebody has its rows in hand")
    return done
