"""Issue what is invoiced and credited, once each, and keep the first print."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.invoices import rules
from market.invoices.models import DocumentSeries, Invoice, InvoicePrint
from market.invoices.ports import Paper
from market.invoices.queries import draft, item_of, pieces_of, view
from market.invoices.rules import CREDIT_NOTE, INVOICE
from market.kernel.clock import day_in
from market.kernel.words import N_
from market.orders import change_queries as changes
from market.orders import queries as orders
from market.orders.change_queries import Offer
from market.orders.queries import Line, SellerPart
from market.orders.service.substitute import REASON as REPLACED
from market.orders.tender_queries import returned_with
from market.payments import queries as payments
from market.payments.queries import RefundView
from market.producers import queries as producers

ENDED = N_("The order was not paid and has ended")


def issue_invoice(session: Session, *, order_id: UUID, coop_id: UUID, now: datetime) -> UUID:
    """Issue what one co-op invoices of a paid order, unless it is issued; return its id. Locks the series: call it last."""
    statement = select(Invoice.id).where(Invoice.order_id == order_id, Invoice.coop_id == coop_id, Invoice.kind == INVOICE)
    known = session.scalars(statement).one_or_none()
    if known is not None:
        return known
    order = orders.order(session, order_id)
    paper = draft(session, order, coop_id, kind=INVOICE, on=day_in(now, producers.coop(session, coop_id).time_zone))
    series = _locked_series(session, coop_id, INVOICE, paper.day.year)
    known = session.scalars(statement).one_or_none()  # somebody may have issued it while we waited for the series
    return known or _freeze(session, paper, series, order_id=order_id, now=now)


def issue_credit_notes(session: Session, *, seller_order_id: UUID, now: datetime) -> list[UUID]:
    """Issue a credit note for each refund of a seller order, and each replacement at the same price, that has none.

    Returns all of their ids, oldest first. The invoice comes first, should it be missing: facts arrive in any order.
    """
    refunds = payments.refunds_of(session, subject=seller_order_id)  # a surplus is about the order, which has no credit note
    swaps = [one for one in changes.substitutions(session, [seller_order_id]) if one.state == "accepted"]
    decided = {one.decided_at for one in refunds}
    causes: list[RefundView | Offer] = [*refunds, *(one for one in swaps if one.decided_at not in decided)]
    if not causes:
        return []
    part = orders.seller_order(session, seller_order_id)
    invoice_id = issue_invoice(session, order_id=part.order_id, coop_id=part.coop_id, now=now)
    return [_credit(session, part, swaps, cause, invoice_id, now) for cause in causes]


def credit_ended(session: Session, *, order_id: UUID, now: datetime) -> list[UUID]:
    """Take back in full, once, what was invoiced of an order that ended unpaid after its payment was taken back.

    Returns the ids of the credit notes; none where nothing was invoiced, or the order waits or is paid.
    """
    if orders.order(session, order_id).state != "cancelled":
        return []
    statement = select(Invoice).where(Invoice.order_id == order_id, Invoice.kind == INVOICE).order_by(Invoice.coop_id)
    return [_credit_whole(session, invoice, now) for invoice in session.scalars(statement).all()]


def _credit_whole(session: Session, invoice: Invoice, now: datetime) -> UUID:
    statement = select(Invoice.id).where(Invoice.invoice_id == invoice.id, Invoice.ended)
    known = session.scalars(statement).one_or_none()
    if known is not None:
        return known
    paper = replace(
        Paper.thaw(invoice.facts),
        kind=CREDIT_NOTE,
        corrects=view(invoice).number,
        reason=str(ENDED),
        issued_on=day_in(now, producers.coop(session, invoice.coop_id).time_zone).isoformat(),
    )
    series = _locked_series(session, invoice.coop_id, CREDIT_NOTE, paper.day.year)
    known = session.scalars(statement).one_or_none()
    return known or _freeze(session, paper, series, order_id=invoice.order_id, now=now, invoice_id=invoice.id, ended=True)


def _credit(
    session: Session, part: SellerPart, swaps: Sequence[Offer], cause: RefundView | Offer, invoice_id: UUID, now: datetime
) -> UUID:
    key = {"refund_id" if isinstance(cause, RefundView) else "substitution_id": cause.id}
    statement = select(Invoice.id).filter_by(**key)
    known = session.scalars(statement).one_or_none()
    if known is not None:
        return known
    invoice = session.get_one(Invoice, invoice_id)
    paper = _credit_paper(session, part, swaps, cause, invoice, now)
    series = _locked_series(session, invoice.coop_id, CREDIT_NOTE, paper.day.year)
    known = session.scalars(statement).one_or_none()
    return known or _freeze(session, paper, series, order_id=invoice.order_id, now=now, invoice_id=invoice.id, **key)


def _credit_paper(
    session: Session, seller: SellerPart, swaps: Sequence[Offer], cause: RefundView | Offer, invoice: Invoice, now: datetime
) -> Paper:
    """Return the invoice's paper with what was given back, or sent instead, in place of its lines."""
    given = {"goods": 0, "premium": 0, "charges": 0, "tax": 0}
    reason, total = str(REPLACED), 0
    if isinstance(cause, RefundView):
        given |= {name: money.minor for name, money in cause.amounts.components()}
        in_unit = returned_with(session, cause.id)
        given["charges"] += in_unit
        reason, total = str(cause.reason), cause.money.minor + in_unit
    swap = _swap(seller, swaps, cause)
    if swap is not None:
        lines, pieces = rules.swapped(item_of(swap[0]), item_of(swap[1]), given, invoice.currency)
    else:
        pieces = rules.credited([piece for item in pieces_of(seller) for piece in item.pieces], given, invoice.currency)
        lines = rules.credit_lines(pieces)
    net, tax = sum(piece.net_minor for piece in pieces), sum(piece.tax_minor for piece in pieces)
    return replace(
        Paper.thaw(invoice.facts),
        kind=CREDIT_NOTE,
        corrects=view(invoice).number,
        reason=reason,
        issued_on=day_in(now, producers.coop(session, invoice.coop_id).time_zone).isoformat(),
        order_number=seller.number,
        lines=lines,
        taxes=rules.taxes_of(pieces),
        net_minor=net,
        tax_minor=tax,
        total_minor=total,
    )


def _swap(seller: SellerPart, swaps: Sequence[Offer], cause: RefundView | Offer) -> tuple[Line, Line] | None:
    """Return the line that was replaced and what was sent instead, when that is what a credit note is about."""
    found = [one.line_id for one in swaps if one.decided_at == cause.decided_at]
    if not found:
        return None
    lines = {line.id: line for line in seller.lines}
    return lines[found[0]], next(line for line in seller.lines if line.replaces_id == found[0])


def _locked_series(session: Session, coop_id: UUID, kind: str, year: int) -> DocumentSeries:
    """Lock the series of a kind and year; a number that is then not used, for whatever reason, is used by the next."""
    key = {"coop_id": coop_id, "kind": kind, "year": year}
    session.execute(insert(DocumentSeries).values(**key).on_conflict_do_nothing())
    statement = select(DocumentSeries).filter_by(**key).with_for_update().execution_options(populate_existing=True)
    return session.scalars(statement).one()


def _freeze(
    session: Session,
    paper: Paper,
    series: DocumentSeries,
    *,
    order_id: UUID,
    now: datetime,
    invoice_id: UUID | None = None,
    **cause: UUID | bool,
) -> UUID:
    if not rules.sums_agree(paper.lines, paper.taxes, paper.total_minor):
        raise AssertionError(f"the lines of a {paper.kind} of order {paper.order_number} do not add up")
    series.last += 1
    paper = replace(paper, number=rules.number_text(paper.kind, series.year, series.last))
    facts = asdict(paper)
    row = Invoice(
        kind=paper.kind,
        coop_id=series.coop_id,
        year=series.year,
        number=series.last,
        order_id=order_id,
        invoice_id=invoice_id,
        **cause,
        currency=paper.currency,
        net_minor=paper.net_minor,
        tax_minor=paper.tax_minor,
        total_minor=paper.total_minor,
        issued_on=paper.day,
        issued_at=now,
        facts=facts,
        facts_sha256=rules.digest(facts),
    )
    session.add(row)
    session.flush()
    return row.id


def keep_print(session: Session, *, invoice_id: UUID, body: bytes, now: datetime) -> bytes:
    """Store a printed document unless one is stored, and return the stored bytes: who printed first wins."""
    row = session.get_one(Invoice, invoice_id)
    values = {"invoice_id": row.id, "coop_id": row.coop_id, "sha256": hashlib.sha256(body).hexdigest(), "body": body}
    session.execute(insert(InvoicePrint).values(**values, printed_at=now).on_conflict_do_nothing())
    return session.scalars(select(InvoicePrint.body).where(InvoicePrint.invoice_id == invoice_id)).one()


def coops_of(session: Session, order_id: UUID) -> Sequence[UUID]:
    """Return the co-ops that invoice a part of an order, each once; none while it is not paid, or not any more."""
    order = orders.order(session, order_id)
    return sorted({part.coop_id for part in order.parts}) if order.state == "paid" else []
