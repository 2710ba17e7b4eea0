"""Ask back a part of a card transfer that the payee owes: asked by an approver, sent by a worker, booked by the statement."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel import audit, locks
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.kernel.words import say
from market.payouts.errors import ReversalRefused, StepRefused
from market.payouts.models import Payout, TransferReversal
from market.payouts.ports import Accepted, Answer, Refused, TransferOrder
from market.payouts.queries.reversals import can_be_asked_back
from market.payouts.service.send import order_of

SAME_KEY_FOR = timedelta(hours=23)
"""So long the processor knows a key for certain; afterwards a person looks (money.md 4.2)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to be sent: `order` carries a key of its own."""

    reversal_id: UUID
    order: TransferOrder
    provider_ref: str
    money: Money
    asked_at: datetime


def ask_back(session: Session, *, actor: Actor, payout_id: UUID, money: Money, reason: str, now: datetime) -> UUID:
    """Ask the processor to give back `money` of a transfer; return the question's id. A worker sends it.

    Raises StepRefused for a payout that is no card transfer, ReversalRefused beyond what the payee owes and was paid by it,
    or without a reason. Locks the payout.
    """
    payout = locks.lock_one(session, Payout, payout_id)
    if payout.rail != "stripe" or payout.provider_ref is None or payout.state not in ("sent", "settled"):
        raise StepRefused("Only what was transferred to a card account can be asked back.", state=payout.state)
    if len(reason.strip()) < 3:
        raise ReversalRefused("Say in a few words why it is asked back.", pointer="/reason")
    most = can_be_asked_back(session, payout.id)
    if money.minor <= 0 or money.currency != payout.currency or most < money:
        raise ReversalRefused(say("At most %(most)s can be asked back.", most=most), pointer="/amount")
    row = TransferReversal(
        id=new_id(), coop_id=payout.coop_id, payout_id=payout.id, currency=money.currency, amount_minor=money.minor,
        reason=reason.strip()[:300], state="asked", asked_by=actor.label, asked_at=now,
    )  # fmt: skip
    session.add(row)
    audit.record(
        session, actor=actor, action="payouts.asked_back", subject_kind="payout", subject_id=payout.id, now=now,
        coop_id=payout.coop_id, new={"amount": money.text, "reason": row.reason},
    )  # fmt: skip
    session.flush()
    return row.id


def reversals_waiting(session: Session, *, limit: int = 50) -> list[Asked]:
    """Return the questions that have no answer, oldest first."""
    waiting = select(TransferReversal).where(TransferReversal.state == "asked").order_by(TransferReversal.asked_at).limit(limit)
    found = []
    for row in session.scalars(waiting):
        payout = session.get_one(Payout, row.payout_id)
        assert payout.provider_ref is not None  # checked when it was asked
        order = replace(order_of(payout), key=f"rv-{row.id}")
        found.append(Asked(row.id, order, payout.provider_ref, Money(row.amount_minor, row.currency), row.asked_at))
    return found


def record_reversal(session: Session, *, reversal_id: UUID, answer: Answer, now: datetime) -> None:
    """Note what the processor said; without an answer the question is sent again, until its key may be forgotten."""
    row = locks.lock_one(session, TransferReversal, reversal_id)
    if row.state != "asked":
        return
    if isinstance(answer, Accepted):
        row.state, row.answer = "accepted", answer.provider_ref
    elif isinstance(answer, Refused):
        row.state, row.answer = "refused", answer.reason[:300]
    elif now - row.asked_at > SAME_KEY_FOR:
        row.state = "unsure"
