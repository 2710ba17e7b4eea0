"""What somebody owes the co-op and will never pay: given up by an approver, with a reason (E49)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.money import Money
from market.kernel.words import say
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.queries import AccountBalance
from market.ledger.rules import Entry
from market.payouts.errors import ClaimRefused
from market.payouts.rules.postings import claim_written_off
from market.producers import queries as producers


def claims(session: Session, coop_id: UUID) -> list[AccountBalance]:
    """Return what payees, cashiers and the organisation owe the co-op, by account."""
    return [one for one in books.balances(session, ledger.book_of(session, coop_id), prefix="claim:") if one.money.minor > 0]


def give_up_claim(
    session: Session, *, actor: Actor, coop_id: UUID, code: str, money: Money, reason: str, key: UUID, now: datetime
) -> None:
    """Write off `money` of a claim; `key` names the act, so that the same again changes nothing. Posts: call it last.

    Raises ClaimRefused beyond what is owed, or without a reason.
    """
    book = ledger.book_of(session, coop_id)
    if books.booked(session, book, f"claim:given_up:{key}") is not None:
        return
    owed = next((one.money for one in claims(session, coop_id) if (one.code, one.money.currency) == (code, money.currency)), None)
    if owed is None or money.minor <= 0 or owed < money:
        raise ClaimRefused(say("At most %(most)s can be given up.", most=owed or Money.zero(money.currency)), pointer="/amount")
    if len(reason.strip()) < 3:
        raise ClaimRefused("Say in a few words why it is given up.", pointer="/reason")
    on = day_in(now, producers.coop(session, coop_id).time_zone)
    audit.record(
        session, actor=actor, action="payouts.claim_given_up", subject_kind="coop", subject_id=coop_id, coop_id=coop_id, now=now,
        new={"account": code, "amount": money.text, "reason": reason.strip()},
    )  # fmt: skip
    moved = claim_written_off(code.removeprefix("claim:"), money, key)
    ledger.post(session, [Entry(book, "claim_given_up", f"claim:given_up:{key}", on, actor.label, moved)])
