"""A community currency: off until two persons open it; holders with limits, transfers between them, a member who leaves.

The sum over all accounts is always zero (M-1): nothing is issued, backed or redeemed. The books' own limits refuse what goes
beyond a holder's, read under their lock.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.ids import new_id
from market.kernel.locks import lock, lock_one
from market.kernel.money import Money
from market.ledger import service as ledger
from market.ledger.errors import LimitExceeded
from market.ledger.rules import Entry, Leg
from market.producers import queries as producers
from market.treasury import community_queries as queries
from market.treasury import rules
from market.treasury.community_models import UNIT, CommunityHolder, CommunityLeaving, CommunityScheme, CommunityTransfer
from market.treasury.errors import AmountRefused, BeyondLimit, EvidenceMissing, NotOpen, SecondPerson
from market.treasury.service.deciding import add, book, decide, end, locked


def propose_scheme(
    session: Session, *, actor: Actor, coop_id: UUID, legal_check: str, authorise_above: Money, now: datetime
) -> UUID:
    """Propose that the co-op keeps a community currency; raises EvidenceMissing without the paper of its legal check, NotOpen."""
    if len(legal_check.strip()) < 10:
        raise EvidenceMissing("Say where the legal check is kept, and by whom it was made.", pointer="/legal_check")
    if queries.scheme(session, coop_id) is not None:
        raise NotOpen("There is a community currency here already, or one is proposed.")
    row = CommunityScheme(
        id=new_id(), coop_id=coop_id, legal_check=legal_check.strip(), authorise_above_minor=authorise_above.minor,
        state="proposed", proposed_by=actor.label, proposed_at=now,
    )  # fmt: skip
    return add(session, row, actor=actor, now=now, facts={"name": row.legal_check, "amount": authorise_above.text})


def decide_scheme(session: Session, *, actor: Actor, scheme_id: UUID, agreed: bool, now: datetime) -> None:
    """Open the community currency or decline it. Raises SecondPerson, NotOpen."""
    decide(session, CommunityScheme, scheme_id, actor=actor, state="open" if agreed else "declined", now=now)


def propose_holder(
    session: Session, *, actor: Actor, producer_id: UUID, limit_down: Money, growth_cap: Money, limit_up: Money | None,
    now: datetime,
) -> UUID:  # fmt: skip
    """Propose an account for a member, with how far it may fall, grow to and rise; raises AmountRefused, NotOpen (M-10)."""
    member = producers.producer(session, producer_id)
    _open_scheme(session, member.coop_id)
    if limit_down.minor <= 0 or growth_cap < limit_down or (limit_up is not None and limit_up.minor <= 0):
        raise AmountRefused("A new account may fall below zero, and its limit may not grow to less.", pointer="/limit_down")
    if any(
        one.producer_id == producer_id for one in queries.holders(session, member.coop_id, states=("proposed", "open", "left"))
    ):
        raise NotOpen("This member has an account, or had one.", pointer="/producer_id")
    row = CommunityHolder(
        id=new_id(), coop_id=member.coop_id, producer_id=producer_id, limit_down_minor=limit_down.minor,
        limit_up_minor=limit_up and limit_up.minor, growth_cap_minor=growth_cap.minor,
        state="proposed", proposed_by=actor.label, proposed_at=now,
    )  # fmt: skip
    return add(session, row, actor=actor, now=now, facts={"name": member.name, "amount": limit_down.text})


def decide_holder(session: Session, *, actor: Actor, holder_id: UUID, agreed: bool, now: datetime) -> None:
    """Open a member's account or decline it. Raises SecondPerson, NotOpen."""
    row = decide(session, CommunityHolder, holder_id, actor=actor, state="open" if agreed else "declined", now=now)
    if agreed:
        _limit(session, row)


def pay(session: Session, *, actor: Actor, payer_id: UUID, payee_id: UUID, money: Money, words: str, now: datetime) -> UUID:
    """Pay from one holder to another; above the scheme's limit it waits for a second person. Posts, so call it last.

    The edge has proven that the actor may act for the payer. Raises NotOpen, AmountRefused, EvidenceMissing, BeyondLimit.
    """
    holders = {row.id: row for row in lock(session, CommunityHolder, [payer_id, payee_id])}
    payer, payee = holders.get(payer_id), holders.get(payee_id)
    if (
        payer is None
        or payee is None
        or payer is payee
        or {payer.state, payee.state} != {"open"}
        or payer.coop_id != payee.coop_id
    ):
        raise NotOpen("Both sides hold an open account of the same co-op, and are two.", pointer="/payee")
    scheme = _open_scheme(session, payer.coop_id)
    if money.minor <= 0 or money.currency != UNIT:
        raise AmountRefused("The amount is above zero.", pointer="/amount")
    if len(words.strip()) < 2:
        raise EvidenceMissing("Say what it is for.", pointer="/words")
    if money > queries.holder(session, payer.id).spendable:
        raise BeyondLimit("This is more than the payer may still spend, or the payee may hold.", pointer="/amount")
    second = money > scheme.authorise_above
    row = CommunityTransfer(
        id=new_id(), coop_id=payer.coop_id, payer_id=payer.id, payee_id=payee.id, amount_minor=money.minor, words=words.strip(),
        needs_second=second, state="pending", asked_by=actor.label, asked_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    if not second:
        _commit(session, row, payer, payee, actor, now)
    return row.id


def decide_transfer(session: Session, *, actor: Actor, transfer_id: UUID, agreed: bool, now: datetime) -> None:
    """Authorise a transfer above the limit, as a second person, or deny it. Raises NotOpen, SecondPerson, BeyondLimit. Posts."""
    row = lock_one(session, CommunityTransfer, transfer_id)
    if row.state != "pending":
        raise NotOpen("This was decided already.", state=row.state)
    if row.asked_by == actor.label:
        raise SecondPerson("You proposed this. Somebody else has to decide.")
    holders = {one.id: one for one in lock(session, CommunityHolder, [row.payer_id, row.payee_id])}
    row.authorised_by = actor.label
    if not agreed:
        row.state, row.ended_at = "denied", now
        return
    _commit(session, row, holders[row.payer_id], holders[row.payee_id], actor, now)


def propose_leaving(session: Session, *, actor: Actor, holder_id: UUID, minutes: str, now: datetime) -> UUID:
    """Propose that a holder leaves and the members take over the debt, if any (M-9).

    Raises NotOpen while the holder has something left to spend, EvidenceMissing without the minutes.
    """
    if len(minutes.strip()) < 3:
        raise EvidenceMissing("Name the minutes of the members' decision.", pointer="/minutes")
    holder = locked(session, CommunityHolder, holder_id, state="open")
    _nothing_left(session, holder)
    row = CommunityLeaving(
        id=new_id(), coop_id=holder.coop_id, holder_id=holder.id, minutes=minutes.strip(),
        state="proposed", proposed_by=actor.label, proposed_at=now,
    )  # fmt: skip
    return add(session, row, actor=actor, now=now, facts={"minutes": row.minutes})


def decide_leaving(session: Session, *, actor: Actor, leaving_id: UUID, agreed: bool, now: datetime) -> None:
    """Let a holder leave: the debt becomes the shared loss of all (E53). Raises SecondPerson, NotOpen. Posts."""
    row = decide(session, CommunityLeaving, leaving_id, actor=actor, state="booked" if agreed else "declined", now=now)
    if not agreed:
        return
    holder = locked(session, CommunityHolder, row.holder_id, state="open")
    debt = -_nothing_left(session, holder)
    end(session, holder, "left", actor=actor, now=now)
    if debt:
        book(session, row, "community_loss", rules.community_loss_shared(holder.id, debt, row.id), actor=actor, now=now)


def _nothing_left(session: Session, holder: CommunityHolder) -> Money:
    balance = queries.holder(session, holder.id).balance
    if balance.minor > 0:
        raise NotOpen("What is on the account is spent first: it cannot be paid out.")
    return balance


def _open_scheme(session: Session, coop_id: UUID) -> queries.SchemeView:
    found = queries.scheme(session, coop_id)
    if found is None or found.state != "open":
        raise NotOpen("The co-op keeps no community currency.")
    return found


def _limit(session: Session, row: CommunityHolder) -> None:
    """Let the books refuse what goes beyond the holder's limits."""
    ledger.set_limits(
        session, ledger.book_of(session, row.coop_id), queries.account_of(row.id), UNIT,
        floor=-row.limit_down_minor, ceiling=row.limit_up_minor,
    )  # fmt: skip


def _commit(
    session: Session, row: CommunityTransfer, payer: CommunityHolder, payee: CommunityHolder, actor: Actor, now: datetime
) -> None:
    before = max(queries.net_paid(session, payer.id, payee.id), 0)
    row.state, row.ended_at = "committed", now
    session.flush()
    gained = max(queries.net_paid(session, payer.id, payee.id), 0) - before
    grown = min(payee.growth_cap_minor, payee.limit_down_minor + max(gained, 0))
    audit.record(
        session, actor=actor, action="treasury.community_paid", subject_kind="community_holder", subject_id=payer.id,
        coop_id=row.coop_id, now=now, new={"amount": queries.unit(row.amount_minor).text, "what": row.words},
    )  # fmt: skip
    if grown != payee.limit_down_minor:
        payee.limit_down_minor = grown
        session.flush()
        _limit(session, payee)
    legs = rules.community_transferred(payer.id, payee.id, queries.unit(row.amount_minor), row.id)
    book_unit(session, row.coop_id, "community_transfer", f"community:{row.id}", legs, actor=actor, now=now)


def book_unit(
    session: Session, coop_id: UUID, kind: str, key: str, moved: tuple[Leg, ...], *, actor: Actor, now: datetime
) -> None:
    """Post what moves in the unit of a co-op; the books refuse what goes beyond a holder's limits. Raises BeyondLimit."""
    on = day_in(now, producers.coop(session, coop_id).time_zone)
    try:
        ledger.post(session, [Entry(ledger.book_of(session, coop_id), kind, key, on, actor.label, moved)], late=True)
    except LimitExceeded as error:
        raise BeyondLimit("This is more than the payer may still spend, or the payee may hold.", pointer="/amount") from error
