"""Pre-finance for a harvest: taken on by two persons, received on the bank's statement, repaid before members (E39, E40)."""

import hashlib
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.kernel.words import say
from market.producers import queries as producers
from market.treasury import loan_queries as queries
from market.treasury import rules
from market.treasury.errors import AmountRefused, EvidenceMissing, NotOpen
from market.treasury.models import LOAN_NUMBERS, Loan, LoanFile, LoanRepayment
from market.treasury.service.deciding import add, book, decide, end, locked, unbook


def propose_loan(
    session: Session,
    *,
    actor: Actor,
    coop_id: UUID,
    kind: str,
    lender: str,
    contract: str,
    goods: Money,
    cap_percent: Decimal,
    money: Money,
    rate_percent: Decimal,
    due_on: date,
    terms: str,
    now: datetime,
    iban: str | None = None,
    bic: str | None = None,
) -> UUID:
    """Propose to take pre-finance of a `buyer` or `lender` on the goods of a contract; return the loan's id.

    `iban` is where it goes back to, checked by the caller. Raises AmountRefused above the cap of the goods (PFN-1) or for figures
    that cannot be, EvidenceMissing without a name, contract or the paper that holds the terms.
    """
    if kind not in ("buyer", "lender"):
        raise EvidenceMissing("Say who lends: the buyer, or another lender.", pointer="/kind")
    for name, words, least in (("lender", lender, 2), ("contract", contract, 2), ("terms", terms, 3)):
        if len(words.strip()) < least:
            raise EvidenceMissing("Name the lender, the contract, and where the signed terms are kept.", pointer=f"/{name}")
    if not 0 <= cap_percent <= 100 or not 0 <= rate_percent <= 100:
        raise AmountRefused("Cap and interest lie between 0 and 100 percent.", pointer="/cap_percent")
    most = rules.loan_share_max(goods, cap_percent)
    if money.minor <= 0 or money.currency != goods.currency or most < money:
        raise AmountRefused(say("At most %(most)s can be lent on these goods.", most=most), pointer="/amount")
    if due_on <= day_in(now, producers.coop(session, coop_id).time_zone):
        raise AmountRefused("The day of repayment lies in the future.", pointer="/due_on")
    row = Loan(
        id=new_id(), coop_id=coop_id, number=session.execute(select(LOAN_NUMBERS.next_value())).scalar_one(), kind=kind,
        lender=lender.strip(), contract=contract.strip(), currency=money.currency, goods_minor=goods.minor,
        cap_percent=cap_percent, amount_minor=money.minor, rate_percent=rate_percent, due_on=due_on, terms=terms.strip(),
        iban=iban, bic=bic,
        state="proposed", proposed_by=actor.label, proposed_at=now,
    )  # fmt: skip
    facts = {"amount": money.text, "name": row.lender, "rate": f"{rate_percent:f}"}
    return add(session, row, actor=actor, now=now, facts=facts)


def decide_loan(session: Session, *, actor: Actor, loan_id: UUID, agreed: bool, now: datetime) -> None:
    """Take the loan on, so that its money can be matched when it comes, or decline it. Raises SecondPerson, NotOpen."""
    decide(session, Loan, loan_id, actor=actor, state="accepted" if agreed else "declined", now=now)


def propose_repayment(session: Session, *, actor: Actor, loan_id: UUID, principal: Money, interest: Money, now: datetime) -> UUID:
    """Propose what goes back to the lender; return the repayment's id.

    Raises NotOpen, AmountRefused for more principal than is owed, or more interest than has come due by today (PFN-5).
    """
    loan = locked(session, Loan, loan_id, state="accepted")
    _owed(session, loan, principal, interest, now)
    row = LoanRepayment(
        id=new_id(), coop_id=loan.coop_id, loan_id=loan.id, currency=loan.currency, principal_minor=principal.minor,
        interest_minor=interest.minor, state="proposed", proposed_by=actor.label, proposed_at=now,
    )  # fmt: skip
    return add(session, row, actor=actor, now=now, facts={"principal": principal.text, "interest": interest.text})


def decide_repayment(session: Session, *, actor: Actor, repayment_id: UUID, agreed: bool, now: datetime) -> None:
    """Put a proposed repayment on its way to the lender (E40), or decline it; the bank's line then ends it.

    Raises SecondPerson, NotOpen, AmountRefused. Posts.
    """
    row = locked(session, LoanRepayment, repayment_id, state="proposed")
    loan = locked(session, Loan, row.loan_id, state="accepted")
    principal, interest = Money(row.principal_minor, row.currency), Money(row.interest_minor, row.currency)
    if agreed:
        _owed(session, loan, principal, interest, now)  # before it is booked: it does not count itself as paid
    decide(session, LoanRepayment, row.id, actor=actor, state="booked" if agreed else "declined", now=now)
    if not agreed:
        return
    moved = rules.loan_repaid(loan.id, queries.rail_of(loan.id), principal, interest, row.id)
    book(session, row, "loan_repaid", moved, actor=actor, now=now)


def take_back_repayment(session: Session, *, actor: Actor, repayment_id: UUID, now: datetime) -> None:
    """Take back a repayment that the bank did not pay: it is owed again. Raises NotOpen once a line has shown it. Posts."""
    row = locked(session, LoanRepayment, repayment_id, state="booked")
    loan = locked(session, Loan, row.loan_id, state="accepted")
    if queries.loan(session, loan.id, on=day_in(now, "UTC")).on_its_way.minor < row.principal_minor + row.interest_minor:
        raise NotOpen("The bank's statement shows this repayment already.")
    end(session, row, "taken_back", actor=actor, now=now)
    unbook(session, row, "loan_repaid", actor=actor, now=now)


def keep_file(session: Session, *, repayment_id: UUID, message_id: str, body: bytes, now: datetime) -> bytes:
    """Store the bank file of a booked repayment unless one is stored, and return the stored bytes: who wrote first wins."""
    row = locked(session, LoanRepayment, repayment_id, state="booked")
    values = {"repayment_id": row.id, "coop_id": row.coop_id, "message_id": message_id, "body": body, "written_at": now}
    kept = insert(LoanFile).values(**values, sha256=hashlib.sha256(body).hexdigest())
    session.execute(kept.on_conflict_do_nothing(index_elements=["repayment_id"]))
    return session.scalars(select(LoanFile.body).where(LoanFile.repayment_id == row.id)).one()


def close_loan(session: Session, *, actor: Actor, loan_id: UUID, now: datetime) -> None:
    """End a loan that is wholly repaid, or whose money never came. Raises NotOpen while anything is owed or on its way."""
    row = locked(session, Loan, loan_id, state="accepted")
    view = queries.loan(session, row.id, on=day_in(now, "UTC"))
    if view.owed or view.on_its_way:
        raise NotOpen("Something is still owed to the lender, or on its way.")
    end(session, row, "closed", actor=actor, now=now)


def _owed(session: Session, loan: Loan, principal: Money, interest: Money, now: datetime) -> None:
    """Refuse to pay back more than is owed by today."""
    zone = producers.coop(session, loan.coop_id).time_zone
    view = queries.loan(session, loan.id, on=day_in(now, zone))
    same = principal.currency == interest.currency == loan.currency
    if not same or min(principal.minor, interest.minor) < 0 or not principal.minor + interest.minor:
        raise AmountRefused("Principal or interest is above zero, in the currency of the loan.", pointer="/principal")
    if view.owed < principal:
        raise AmountRefused(say("Only %(left)s of the loan is owed.", left=view.owed), pointer="/principal")
    if view.interest < interest:
        raise AmountRefused(say("Only %(left)s of interest has come due.", left=view.interest), pointer="/interest")
