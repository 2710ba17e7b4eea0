"""Send through a rail that a program can call: claim, commit, call, record (money.md 6.1, 6.3, 6.4).

The row is the truth; a worker holds a payout only by a token that is committed before the call. Whoever comes late finds
another token and changes nothing. The key of a payout never changes, so that a repeat cannot pay twice.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from market.kernel import locks, outbox
from market.kernel.actor import system
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.kernel.words import N_
from market.payouts.models import Payout, PayoutAttempt
from market.payouts.ports import Accepted, Answer, Pending, Refused, TransferOrder
from market.payouts.rules.states import FINAL, TRANSITIONS, State, Step, transition
from market.payouts.rules.timing import LEASE, Capabilities, Next, may_resend_after_not_found, next_action, pause_after
from market.payouts.service.settle import undo
from market.payouts.service.stop import GOES_OUT, stop

_PROVIDERS = {"stripe": N_("the card processor"), "momo": N_("the provider of mobile money")}


@dataclass(frozen=True, slots=True)
class Claim:
    """What a worker may do with one payout until its lease ends; `resend` allows a send after a definite "not found"."""

    rail: str
    action: Next
    token: UUID
    attempt: int
    resend: bool
    order: TransferOrder


def claim_next(session: Session, *, now: datetime, rails: Mapping[str, Capabilities], lease: timedelta = LEASE) -> Claim | None:
    """Claim the payout that waits longest, skipping those that others hold; None when nothing waits.

    Commit before calling the rail. A claim with action GIVE_UP needs no call: the payout now waits for a person.
    """
    payout = session.execute(
        select(Payout)
        .where(Payout.wake_at <= now, Payout.rail.in_(rails), Payout.state.in_(TRANSITIONS[Step.CLAIM].sources), GOES_OUT)
        .order_by(Payout.wake_at, Payout.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if payout is None:
        return None
    rail = rails[payout.rail]
    accepted = payout.provider_ref is not None
    action = next_action(
        first_sent_at=payout.first_sent_at, now=now, rail=rail, accepted=accepted, waited=now - payout.changed_at
    )
    order = order_of(payout)
    if action is Next.GIVE_UP:
        payout.state, payout.changed_at = transition(payout.state, Step.GIVE_UP).target, now
        payout.wake_at = payout.lease_token = None
        outbox.announce(session, "payouts.needs_person", {"payout_id": payout.id})
        return Claim(payout.rail, action, payout.id, payout.attempts, False, order)
    resend = payout.first_sent_at is None or (
        not accepted and may_resend_after_not_found(first_sent_at=payout.first_sent_at, now=now, rail=rail)
    )
    payout.state, payout.changed_at = transition(payout.state, Step.CLAIM).target, now
    payout.lease_token, payout.wake_at = new_id(), now + lease
    payout.first_sent_at = payout.first_sent_at or now
    payout.attempts += 1
    session.add(
        PayoutAttempt(
            coop_id=payout.coop_id,
            payout_id=payout.id,
            n=payout.attempts,
            action=action,
            key=order.key,
            request_hash=_hash(order),
            started_at=now,
        )
    )
    return Claim(payout.rail, action, payout.lease_token, payout.attempts, resend, order)


def record_outcome(session: Session, *, claim: Claim, answer: Answer, now: datetime) -> bool:
    """Record what the rail said; False when the lease had passed to another worker, who then records.

    A late yes about a payout that is owed again meanwhile stops the co-op: the next run would pay it twice.

    Accepted: sent, and a statement must still show it. Pending: sent, and asked about after a pause. Refused: failed, E42.
    Anything else: unknown, tried again with the same key after a pause.
    """
    payout = locks.lock_one(session, Payout, claim.order.payout_id)
    session.execute(
        update(PayoutAttempt)
        .where(PayoutAttempt.payout_id == payout.id, PayoutAttempt.n == claim.attempt, PayoutAttempt.outcome.is_(None))
        .values(ended_at=now, outcome=_words(answer))
    )
    if payout.state != State.SENDING or payout.lease_token != claim.token:
        if payout.state in FINAL and isinstance(answer, Accepted | Pending):
            stop(session, coop_ids=[payout.coop_id], found_in=_PROVIDERS[payout.rail], evidence=payout.reference, now=now)
        return False
    if isinstance(answer, Refused):
        undo(session, payout, Step.FAIL, reason=answer.reason, actor=system("payouts.send"), now=now)
        return True
    step = Step.ACCEPT if isinstance(answer, Accepted | Pending) else Step.LOSE
    payout.state, payout.changed_at = transition(payout.state, step).target, now
    payout.lease_token = None
    if isinstance(answer, Accepted):
        payout.provider_ref, payout.wake_at, payout.reason = answer.provider_ref, None, None
    elif isinstance(answer, Pending):
        payout.provider_ref, payout.wake_at, payout.reason = answer.provider_ref, now + pause_after(payout.attempts), None
    else:
        payout.wake_at, payout.reason = now + pause_after(payout.attempts), _words(answer)[:500]
    return True


def hurry(session: Session, *, reference: str, now: datetime) -> bool:
    """Let a worker ask now about the payout that a provider's callback names; False when there is nothing to ask.

    The callback itself is believed in nothing: it may be late, doubled, or forged.
    """
    open_ = (State.SENT, State.UNKNOWN)
    hurried = session.execute(
        update(Payout)
        .where(Payout.reference == reference, Payout.wake_at > now, Payout.state.in_(open_), Payout.first_sent_at.is_not(None))
        .values(wake_at=now)
        .returning(Payout.id)
    )
    return hurried.first() is not None


def order_of(payout: Payout) -> TransferOrder:
    """Return a payout as its rail is told of it."""
    return TransferOrder(
        payout_id=payout.id,
        key=payout.idem_key,
        reference=payout.reference,
        money=Money(payout.amount_minor, payout.currency),
        details={name: str(value) for name, value in payout.details.items()},
        group=f"payout-run-{payout.run_id}",
    )


def _hash(order: TransferOrder) -> bytes:
    content = [str(order.payout_id), order.key, order.reference, order.money.minor, order.money.currency, dict(order.details)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()


def _words(answer: Answer) -> str:
    if isinstance(answer, Accepted | Pending):
        return f"{type(answer).__name__.lower()} {answer.provider_ref}"
    return f"{type(answer).__name__.lower()} {getattr(answer, 'reason', '')}".strip()
