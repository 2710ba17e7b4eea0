"""Premium that a buyer pays on account: invoiced by two persons, held until the bank shows it, then in the fund (E35)."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.treasury import premium_queries as queries
from market.treasury import rules
from market.treasury.errors import AmountRefused, EvidenceMissing, NotOpen
from market.treasury.models import PREMIUM_NUMBERS, PremiumInvoice
from market.treasury.service.deciding import add, book, decide, end, locked, unbook


def propose_premium_invoice(
    session: Session, *, actor: Actor, coop_id: UUID, buyer: str, contract: str, money: Money, due_on: date, now: datetime
) -> UUID:
    """Propose to invoice the premium of a contract; return the invoice's id. Raises AmountRefused, EvidenceMissing."""
    if money.minor <= 0:
        raise AmountRefused("The amount is above zero.", pointer="/amount")
    for name, words in (("buyer", buyer), ("contract", contract)):
        if len(words.strip()) < 2:
            raise EvidenceMissing("Name the buyer and the contract.", pointer=f"/{name}")
    row = PremiumInvoice(
        id=new_id(), coop_id=coop_id, number=session.execute(select(PREMIUM_NUMBERS.next_value())).scalar_one(),
        buyer=buyer.strip(), contract=contract.strip(), currency=money.currency, amount_minor=money.minor, due_on=due_on,
        state="proposed", proposed_by=actor.label, proposed_at=now,
    )  # fmt: skip
    return add(session, row, actor=actor, now=now, facts={"amount": money.text, "name": row.buyer, "contract": row.contract})


def decide_premium_invoice(session: Session, *, actor: Actor, invoice_id: UUID, agreed: bool, now: datetime) -> None:
    """Owe a proposed premium to the fund as soon as it comes, or decline it. Raises SecondPerson, NotOpen. Posts."""
    row = decide(session, PremiumInvoice, invoice_id, actor=actor, state="booked" if agreed else "declined", now=now)
    if agreed:
        moved = rules.premium_invoiced(Money(row.amount_minor, row.currency), row.id)
        book(session, row, "premium_invoiced", moved, actor=actor, now=now)


def take_back_premium_invoice(session: Session, *, actor: Actor, invoice_id: UUID, now: datetime) -> None:
    """Take back an invoice of which nothing came, the reverse of E35. Raises NotOpen once a line has shown any of it. Posts."""
    row = locked(session, PremiumInvoice, invoice_id, state="booked")
    if queries.invoice(session, row.id).due.minor < row.amount_minor:
        raise NotOpen("The bank's statement shows some of this premium already.")
    end(session, row, "taken_back", actor=actor, now=now)
    unbook(session, row, "premium_invoiced", actor=actor, now=now)
