"""An order after it was placed: its page for buyer or guest, paying again, confirming, and the list of one's orders."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.http import card_page, links
from market.http.auth import access, current_actor
from market.http.card_page import LINK, order_url, to_card_page
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.i18n import told
from market.kernel.errors import DomainError
from market.orders import queries, service
from market.orders.errors import OrderMissing
from market.payments import queries as payments
from market.provenance import queries as provenance

blueprint = Blueprint("orders", __name__)


def mine(session: Session, order_id: UUID) -> queries.OrderView:
    """Return an order that the caller may see: the buyer's own, or by the key in the link. Raises OrderMissing."""
    return card_page.own_order(session, order_id, request.values.get("key"))


@blueprint.get("/orders/<uuid:order_id>")
@access("public")
def order(order_id: UUID) -> ResponseReturnValue:
    """Show an order: what is to pay and how, where each part is, who gets what."""
    with unit_of_work() as session:
        view = mine(session, order_id)
        payment = next(iter(payments.payments_of(session, subject_kind="order", subject_id=order_id)), None)
        instructions = queries.transfer_instructions(session, view) if view.method == "transfer" else None
        lots = provenance.slugs(session, [line.lot_id for part in view.parts for line in part.lines])
    key = links.key_for(LINK, order_id)
    return render_template("orders/order.html", order=view, payment=payment, instructions=instructions, lots=lots, key=key)


@blueprint.get("/orders/<uuid:order_id>/return")
@access("public")
def returned(order_id: UUID) -> ResponseReturnValue:
    """Take the buyer back from the card page: ask what happened, record it, show the order."""
    with unit_of_work() as session:
        mine(session, order_id)
        payment = next(iter(payments.payments_of(session, subject_kind="order", subject_id=order_id)), None)
    if payment is not None and card_page.ask(order_id, payment.id).is_open:
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


@blueprint.post("/orders/<uuid:order_id>/cancel")
@access("public")
def cancel(order_id: UUID) -> ResponseReturnValue:
    """Cancel an order that is not paid."""
    with unit_of_work() as session:
        mine(session, order_id)
    try:
        card_page.close(order_id)
        with unit_of_work() as session:
            service.cancel_order(session, actor=current_actor(), order_id=order_id, now=now())
        flash(_("The order is cancelled. Nothing is to be paid."), "good")
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


@blueprint.get("/account/orders")
@access("buyer")
def my_orders() -> ResponseReturnValue:
    """List the orders of the person who is signed in."""
    account_id = current_actor().account_id
    assert account_id is not None
    with unit_of_work() as session:
        page = queries.orders_of(session, account_id, cursor=request.args.get("cursor"))
    return render_template("orders/mine.html", page=page)
