"""Ask back a part of a card transfer that the payee owes: asked by an approver, sent by a worker, booked by the statement."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel import audit, locks
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.keys import SAME_KEY_FOR
from market.kernel.money import Money
from market.kernel.words import N_, say
from market.payouts.errors import ReversalRefused, StepRefused
from market.payouts.models import Payout, TransferReversal
from market.payouts.ports import Accepted, Answer, NotFound, Refused, TransferOrder
from market.payouts.queries.reversals import can_be_asked_back
from market.payouts.service.send import order_of

_OPEN = ("asked", "unsure")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to be sent: `order` carries a key of its own; when that is not `fresh`, only what became of it is asked."""

    reversal_id: UUID
    order: TransferOrder
    provider_ref: str
    money: Money
    fresh: bool


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


def reversals_waiting(session: Session, *, now: datetime, limit: int = 50) -> list[Asked]:
    """Return the questions that have no answer, oldest first.

    After 23 hours, also those of an outage, nothing is sent any more: the forgotten key would take the money a second time.
    """
    open_ = select(TransferReversal).where(TransferReversal.state.in_(_OPEN))
    found = []
    for row in session.scalars(open_.order_by(TransferReversal.asked_at).limit(limit)):
        payout = session.get_one(Payout, row.payout_id)
        assert payout.provider_ref is not None  # checked when it was asked
        order = replace(order_of(payout), key=f"rv-{row.id}")
        found.append(
            Asked(row.id, order, payout.provider_ref, Money(row.amount_minor, row.currency), now - row.asked_at < SAME_KEY_FOR)
        )
    return found


def record_reversal(session: Session, *, reversal_id: UUID, answer: Answer, fresh: bool) -> None:
    """Note what the processor said; without an answer the question stays, and is a person's once its key is not `fresh`."""
    row = locks.lock_one(session, TransferReversal, reversal_id)
    if row.state not in _OPEN:
        return
    if isinstance(answer, Accepted):
        row.state, row.answer = "accepted", answer.provider_ref
    elif isinstance(answer, Refused):
        row.state, row.answer = "refused", answer.reason[:300]
    elif isinstance(answer, NotFound):
        row.state, row.answer = "refused", N_("It never arrived at the card processor.")
    elif not fresh:
        row.state = "unsure"
