"""What buyers and staff see of invoices; and what would stand on one."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.invoices import rules
from market.invoices.errors import InvoiceMissing
from market.invoices.models import DocumentSeries, Invoice, InvoicePrint
from market.invoices.ports import Paper, TransferBox
from market.invoices.rules import Item, Piece
from market.kernel.money import Money
from market.ledger.queries import Finding
from market.orders import queries as orders
from market.orders.queries import Line, OrderView, SellerPart, TransferInstructions
from market.orders.rules import COMPONENT, by_component
from market.producers import queries as producers


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """One issued document."""

    id: UUID
    kind: str
    number: str
    order_id: UUID
    coop_id: UUID
    issued_on: date
    total: Money


def view(row: Invoice) -> InvoiceView:
    """Return the view of a row."""
    number = rules.number_text(row.kind, row.year, row.number)
    return InvoiceView(row.id, row.kind, number, row.order_id, row.coop_id, row.issued_on, Money(row.total_minor, row.currency))


def invoices_of(session: Session, order_id: UUID, *, coop_id: UUID | None = None) -> list[InvoiceView]:
    """Return what was issued for an order, oldest first; of one co-op where one is named."""
    statement = select(Invoice).where(Invoice.order_id == order_id).order_by(Invoice.issued_at, Invoice.id)
    if coop_id is not None:
        statement = statement.where(Invoice.coop_id == coop_id)
    return [view(row) for row in session.scalars(statement)]


def invoice(session: Session, invoice_id: UUID, *, order_id: UUID) -> InvoiceView:
    """Return one document of an order. Raises InvoiceMissing."""
    row = session.get(Invoice, invoice_id)
    if row is None or row.order_id != order_id:
        raise InvoiceMissing("There is no such document here.")
    return view(row)


def paper(session: Session, invoice_id: UUID) -> Paper:
    """Return the frozen facts of a document."""
    return Paper.thaw(session.get_one(Invoice, invoice_id).facts)


def printed(session: Session, invoice_id: UUID) -> bytes | None:
    """Return the document as it was printed, None before."""
    return session.scalars(select(InvoicePrint.body).where(InvoicePrint.invoice_id == invoice_id)).one_or_none()


def draft(
    session: Session,
    order: OrderView,
    coop_id: UUID,
    *,
    kind: str,
    on: date,
    instructions: TransferInstructions | None = None,
) -> Paper:
    """Return what a co-op would invoice of an order, without a number. Prices hold their tax: it is shown, never added."""
    coop = producers.coop(session, coop_id)
    items = [item for part in order.parts if part.coop_id == coop_id for item in pieces_of(part)]
    pieces = [piece for item in items for piece in item.pieces]
    net, tax = sum(piece.net_minor for piece in pieces), sum(piece.tax_minor for piece in pieces)
    lines = rules.lines_of(items, order.total.currency)
    box = instructions and TransferBox(
        instructions.holder, instructions.iban, instructions.bic, instructions.reference, instructions.amount.minor
    )
    return Paper(
        kind=kind,
        language=order.locale,
        number="",
        corrects="",
        reason="",
        issued_on=on.isoformat(),
        order_number=str(order.number),
        issuer=coop.account_holder or coop.name,
        issuer_address=_address(coop.street, coop.building, coop.postcode, coop.town, coop.country),
        buyer=order.name,
        buyer_address=_address(order.street, order.building, order.postcode, order.town, order.country),
        currency=order.total.currency,
        lines=lines,
        taxes=rules.taxes_of(pieces),
        net_minor=net,
        tax_minor=tax,
        total_minor=net + tax,
        transfer=box or None,
    )


def request_to_pay(session: Session, order: OrderView, *, on: date) -> Paper | None:
    """Return a paper to pay an order by transfer with; None when no transfer is awaited. It has no number and is not kept."""
    instructions = orders.transfer_instructions(session, order)
    if order.state != "placed" or order.method != "transfer" or instructions is None:
        return None
    return draft(session, order, order.parts[0].coop_id, kind=rules.REQUEST, on=on, instructions=instructions)


def pieces_of(part: SellerPart) -> list[Item]:
    """Return the lines of a seller order as they were sold, whatever was given back or replaced since, each with its tax."""
    return [item_of(line) for line in part.lines if line.replaces_id is None and line.unsent < line.quantity]


def item_of(line: Line) -> Item:
    """Return a line as it was sold, with its tax; what was not there when it was packed was not sold."""
    pieces = (
        Piece(COMPONENT[piece.kind], piece.money.minor, piece.tax_rate, piece.tax.minor)
        for piece in line.parts
        if piece.kind != "tax"
    )
    if not line.unsent:
        return Item(line.title, line.quantity, line.unit, tuple(pieces))
    charged = by_component([(part.kind, line.charged(part)) for part in line.parts], line.total.currency)
    sold = rules.credited(list(pieces), {name: money.minor for name, money in charged.items()}, line.total.currency)
    return Item(line.title, line.quantity - line.unsent, line.unit, sold)


def _address(street: str, building: str, postcode: str, town: str, country: str) -> tuple[str, ...]:
    lines = (f"{street} {building}".strip(), f"{postcode} {town}".strip(), country)
    return tuple(line for line in lines if line)


def check(session: Session) -> list[Finding]:
    """Return series with gaps and documents whose frozen facts are not those that were frozen."""
    counted = select(Invoice.coop_id, Invoice.kind, Invoice.year, func.count(), func.max(Invoice.number)).group_by(
        Invoice.coop_id, Invoice.kind, Invoice.year
    )
    issued = {(coop, kind, year): (count, highest) for coop, kind, year, count, highest in session.execute(counted)}
    findings = []
    for row in session.scalars(select(DocumentSeries)):
        count, highest = issued.get((row.coop_id, row.kind, row.year), (0, 0))
        if not count == highest == row.last:
            said = f"last number {row.last}, highest {highest}, documents {count}"
            findings.append(Finding("document numbers without gaps", f"{row.coop_id} {row.kind} {row.year}", said))
    for one in session.scalars(select(Invoice).execution_options(yield_per=500)):
        if rules.digest(one.facts) != one.facts_sha256:
            findings.append(Finding("frozen facts of a document", view(one).number, "do not have their SHA-256"))
    return findings
