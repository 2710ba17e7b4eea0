"""Card disputes: what the processor says of one is recorded, its loss is booked once, its evidence goes out once (4.3).

The money that a dispute takes or gives back moves on the processor's statement alone (E25, E26, in `balance`); what is
booked here is that it is lost (E27). Earnings are held by whoever owns them, on `payments.dispute_changed`.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import SYSTEM, Actor
from market.kernel.ids import new_id
from market.kernel.locks import lock_one
from market.kernel.money import Money
from market.kernel.outbox import announce
from market.kernel.uow import Units
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.payments import postings
from market.payments.dispute_queries import dispute
from market.payments.errors import DisputeClosed, EvidenceNeeded, PaymentMissing, ProcessorUnavailable
from market.payments.events import DISPUTE_CHANGED
from market.payments.models import Dispute, Payment, ProcessorLine
from market.payments.ports import CardProcessor, DisputeAnswer, ProcessorRefused, ProcessorUnsure
from market.payments.queries import parts
from market.payments.rules import DISPUTE_CLOSED, DISPUTE_OPEN, Share, shares
from market.payments.service.books import ACTOR, days_of
from market.payments.service.disputed_refunds import follow_dispute


def record_dispute(session: Session, *, answer: DisputeAnswer, now: datetime) -> UUID:
    """Record what the processor says of a dispute now; return its id. What is closed stays closed. Posts: call it last.

    Raises PaymentMissing when it is about no payment of ours.
    """
    payment = session.scalars(select(Payment).where(Payment.intent_id == answer.intent_id)).one_or_none()
    if payment is None:
        raise PaymentMissing("This dispute is about no payment of ours.")
    session.execute(
        insert(Dispute)
        .values(
            id=new_id(),
            payment_id=payment.id,
            provider_ref=answer.provider_ref,
            state="new",
            reason=answer.reason,
            currency=answer.money.currency,
            amount_minor=answer.money.minor,
            opened_at=answer.opened_at,
        )
        .on_conflict_do_nothing(index_elements=["provider_ref"])
    )
    row = lock_one(session, Dispute, session.scalars(select(Dispute.id).filter_by(provider_ref=answer.provider_ref)).one())
    if row.state in DISPUTE_CLOSED or row.state == answer.state:
        return row.id
    before, row.state, row.evidence_due_at = row.state, answer.state, answer.evidence_due_at
    if answer.state in DISPUTE_CLOSED:
        row.closed_at = now
    # Its line on the statement may have come before it was known whose it is.
    waiting = update(ProcessorLine).where(ProcessorLine.source == row.provider_ref, ProcessorLine.state == "unknown")
    session.execute(waiting.values(state="new", problem=None))
    audit.record(
        session,
        actor=SYSTEM,
        action="payments.dispute",
        subject_kind="dispute",
        subject_id=row.id,
        now=now,
        old={"state": before},
        new={"state": row.state},
    )
    announce(session, DISPUTE_CHANGED, {"dispute_id": row.id})
    entries = follow_dispute(session, row, now=now)
    session.flush()
    if row.state == "lost":
        entries += _lost(session, row, now)
    ledger.post(session, entries, late=True)
    return row.id


def _lost(session: Session, row: Dispute, now: datetime) -> list[Entry]:
    """E27: the co-ops bear the loss, each for its share of the payment."""
    found = shares_of(session, row, Money(row.amount_minor, row.currency), Money.zero(row.currency))
    books = ledger.books_of(session, [share.coop_id for share in found])
    days = days_of(session, books, now)
    key = f"dispute:{row.id}:lost"
    return [
        Entry(books[share.coop_id], "dispute.lost", key, days[share.coop_id], ACTOR, postings.dispute_lost(share.gross, row.id))
        for share in found
        if share.gross
    ]


def shares_of(session: Session, row: Dispute, gross: Money, fee: Money) -> list[Share]:
    """Split money of a dispute over the co-ops that the payment paid."""
    weights: dict[UUID, int] = {}
    for part in parts(session, row.payment_id):
        weights[part.coop_id] = weights.get(part.coop_id, 0) + part.total.minor
    return shares(gross, fee, sorted(weights.items()))


def submit_evidence(units: Units, cards: CardProcessor, *, dispute_id: UUID, text: str, actor: Actor, now: datetime) -> None:
    """Send the co-op's side of a dispute to the processor, once; afterwards nothing can be added.

    Raises EvidenceNeeded, DisputeClosed when it was sent or decided, ProcessorUnavailable when nobody answered: send again.
    """
    with units() as session:
        known = dispute(session, dispute_id)
    if len(text.strip()) < 20:
        raise EvidenceNeeded("Please say what was ordered, sent and received.", pointer="/evidence")
    if known.state not in DISPUTE_OPEN or known.submitted_at is not None:
        raise DisputeClosed("The evidence was sent already, or the dispute is decided.")
    try:
        answer = cards.submit_evidence(known.provider_ref, text.strip())
    except ProcessorUnsure as error:
        raise ProcessorUnavailable("The card company does not answer. Please send it again in a few minutes.") from error
    except ProcessorRefused as error:
        raise DisputeClosed("The card company does not take evidence for this dispute any more.") from error
    with units() as session:
        row = lock_one(session, Dispute, dispute_id)
        if row.submitted_at is not None:
            return
        row.submitted_at, row.submitted_by, row.evidence = now, actor.label, text.strip()
        if answer.state in DISPUTE_OPEN:  # a decision is booked where all co-ops of the payment are seen
            row.state = answer.state
        audit.record(
            session,
            actor=actor,
            action="payments.evidence_sent",
            subject_kind="dispute",
            subject_id=row.id,
            now=now,
            new={"evidence": text.strip(), "state": row.state},
        )
