"""The co-op's orders: what was sold, what hangs, and refunds before the producer is paid."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import lists, words
from market.console.lists import Column, Desk, Filter
from market.http import forms, sending
from market.http.asking import asked
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.downloads import download
from market.http.i18n import show_money, show_quantity, told
from market.invoices import queries as invoices
from market.invoices.errors import InvoiceMissing
from market.kernel.errors import DomainError, Missing
from market.kernel.money import total
from market.orders import queries, service
from market.orders.errors import ComplaintFaulty
from market.orders.rules import BEARERS
from market.payments import queries as payments
from market.payments.queries import Authorisation
from market.provenance import queries as provenance
from market.provenance import withdrawal_queries as withdrawals
from market.reports.queries import desks

blueprint = Blueprint("console_orders", __name__, url_prefix="/console/orders")


def _pane(session: Session, seller_order_id: UUID) -> dict[str, Any]:
    part = queries.seller_order(session, seller_order_id)
    return {"part": part, "refundable": queries.can_refund(part), "history": desks.history(session, "seller_order", part.id)}


DESK = Desk(
    name="orders",
    title=_l("Orders"),
    endpoint="console_orders.index",
    source=desks.orders,
    columns=(
        Column("number", _l("Order"), "link"),
        Column("placed_at", _l("Placed"), "instant"),
        Column("buyer", _l("Buyer")),
        Column("producer", _l("Producer")),
        Column("total_minor", _l("Total"), "money"),
        Column("refunded_minor", _l("Refunded"), "money"),
        Column("state", _l("State"), "state", words.ORDERS),
    ),
    filters=(
        Filter("q", _l("Number or buyer")),
        Filter("state", _l("State"), "choice", words.options(words.ORDERS, ("problem", _l("paid, and no goods")))),
        Filter("from", _l("From"), "day"),
        Filter("to", _l("To"), "day"),
        Filter("amount", _l("Amount"), "amount"),
    ),
    sortings=(("newest", _l("newest first")), ("oldest", _l("oldest first"))),
    pane=_pane,
    empty=_l("Orders of your members' goods stand here as soon as they are placed."),
)


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """List the co-op's seller orders, newest first."""
    return lists.show(DESK, "console/orders.html")


@blueprint.get("/<uuid:seller_order_id>")
@access("staff")
def detail(seller_order_id: UUID) -> ResponseReturnValue:
    """Show a seller order with every part of its price and what can be given back."""
    return _detail(seller_order_id, {}, 200)


def _detail(seller_order_id: UUID, errors: dict[str, str], status: int) -> ResponseReturnValue:
    with unit_of_work() as session:
        part = queries.seller_order(session, seller_order_id)
        lots = provenance.slugs(session, [line.lot_id for line in part.lines])
        withdrawn = withdrawals.in_force(session, lots)
        complaints = queries.complaints(session, [part.id])
        history = desks.history(session, "seller_order", part.id)
        buyer = queries.addresses(session, [part.order_id]).get(part.order_id)
        papers = invoices.invoices_of(session, part.order_id, coop_id=part.coop_id)
        kept = kept_on_card(session, part)
    page = render_template(
        "console/order.html",
        part=part,
        lots=lots,
        withdrawn=withdrawn,
        complaints=complaints,
        buyer=buyer,
        papers=papers,
        kept=kept,
        sums=queries.component_sums(part),
        refundable=queries.can_refund(part),
        bearers=BEARERS,
        history=history,
        errors=errors,
        form=request.form,
    )
    return page, status


def kept_on_card(session: Session, part: queries.SellerPart) -> Authorisation | None:
    """Return what a card company keeps for the order of a part that is to be packed first."""
    live = payments.live_payment(session, subject_kind="order", subject_id=part.order_id) if part.state == "authorised" else None
    return payments.authorisation(session, live.id) if live else None


@blueprint.get("/<uuid:seller_order_id>/invoices/<uuid:invoice_id>")
@access("staff")
def invoice(seller_order_id: UUID, invoice_id: UUID) -> ResponseReturnValue:
    """Give an invoice or a credit note of the co-op as it was printed."""
    with unit_of_work() as session:
        part = queries.seller_order(session, seller_order_id)
        found = invoices.invoice(session, invoice_id, order_id=part.order_id)
        body = invoices.printed(session, invoice_id)
    if body is None:
        raise InvoiceMissing("This document is being printed. Please try again in a minute.")
    return download(body, name=f"{found.number}.pdf", content_type="application/pdf")


@blueprint.post("/<uuid:seller_order_id>/refund")
@access("staff")
def refund(seller_order_id: UUID) -> ResponseReturnValue:
    """Give back quantities of lines, naming the reason and who bears it."""
    reason, bearer = request.form.get("reason", "").strip(), request.form.get("bearer", "")
    errors = {} if reason else {"reason": _("Please say why the money goes back.")}
    if bearer not in dict(BEARERS):
        errors["bearer"] = _("Please say who bears it.")
    quantities, faulty = forms.quantities(request.form, "line-")
    errors |= faulty
    nothing_wrong = not errors and any(quantities.values())
    if nothing_wrong and (question := _asked(seller_order_id, quantities, reason, str(words.BEARERS[bearer][0]))):
        return question
    if not errors:
        try:
            with unit_of_work() as session:
                if (before := sending.answered(session)) is not None:
                    return before
                service.refund_lines(
                    session,
                    actor=current_actor(),
                    seller_order_id=seller_order_id,
                    quantities={line: quantity for line, quantity in quantities.items() if quantity},
                    reason=reason,
                    bearer=bearer,
                    now=now(),
                )
                answer = sending.done(session, url_for("console_orders.detail", seller_order_id=seller_order_id))
            flash(_("The refund is decided and goes out the way the money came in."), "good")
            return answer
        except DomainError as error:
            if isinstance(error, Missing):
                raise
            errors["refund"] = told(error.detail)
    return _detail(seller_order_id, errors, 422)


def _asked(seller_order_id: UUID, quantities: dict[UUID, Decimal], reason: str, bearer: str) -> ResponseReturnValue | None:
    """Ask once more before money goes back to a buyer."""
    with unit_of_work() as session:
        part = queries.seller_order(session, seller_order_id)
        given = [service.worth(session, line.id, quantities[line.id]) for line in part.lines if quantities.get(line.id)]
    if None in given:  # more than is left: the command says so
        return None
    back = total([each for each in given if each], part.total.currency)
    lines = [(line.title, f"{show_quantity(quantities[line.id])} {line.unit}") for line in part.lines if quantities.get(line.id)]
    return asked(
        _("Give money back for order %(number)s?", number=part.number),
        [
            *lines,
            (_("Goes back to the buyer"), show_money(back)),
            (_("Paid for the order"), show_money(part.total)),
            (_("Reason"), reason),
            (_("Who bears it"), bearer),
        ],
        _("The money goes out the way it came in, and the buyer is told. This cannot be taken back."),
        _("Yes, give it back"),
        again=lambda: _detail(seller_order_id, {}, 200),
    )


@blueprint.post("/<uuid:seller_order_id>/answer")
@access("staff")
def answer(seller_order_id: UUID) -> ResponseReturnValue:
    """Answer what the buyer says is wrong; the answer stands on the order's page."""
    try:
        with unit_of_work() as session:
            service.answer_complaint(
                session, actor=current_actor(), seller_order_id=seller_order_id, answer=request.form.get("answer", ""), now=now()
            )
    except ComplaintFaulty as error:
        return _detail(seller_order_id, {"answer": told(error.detail)}, 422)
    flash(_("Answered. The buyer reads it on the page of the order."), "good")
    return redirect(url_for("console_orders.detail", seller_order_id=seller_order_id), 303)


@blueprint.post("/<uuid:seller_order_id>/pack")
@access("staff")
def pack(seller_order_id: UUID) -> ResponseReturnValue:
    """Say for a producer how much is really sent of an order that is charged when it is packed."""
    sent, errors = forms.quantities(request.form, "sent-")
    if errors:
        return _detail(seller_order_id, errors, 422)
    with unit_of_work() as session:
        part = queries.seller_order(session, seller_order_id)
    facts = [
        (line.title, f"{show_quantity(sent.get(line.id, Decimal(0)))} / {show_quantity(line.quantity)} {line.unit}")
        for line in part.lines
    ]
    if question := asked(
        _("Is this what is sent of order %(number)s?", number=part.number),
        facts,
        _("The card is charged for it, once, and what is missing is let go. This cannot be taken back."),
        _("Yes, charge the card"),
        again=lambda: _detail(seller_order_id, {}, 200),
    ):
        return question
    try:
        with unit_of_work() as session:
            service.pack(session, actor=current_actor(), seller_order_id=seller_order_id, quantities=sent, now=now())
        flash(_("Noted. The card is charged when every part of the order is packed."), "good")
    except DomainError as error:
        if isinstance(error, Missing):
            raise
        return _detail(seller_order_id, {"sent-" + (error.pointer or "").removeprefix("/lines/"): told(error.detail)}, 422)
    return redirect(url_for("console_orders.detail", seller_order_id=seller_order_id), 303)


@blueprint.post("/<uuid:seller_order_id>/ship")
@access("staff")
def ship(seller_order_id: UUID) -> ResponseReturnValue:
    """Record a dispatch for a producer who cannot."""
    with unit_of_work() as session:
        part = queries.seller_order(session, seller_order_id)
    tracking = request.form.get("tracking", "").strip()[:120]
    facts = [
        (line.title, f"{show_quantity(line.quantity - line.returned)} {line.unit}")
        for line in part.lines
        if line.returned < line.quantity
    ]
    if question := asked(
        _("Has order %(number)s been sent?", number=part.number),
        [*facts, (_("Tracking number"), tracking or "–")],
        _("The buyer is told, and can change nothing any more. This cannot be taken back."),
        _("Yes, it is on its way"),
        again=lambda: _detail(seller_order_id, {}, 200),
    ):
        return question
    try:
        with unit_of_work() as session:
            service.ship(session, actor=current_actor(), seller_order_id=seller_order_id, tracking=tracking, now=now())
    except DomainError as error:
        if isinstance(error, Missing):
            raise
        flash(told(error.detail), "bad")
    return redirect(url_for("console_orders.detail", seller_order_id=seller_order_id), 303)


@blueprint.post("/<uuid:seller_order_id>/solved")
@access("staff")
def solved(seller_order_id: UUID) -> ResponseReturnValue:
    """Close a problem after staff found the goods elsewhere; otherwise they refund."""
    with unit_of_work() as session:
        service.solve_problem(
            session, actor=current_actor(), seller_order_id=seller_order_id, how=request.form.get("how", ""), now=now()
        )
    return redirect(url_for("console_orders.detail", seller_order_id=seller_order_id), 303)
