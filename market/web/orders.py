"""An order after it was placed: its page for buyer or guest, paying again, confirming, and the list of one's orders."""

from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.http import card_page, links, own_texts
from market.http.auth import access, current_actor
from market.http.card_page import LINK, order_url, to_card_page
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.downloads import download
from market.http.i18n import told
from market.invoices import queries as invoices
from market.invoices.errors import InvoiceMissing
from market.kernel.clock import day_in
from market.kernel.errors import DomainError
from market.orders import change_queries as changes
from market.orders import queries, service, tender_queries
from market.orders.errors import ComplaintFaulty, OrderMissing, WrongState
from market.payments import queries as payments
from market.payments.rules import State
from market.provenance import queries as provenance
from market.provenance import withdrawal_queries as withdrawals
from market.web.checkout import basket_id
from market.web.shares import together
from market.web.transfers import code_of

blueprint = Blueprint("orders", __name__)


def mine(session: Session, order_id: UUID) -> queries.OrderView:
    """Return an order that the caller may see: the buyer's own, or by the key in the link. Raises OrderMissing."""
    return card_page.own_order(session, order_id, request.values.get("key"))


@blueprint.get("/orders/<uuid:order_id>")
@access("public")
def order(order_id: UUID) -> ResponseReturnValue:
    """Show an order: what is to pay and how, where each part is, who gets what."""
    return _page(order_id)


def _page(
    order_id: UUID, *, wrong: UUID | None = None, errors: dict[str, str] | None = None, typed: str = "", status: int = 200
) -> ResponseReturnValue:
    with unit_of_work() as session:
        view = mine(session, order_id)
        payment = next(iter(payments.payments_of(session, subject_kind="order", subject_id=order_id)), None)
        instructions = queries.transfer_instructions(session, view) if view.method == "transfer" else None
        lines = [line for part in view.parts for line in part.lines]
        titles = own_texts.titles(session, {line.listing_id: line.title for line in lines})
        lots = provenance.slugs(session, [line.lot_id for line in lines])
        withdrawn = withdrawals.in_force(session, lots)
        complaints = queries.complaints(session, [part.id for part in view.parts])
        papers = invoices.invoices_of(session, order_id)
        further = changes.supplements(session, order_id)
        belongs_to = changes.supplemented(session, order_id)
        offers = changes.substitutions(session, [part.id for part in view.parts])
        unit = tender_queries.tender(session, order_id, producer_id=current_actor().producer_id)
    page = render_template(
        "orders/order.html",
        order=view,
        payment=payment,
        due=payment.money if payment else view.total,
        unit=unit,
        instructions=instructions,
        code=code_of(instructions),
        lots=lots,
        withdrawn=withdrawn,
        titles=titles,
        complaints=complaints,
        papers=papers,
        further=further,
        belongs_to=belongs_to,
        offers=offers,
        link_of=order_url,
        shares=together(line.parts for line in lines),
        key=links.key_for(LINK, order_id),
        wrong=wrong,
        errors=errors or {},
        typed=typed,
    )
    return page, status


@blueprint.get("/orders/<uuid:order_id>/invoices/<uuid:invoice_id>")
@access("public")
def invoice(order_id: UUID, invoice_id: UUID) -> ResponseReturnValue:
    """Give an invoice or a credit note as it was printed."""
    with unit_of_work() as session:
        mine(session, order_id)
        found = invoices.invoice(session, invoice_id, order_id=order_id)
        body = invoices.printed(session, invoice_id)
    if body is None:
        raise InvoiceMissing("This document is being printed. Please try again in a minute.")
    return download(body, name=f"{found.number}.pdf", content_type="application/pdf")


@blueprint.get("/orders/<uuid:order_id>/request-to-pay")
@access("public")
def request_to_pay(order_id: UUID) -> ResponseReturnValue:
    """Give a paper with everything that the bank asks for, while a transfer is awaited."""
    with unit_of_work() as session:
        view = mine(session, order_id)
        paper = invoices.request_to_pay(session, view, on=day_in(view.placed_at, "UTC"))
    if paper is None:
        raise InvoiceMissing("No transfer is awaited for this order.")
    body = current_app.extensions["ports"].documents.invoice(paper)
    return download(body, name=f"{view.number}.pdf", content_type="application/pdf")


@blueprint.get("/orders/<uuid:order_id>/return")
@access("public")
def returned(order_id: UUID) -> ResponseReturnValue:
    """Take the buyer back from the card page: ask what happened, record it, show the order."""
    with unit_of_work() as session:
        mine(session, order_id)
        payment = next(iter(payments.payments_of(session, subject_kind="order", subject_id=order_id)), None)
    seen = card_page.ask(order_id, payment.id) if payment is not None else None
    if seen is not None and seen.is_open and seen.state is not State.AUTHORISED:
        flash(_("The card company has not said yes or no yet. We ask again by ourselves; you need not pay twice."), "warn")
    return redirect(order_url(order_id), 303)


@blueprint.post("/orders/<uuid:order_id>/pay")
@access("public")
def pay(order_id: UUID) -> ResponseReturnValue:
    """Open the card page again for an order that is not paid yet."""
    with unit_of_work() as session:
        view = mine(session, order_id)
        payment_id = service.reopen_payment(session, actor=current_actor(), order_id=view.id, now=now())
    return to_card_page(order_id, payment_id)


@blueprint.post("/orders/<uuid:order_id>/community")
@access("public")
def pay_charges(order_id: UUID) -> ResponseReturnValue:
    """Pay the co-op's charges of an order in the community currency; the rest stays to be paid in money."""
    with unit_of_work() as session:
        mine(session, order_id)
    try:
        card_page.pay_charges_in_unit(order_id)
        flash(_("Paid from your account in the community currency. The rest is paid in money."), "good")
    except DomainError as error:
        if isinstance(error, OrderMissing):
            raise
        flash(told(error.detail), "bad")
    return redirect(order_url(order_id), 303)


@blueprint.post("/orders/<uuid:order_id>/cancel")
@access("public")
def cancel(order_id: UUID) -> ResponseReturnValue:
    """Cancel an order that is not paid."""
    with unit_of_work() as session:
        mine(session, order_id)
    try:
        if card_page.cancel(order_id).state == "cancelled":
            flash(_("The order is cancelled. Nothing is to be paid."), "good")
        else:
            flash(_("The order is being cancelled. Nothing is taken from your card."), "good")
    except DomainError as error:
        if isinstance(error, OrderMissing):
            raise
        flash(told(error.detail), "bad")
    return redirect(order_url(order_id), 303)


@blueprint.post("/orders/<uuid:order_id>/parts/<uuid:seller_order_id>/confirm")
@access("public")
def confirm(order_id: UUID, seller_order_id: UUID) -> ResponseReturnValue:
    """Say that a part has arrived."""
    try:
        with unit_of_work() as session:
            view = mine(session, order_id)
            if seller_order_id not in {part.id for part in view.parts}:
                raise OrderMissing("There is no such part of this order.")
            service.confirm(session, actor=current_actor(), seller_order_id=seller_order_id, now=now())
        flash(_("Thank you. The producer will now be paid."), "good")
    except DomainError as error:
        if isinstance(error, OrderMissing):
            raise
        flash(told(error.detail), "bad")
    return redirect(order_url(order_id), 303)


@blueprint.post("/orders/<uuid:order_id>/parts/<uuid:seller_order_id>/complaint")
@access("public")
def complain(order_id: UUID, seller_order_id: UUID) -> ResponseReturnValue:
    """Tell the co-op what is wrong with a part; its staff find it among what waits for them."""
    words = next((text for name, text in request.form.items() if name.startswith("words")), "")
    try:
        with unit_of_work() as session:
            view = mine(session, order_id)
            numbers = {part.id: number for number, part in enumerate(view.parts, start=1)}
            if seller_order_id not in numbers:
                raise OrderMissing("There is no such part of this order.")
            service.complain(session, actor=current_actor(), seller_order_id=seller_order_id, words=words, now=now())
    except ComplaintFaulty as error:
        name = f"words-{numbers[seller_order_id]}"
        return _page(order_id, wrong=seller_order_id, errors={name: told(error.detail)}, typed=words, status=422)
    except WrongState as error:
        flash(told(error.detail), "bad")
        return redirect(order_url(order_id), 303)
    flash(_("Your words are with the co-op. Its answer comes here."), "good")
    return redirect(order_url(order_id), 303)


@blueprint.post("/orders/<uuid:order_id>/again")
@access("public")
def again(order_id: UUID) -> ResponseReturnValue:
    """Put what an order had into the basket, as far as it is still sold; prices are today's."""
    missing = []
    with unit_of_work() as session:
        lines = [line for part in mine(session, order_id).parts for line in part.lines]
        target = basket_id(make=True)
        assert target is not None
        for line in lines:
            try:
                service.set_line(session, basket_id=target, listing_id=line.listing_id, quantity=line.quantity, now=now())
            except DomainError:
                missing.append(line.title)
    if missing:
        flash(_("Not sold any more: %(goods)s. The rest is in your basket.", goods=", ".join(missing)), "warn")
    else:
        flash(_("Everything is in your basket, at today's prices."), "good")
    return redirect(url_for("checkout.basket"), 303)


@blueprint.get("/account/orders")
@access("buyer")
def my_orders() -> ResponseReturnValue:
    """List the orders of the person who is signed in."""
    account_id = current_actor().account_id
    assert account_id is not None
    with unit_of_work() as session:
        page = queries.orders_of(session, account_id, cursor=request.args.get("cursor"))
    return render_template("orders/mine.html", page=page)
