"""The co-op's share of the card processor's balance, transferred to the co-op's own account there (money.md 4.4, E52).

Account and amount are each proposed by one person and decided by another. A worker sends what was approved, under one key; only
the processor's statement books it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.actor import SYSTEM, Actor
from market.kernel.ids import new_id
from market.kernel.keys import SAME_KEY_FOR
from market.kernel.locks import lock_one
from market.kernel.money import Money
from market.kernel.words import say
from market.ledger.rules import Leg
from market.treasury import rules
from market.treasury import share_queries as queries
from market.treasury.errors import AmountRefused, EvidenceMissing, NotOpen
from market.treasury.models import CoopRecipient, CoopShare
from market.treasury.service.deciding import add, decide, end, locked

Booked = tuple[UUID, tuple[Leg, ...]]


def propose_recipient(session: Session, *, actor: Actor, coop_id: UUID, account: str, now: datetime) -> UUID:
    """Name the co-op's own account at the card processor; another person confirms it. Raises EvidenceMissing, NotOpen."""
    if not account.startswith("acct_"):
        raise EvidenceMissing("A Stripe account begins with acct_.", pointer="/account")
    if queries.recipient(session, coop_id) is not None:
        raise NotOpen("The co-op has an account there already.")
    row = CoopRecipient(id=new_id(), coop_id=coop_id, account=account, state="proposed", proposed_by=actor.label, proposed_at=now)
    return add(session, row, actor=actor, now=now, facts={"account": account})


def decide_recipient(session: Session, *, actor: Actor, recipient_id: UUID, agreed: bool, now: datetime) -> None:
    """Confirm that the account is the co-op's, or decline it. Raises SecondPerson, NotOpen."""
    decide(session, CoopRecipient, recipient_id, actor=actor, state="confirmed" if agreed else "declined", now=now)


def propose_share(session: Session, *, actor: Actor, coop_id: UUID, money: Money, now: datetime) -> UUID:
    """Propose to transfer part of the co-op's share; return the transfer's id.

    Raises NotOpen without a confirmed account, AmountRefused beyond the share.
    """
    known = queries.recipient(session, coop_id)
    if known is None or known.state != "confirmed":
        raise NotOpen("First the co-op's account there is confirmed by a second person.")
    _there(session, coop_id, money)
    row = CoopShare(
        id=new_id(), coop_id=coop_id, recipient_id=known.id, currency=money.currency, amount_minor=money.minor, state="proposed",
        proposed_by=actor.label, proposed_at=now,
    )  # fmt: skip
    return add(session, row, actor=actor, now=now, facts={"amount": money.text})


def decide_share(session: Session, *, actor: Actor, share_id: UUID, agreed: bool, now: datetime) -> None:
    """Approve a transfer, which a worker then sends, or decline it. Raises SecondPerson, NotOpen, AmountRefused."""
    row = locked(session, CoopShare, share_id, state="proposed")
    lock_one(session, CoopRecipient, row.recipient_id)  # two approvals count each other
    if agreed:
        _there(session, row.coop_id, Money(row.amount_minor, row.currency))
    decide(session, CoopShare, row.id, actor=actor, state="approved" if agreed else "declined", now=now)


def _there(session: Session, coop_id: UUID, money: Money) -> None:
    free = queries.free_share(session, coop_id, money.currency)
    if money.minor <= 0 or free < money:
        raise AmountRefused(say("At most %(most)s of the co-op's share can be transferred.", most=free), pointer="/amount")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A transfer to send, or with `ask` one whose key is too old: then only what became of it is asked."""

    share_id: UUID
    coop_id: UUID
    account: str
    money: Money
    ask: bool


def shares_to_send(
    session: Session, *, now: datetime, stopped: Callable[[UUID], bool] = lambda _: False, limit: int = 50
) -> list[Waiting]:
    """Return what was approved and has no answer, noting the first time; commit before the call. Co-ops that are stopped wait."""
    waiting = select(CoopShare).where(CoopShare.state == "approved").order_by(CoopShare.decided_at, CoopShare.id).limit(limit)
    found = []
    for row in session.scalars(waiting.with_for_update(skip_locked=True)).all():
        if stopped(row.coop_id):
            continue
        row.first_sent_at = row.first_sent_at or now
        account = session.get_one(CoopRecipient, row.recipient_id).account
        late = now - row.first_sent_at > SAME_KEY_FOR
        found.append(Waiting(row.id, row.coop_id, account, Money(row.amount_minor, row.currency), late))
    return found


def record_share(session: Session, *, share_id: UUID, state: str, answer: str, now: datetime) -> None:
    """Note the processor's yes (`sent`) or definite no (`refused`); what the statement has booked stays booked."""
    row = lock_one(session, CoopShare, share_id)
    if row.state == "approved":
        row.answer = answer[:300]
        end(session, row, state, actor=SYSTEM, now=now)


def book_share(session: Session, *, share_id: UUID, money: Money, suspense: str, now: datetime) -> Booked | None:
    """Mark a transfer as shown by the processor's statement; return its co-op and the legs of the match.

    None when this is no transfer of a share. Raises NotOpen for another amount, or one that was refused or is booked.
    """
    if session.get(CoopShare, share_id) is None:
        return None
    row = lock_one(session, CoopShare, share_id)
    if row.state not in ("approved", "sent") or money != Money(row.amount_minor, row.currency):
        raise NotOpen("This transfer of the co-op's share is not on its way, or is of another amount.", state=row.state)
    end(session, row, "booked", actor=SYSTEM, now=now)
    return row.coop_id, rules.share_taken(suspense, money, row.id)
