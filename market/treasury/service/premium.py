"""The premium fund: what the members decided, what was spent of it with which paper, what is left (E36, E37)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.kernel.words import say
from market.ledger import queries as books
from market.ledger import service as ledger
from market.treasury import rules
from market.treasury.errors import AmountRefused, EvidenceMissing, FundTooSmall
from market.treasury.models import PremiumItem, PremiumSpending
from market.treasury.service.deciding import add, book, decide, end, locked


def propose_item(session: Session, *, actor: Actor, coop_id: UUID, name: str, money: Money, minutes: str, now: datetime) -> UUID:
    """Propose to commit part of the fund to what the members decided; return the item's id.

    Raises AmountRefused, EvidenceMissing without minutes, FundTooSmall.
    """
    if money.minor <= 0:
        raise AmountRefused("The amount is above zero.", pointer="/amount")
    if len(name.strip()) < 2:
        raise EvidenceMissing("Say what the premium is for.", pointer="/name")
    if len(minutes.strip()) < 3:
        raise EvidenceMissing("Say who decided it, when, and where the minutes are.", pointer="/minutes")
    _holds(session, coop_id, "fund_available", money)
    row = PremiumItem(
        id=new_id(), coop_id=coop_id, name=name.strip(), currency=money.currency, amount_minor=money.minor,
        minutes=minutes.strip(), state="proposed", proposed_by=actor.label, proposed_at=now,
    )  # fmt: skip
    return add(session, row, actor=actor, now=now, facts={"amount": money.text, "name": row.name})


def decide_item(session: Session, *, actor: Actor, item_id: UUID, agreed: bool, now: datetime) -> None:
    """Commit the fund to a proposed item, or decline it. Raises SecondPerson, NotOpen, FundTooSmall. Posts."""
    row = decide(session, PremiumItem, item_id, actor=actor, state="approved" if agreed else "declined", now=now)
    if agreed:
        money = Money(row.amount_minor, row.currency)
        _holds(session, row.coop_id, "fund_available", money)
        book(session, row, "premium_item", rules.item_approved(row.id, money, row.id), actor=actor, now=now)


def propose_spending(
    session: Session, *, actor: Actor, item_id: UUID, money: Money, payee: str, evidence: str, now: datetime
) -> UUID:
    """Propose to pay something of an approved item; return the spending's id.

    Raises NotOpen, AmountRefused, EvidenceMissing without the paper that proves it, FundTooSmall.
    """
    item = locked(session, PremiumItem, item_id, state="approved")
    if money.minor <= 0 or money.currency != item.currency:
        raise AmountRefused("The amount is above zero, in the currency of the item.", pointer="/amount")
    if len(payee.strip()) < 2:
        raise EvidenceMissing("Say who is paid.", pointer="/payee")
    if len(evidence.strip()) < 3:
        raise EvidenceMissing("Name the invoice or receipt, and where it is kept.", pointer="/evidence")
    _holds(session, item.coop_id, f"fund_committed:{item.id}", money)
    row = PremiumSpending(
        id=new_id(), coop_id=item.coop_id, item_id=item.id, currency=money.currency, amount_minor=money.minor,
        payee=payee.strip(), evidence=evidence.strip(), state="proposed", proposed_by=actor.label, proposed_at=now,
    )  # fmt: skip
    return add(session, row, actor=actor, now=now, facts={"amount": money.text, "payee": row.payee, "evidence": row.evidence})


def decide_spending(session: Session, *, actor: Actor, spending_id: UUID, agreed: bool, now: datetime) -> None:
    """Book a proposed spending as on its way to its payee, or decline it; the bank's line then ends it (E37).

    Raises SecondPerson, NotOpen, FundTooSmall. Posts.
    """
    row = decide(session, PremiumSpending, spending_id, actor=actor, state="booked" if agreed else "declined", now=now)
    if agreed:
        item = locked(session, PremiumItem, row.item_id, state="approved")
        money = Money(row.amount_minor, row.currency)
        _holds(session, row.coop_id, f"fund_committed:{item.id}", money)
        book(session, row, "premium_spending", rules.item_scheduled(item.id, money, row.id), actor=actor, now=now)


def close_item(session: Session, *, actor: Actor, item_id: UUID, now: datetime) -> None:
    """Give back to the fund what an item did not need. Raises NotOpen. Posts."""
    row = locked(session, PremiumItem, item_id, state="approved")
    end(session, row, "closed", actor=actor, now=now)
    rest = _balance(session, row.coop_id, f"fund_committed:{row.id}", row.currency)
    if rest:
        book(session, row, "premium_closed", rules.item_closed(row.id, rest, row.id), actor=actor, now=now)


def _balance(session: Session, coop_id: UUID, code: str, currency: str) -> Money:
    return books.balance(session, ledger.book_of(session, coop_id), code, currency)


def _holds(session: Session, coop_id: UUID, code: str, money: Money) -> None:
    left = _balance(session, coop_id, code, money.currency)
    if left.minor < money.minor:
        raise FundTooSmall(say("Only %(left)s is left for this.", left=left), pointer="/amount")
