"""What staff see of premium on account; what is still due comes from postings."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.kernel.references import Kind, grouped, parse, reference
from market.ledger import queries as books
from market.ledger import service as ledger
from market.treasury.errors import NoRecord
from market.treasury.models import PremiumInvoice

RECEIVABLE = "premium_receivable"


@dataclass(frozen=True, slots=True)
class PremiumInvoiceView:
    """Premium on account: what was invoiced and what of it is still due."""

    id: UUID
    reference: str
    buyer: str
    contract: str
    money: Money
    due: Money
    due_on: date
    state: str
    proposed_by: str
    decided_by: str | None


def invoice(session: Session, invoice_id: UUID) -> PremiumInvoiceView:
    """Return an invoice of premium. Raises NoRecord outside this scope."""
    row = session.get(PremiumInvoice, invoice_id)
    if row is None:
        raise NoRecord("There is no such record here.")
    held = books.subject_balance(session, ledger.book_of(session, row.coop_id), "held:premium", row.id)
    return PremiumInvoiceView(
        row.id, grouped(reference(Kind.PREMIUM, row.number)), row.buyer, row.contract, Money(row.amount_minor, row.currency),
        held[0].money if held else Money.zero(row.currency), row.due_on, row.state, row.proposed_by, row.decided_by,
    )  # fmt: skip


def by_reference(session: Session, typed: str, *, coop_id: UUID) -> UUID | None:
    """Return the booked invoice of a co-op's premium that a reference names."""
    found = parse(typed)
    if found is None or found[0] is not Kind.PREMIUM:
        return None
    wanted = (PremiumInvoice.coop_id == coop_id, PremiumInvoice.number == found[1], PremiumInvoice.state == "booked")
    return session.scalars(select(PremiumInvoice.id).where(*wanted)).one_or_none()


def invoice_ids(session: Session, coop_id: UUID) -> set[UUID]:
    """Return the ids of a co-op's invoices of premium: subjects of `held:premium` that are no orders."""
    return set(session.scalars(select(PremiumInvoice.id).where(PremiumInvoice.coop_id == coop_id)))
