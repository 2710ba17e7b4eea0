"""What a buyer changes of an order that is paid and not sent, and the producer's question whether something else will do."""

from decimal import Decimal
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from market.http import card_page, forms
from market.http.auth import access, current_actor
from market.http.buyers import caller
from market.http.card_page import order_url, to_card_page
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.forms import BadField
from market.http.i18n import told
from market.kernel.errors import DomainError
from market.orders import queries, service
from market.orders.errors import OrderMissing

blueprint = Blueprint("order_changes", __name__)


@blueprint.post("/orders/<uuid:order_id>/parts/<uuid:seller_order_id>/change")
@access("public")
def change(order_id: UUID, seller_order_id: UUID) -> ResponseReturnValue:
    """Change quantities of a part that is not sent: less goes back, more is a further order to be paid."""
    try:
        with unit_of_work() as session:
            view = card_page.own_order(session, order_id, request.form.get("key"))
            changed = service.change_part(
                session, actor=current_actor(), order_id=view.id, seller_order_id=seller_order_id,
                quantities=_quantities(view, seller_order_id), now=now(), caller=caller(),
            )  # fmt: skip
    except OrderMissing:
        raise
    except (BadField, DomainError) as error:
        flash(told(error.detail), "bad")
        return redirect(order_url(order_id), 303)
    if changed.refund_id:
        flash(_("Changed. What is less goes back the way you paid."), "good")
    if changed.more and view.method == "card":
        return to_card_page(changed.more.order_id, changed.more.payment_id)
    return redirect(order_url(changed.more.order_id if changed.more else order_id), 303)


def _quantities(view: queries.OrderView, seller_order_id: UUID) -> dict[UUID, Decimal]:
    """Return what the form says of each line that it names otherwise than it is."""
    lines = [line for part in view.parts if part.id == seller_order_id for line in part.lines]
    typed = {line: forms.number(request.form, f"quantity-{line.id}") for line in lines if f"quantity-{line.id}" in request.form}
    return {line.id: wanted for line, wanted in typed.items() if wanted != line.quantity - line.returned}


@blueprint.post("/orders/<uuid:order_id>/substitutes/<uuid:substitution_id>")
@access("public")
def answer(order_id: UUID, substitution_id: UUID) -> ResponseReturnValue:
    """Say yes or no to what the producer would send instead."""
    yes = request.form.get("answer") == "yes"
    try:
        with unit_of_work() as session:
            view = card_page.own_order(session, order_id, request.form.get("key"))
            service.answer_substitution(
                session, actor=current_actor(), order_id=view.id, substitution_id=substitution_id, accept=yes, now=now()
            )
        flash(_("Thank you. It is sent instead.") if yes else _("Thank you. It stays as you ordered it."), "good")
    except OrderMissing:
        raise
    except DomainError as error:
        flash(told(error.detail), "bad")
    return redirect(order_url(order_id), 303)


@blueprint.post("/producer/orders/<uuid:seller_order_id>/substitute")
@access("producer")
def propose(seller_order_id: UUID) -> ResponseReturnValue:
    """Ask the buyer whether something else may be sent instead of a line."""
    try:
        with unit_of_work() as session:
            line_id, listing_id = (forms.uuid(request.form, name) for name in ("line", "listing"))
            if line_id is None or listing_id is None:
                raise BadField("Please choose what is missing and what you would send instead.")
            service.propose_substitution(
                session, actor=current_actor(), seller_order_id=seller_order_id, line_id=line_id, listing_id=listing_id,
                quantity=forms.number(request.form, "quantity"), words=request.form.get("words", ""), now=now(),
            )  # fmt: skip
        flash(_("The buyer is asked. Send nothing of it before the answer."), "good")
    except OrderMissing:
        raise
    except (BadField, DomainError) as error:
        flash(told(error.detail), "bad")
    return redirect(url_for("producer_orders.packing", seller_order_id=seller_order_id), 303)
