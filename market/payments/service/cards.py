"""Card payments: open the processor's page, look what became of it, post when it was paid.

Browser, webhook and sweep all end in `apply`: it takes what the processor says *now*, locks the payment, and whoever
comes second does nothing. No call is made while a unit of work is open: `start_checkout`, `refresh` and `close` take the
function that opens units, and call between two of them.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel import outbox
from market.kernel.keys import SAME_KEY_FOR
from market.kernel.locks import lock_one
from market.kernel.money import Money
from market.kernel.uow import Units
from market.kernel.words import say
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.payments.errors import CardsRefused, PaymentNotOpen, ProcessorUnavailable
from market.payments.events import AUTHORISED, CLOSED, PAID, SURPLUS
from market.payments.models import CardAuthorisation, Payment
from market.payments.ports import CardProcessor, Checkout, CheckoutOrder, ProcessorRefused, ProcessorUnsure
from market.payments.queries import PaymentView, parts, payment, view
from market.payments.rules import OPEN, State, after, paid_moves
from market.payments.rules import PAID as PAID_STATES
from market.payments.service.books import ACTOR, days_of, legs_of
from market.payments.service.open import expire, ids_of
from market.payments.service.refunds import give_back, record_taken_less
from market.producers import queries as producers

KEPT_FOR = timedelta(days=5)  # where the processor does not say how long: what the shortest of the card companies gives
SHORTEST_PAGE = timedelta(minutes=31)  # the processor refuses pages that close within half an hour; the sweep closes ours


def prepare_checkout(
    session: Session, *, payment_id: UUID, return_url: str, cancel_url: str, now: datetime, language: str = "en"
) -> CheckoutOrder:
    """Return the page to open; commit before the call. Raises PaymentNotOpen.

    The key stays the same for 23 hours. After that a lost page is replaced under a new version: until somebody pays it,
    a page moves nothing (money.md 4.2).
    """
    row = lock_one(session, Payment, payment_id)
    if row.method != "card" or State(row.state) not in OPEN:
        raise PaymentNotOpen("This payment has ended. Start again from the order.", state=row.state)
    if row.first_sent_at is not None and row.checkout_id is None and now - row.first_sent_at > SAME_KEY_FOR:
        stem, _, version = row.idem_key.rpartition("-v")
        row.idem_key, row.first_sent_at = f"{stem}-v{int(version) + 1}", None
    take_later = _take_later(session, row)
    row.first_sent_at = row.first_sent_at or now
    return CheckoutOrder(
        payment_id=row.id,
        key=row.idem_key,
        money=Money(row.amount_minor, row.currency),
        title=row.title,
        group=str(row.subject_id),
        return_url=return_url,
        cancel_url=cancel_url,
        expires_at=max(row.expires_at, row.first_sent_at + SHORTEST_PAGE),  # the same in every repeat
        email=row.email,
        language=language,
        take_later=take_later,
    )


def _take_later(session: Session, row: Payment) -> bool:
    """Whether the card is charged when the goods are packed: where one of the co-ops asks for it, settled with the first page."""
    if session.get(CardAuthorisation, row.id) is not None:
        return True
    coop_ids = {part.coop_id for part in parts(session, row.id)}
    asked = any(coop.charge_when_packed for coop in producers.coops_by_id(session, coop_ids).values())
    if not asked or row.first_sent_at is not None:
        return False
    session.add(CardAuthorisation(payment_id=row.id, amount_minor=row.amount_minor))
    session.flush()
    return True


def record_checkout(session: Session, *, payment_id: UUID, seen: Checkout, now: datetime) -> PaymentView:
    """Keep the address of the page that was opened, and apply what it shows already."""
    row = lock_one(session, Payment, payment_id)
    if row.checkout_id is None:
        row.checkout_id, row.checkout_url = seen.checkout_id, seen.url
    return apply(session, payment_id=payment_id, seen=seen, now=now)


def record_refusal(session: Session, *, payment_id: UUID, problem: str) -> PaymentView:
    """End a payment that the processor does not take."""
    row = lock_one(session, Payment, payment_id)
    if row.state == State.CREATED:
        row.state, row.problem = State.FAILED, problem
        outbox.announce(session, CLOSED, ids_of(view(row)), key=str(row.id))
    return view(row)


def start_checkout(
    units: Units,
    cards: CardProcessor,
    *,
    payment_id: UUID,
    return_url: str,
    cancel_url: str,
    now: datetime,
    language: str = "en",
) -> PaymentView:
    """Open the page, or find the one that is open; redirect the buyer to `checkout_url` of what returns.

    `return_url` may contain `{CHECKOUT_SESSION_ID}`; `language` is the buyer's, the same in every repeat.
    Raises CardsRefused (the payment has ended), ProcessorUnavailable
    (try again: the same page opens), PaymentNotOpen.
    """
    with units() as session:
        known = payment(session, payment_id)
        if known.checkout_url is not None:
            return known
        order = prepare_checkout(
            session, payment_id=payment_id, return_url=return_url, cancel_url=cancel_url, now=now, language=language
        )
    try:
        seen = cards.open_checkout(order)
    except ProcessorRefused as error:
        with units() as session:
            record_refusal(session, payment_id=payment_id, problem=error.detail)
        raise CardsRefused(say("The card processor does not take this payment: %(detail)s", detail=error.detail)) from error
    except ProcessorUnsure as error:
        raise ProcessorUnavailable("The card processor does not answer. Try again in a moment; you pay once.") from error
    with units() as session:
        return record_checkout(session, payment_id=payment_id, seen=seen, now=now)


def refresh(units: Units, cards: CardProcessor, *, payment_id: UUID, now: datetime) -> PaymentView:
    """Ask the processor and apply its answer; return the payment as it is then.

    What the processor does not answer changes nothing: the sweep asks again.
    """
    return _ask(units, payment_id, cards.checkout, now)


def close(units: Units, cards: CardProcessor, *, payment_id: UUID, now: datetime) -> PaymentView:
    """Make sure that nobody can pay any more, and return how the payment ended: it may just have been paid.

    Raises ProcessorUnavailable when the processor does not answer: then it may still be paid.
    """
    with units() as session:
        known = payment(session, payment_id)
        if known.is_open and known.checkout_id is None and known.state not in (State.PROCESSING, State.PART_PAID):
            return expire(session, payment_id=payment_id, now=now)
    if not known.is_open:
        return known
    if known.state is State.AUTHORISED:
        raise PaymentNotOpen("The amount is kept on the card. It is let go with the order.", state=known.state)
    result = _ask(units, payment_id, cards.close_checkout, now)
    if result.state in (State.CREATED, State.REQUIRES_ACTION):
        raise ProcessorUnavailable("The card processor does not answer, so the payment may still be made.")
    return result


def _ask(units: Units, payment_id: UUID, question: Callable[[str], Checkout], now: datetime) -> PaymentView:
    with units() as session:
        known = payment(session, payment_id)
    if known.checkout_id is None or known.state in PAID_STATES:
        return known
    try:
        seen = question(known.checkout_id)
    except (ProcessorUnsure, ProcessorRefused):
        with units() as session:
            lock_one(session, Payment, payment_id).asked_at = now
        return known
    with units() as session:
        return apply(session, payment_id=payment_id, seen=seen, now=now)


def apply(session: Session, *, payment_id: UUID, seen: Checkout, now: datetime) -> PaymentView:
    """Bring a payment to what the processor shows, once, and post what follows (E02; E09 for money nobody waits for).

    Locks the payment, then the books; announces `payments.paid`, `payments.surplus` or `payments.closed`. Call it last in
    a unit of work.
    """
    row = lock_one(session, Payment, payment_id)
    before = State(row.state)
    state = after(before, State(seen.state))
    row.asked_at, row.problem = now, seen.problem
    row.intent_id, row.charge_id = seen.intent_id or row.intent_id, seen.charge_id or row.charge_id
    if state is before:
        return view(row)
    if state is State.SUCCEEDED and not _wanted(session, row, seen.paid):
        state = State.SURPLUS  # never a silent loss: what came goes back, and the page is asked about
    row.state = state
    if state in PAID_STATES:
        assert seen.paid is not None
        row.paid_at, row.received_minor = seen.charged_at or now, seen.paid.minor
        if state is State.SUCCEEDED:
            outbox.announce(session, PAID, ids_of(view(row)), key=str(row.id))
            _post_taken(session, row, seen.paid, now)
        else:
            outbox.announce(session, SURPLUS, {"payment_id": str(row.id)}, key=str(row.id))
            give_back(session, row, source="card_clearing", now=now)
    elif state is State.AUTHORISED:
        _keep(session, row, seen, now)
    elif state not in OPEN:
        outbox.announce(session, CLOSED, ids_of(view(row)), key=str(row.id))
    return view(row)


def _keep(session: Session, row: Payment, seen: Checkout, now: datetime) -> None:
    """Note until when the card company keeps the money: nothing has moved, so nothing is posted."""
    kept = session.get(CardAuthorisation, row.id)
    if kept is None:  # somebody changed the page at the processor: it is taken all the same when the goods are packed
        kept = CardAuthorisation(payment_id=row.id, amount_minor=row.amount_minor)
        session.add(kept)
    kept.capture_before = seen.capture_before or now + KEPT_FOR
    outbox.announce(session, AUTHORISED, ids_of(view(row)), key=str(row.id))


def _wanted(session: Session, row: Payment, paid: Money | None) -> bool:
    """Whether what came is for the order: what was asked for, or what was taken of an authorisation that was not let go."""
    kept = session.get(CardAuthorisation, row.id)
    if kept is not None and paid is not None and paid.currency == row.currency:
        return kept.decision != "release"
    return paid == Money(row.amount_minor, row.currency)


def _post_taken(session: Session, row: Payment, paid: Money, now: datetime) -> None:
    """Post what was asked for, and how much less or more somebody took of it in the processor's dashboard."""
    asked = Money(row.amount_minor, row.currency)
    _post_paid(session, row)
    if paid < asked:
        record_taken_less(session, row, paid, now=now)
    elif asked < paid:
        give_back(session, row, source="card_clearing", now=now, above_price=True)


def _post_paid(session: Session, row: Payment) -> None:
    bought = parts(session, row.id)
    books = ledger.books_of(session, {part.coop_id for part in bought})
    assert row.paid_at is not None
    days = days_of(session, books, row.paid_at)
    entries = [
        Entry(
            book_id=books[part.coop_id],
            kind="payment.paid",
            key=f"payment:{row.id}:paid:{part.subject}",
            on=days[part.coop_id],
            actor=ACTOR,
            legs=legs_of(paid_moves(part, "card_clearing")),
        )
        for part in bought
    ]
    ledger.post(session, entries, late=True)
