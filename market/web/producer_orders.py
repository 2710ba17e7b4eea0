"""A producer's orders to pack, the note that goes into the parcel, and dispatch."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from market.catalogue import queries as catalogue
from market.http import forms, sending
from market.http.asking import asked
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.i18n import show_money, show_quantity, told
from market.kernel.errors import DomainError, Missing
from market.kernel.uow import tried
from market.orders import change_queries as changes
from market.orders import queries, service
from market.provenance import withdrawal_queries as withdrawals

blueprint = Blueprint("producer_orders", __name__, url_prefix="/producer/orders")
OPEN = ("authorised", "paid", "shipped", "confirmed")


@blueprint.get("")
@access("producer")
def index() -> ResponseReturnValue:
    """List what is to be packed first, then what is on its way."""
    with unit_of_work() as session:
        page = queries.seller_orders(
            session,
            producer_id=current_actor().producer_id,
            states=() if request.args.get("all") else OPEN,
            cursor=request.args.get("cursor"),
        )
    return render_template("producer/orders.html", page=page, everything=bool(request.args.get("all")))


@blueprint.get("/list")
@access("producer")
def packing_list() -> ResponseReturnValue:
    """Show on one sheet what to fetch for all orders to pack, and what goes where; made for printing."""
    with unit_of_work() as session:
        page = queries.seller_orders(session, producer_id=current_actor().producer_id, states=("paid",))
        parts = [part for part in page.items if not part.problem]
        addresses = queries.addresses(session, [part.order_id for part in parts])
    fetch: dict[tuple[str, str], Decimal] = {}
    for part in parts:
        for line in part.lines:
            goods = (line.title, line.unit)
            fetch[goods] = fetch.get(goods, Decimal(0)) + line.quantity - line.returned
    return render_template(
        "producer/packing_list.html", parts=parts[::-1], addresses=addresses, fetch=fetch, more=page.next_cursor is not None
    )


@blueprint.get("/<uuid:seller_order_id>")
@access("producer")
def packing(seller_order_id: UUID) -> ResponseReturnValue:
    """Show the packing note: what goes in, where it goes."""
    return _packing(seller_order_id, {}, 200)


def _packing(seller_order_id: UUID, errors: dict[str, str], status: int) -> ResponseReturnValue:
    with unit_of_work() as session:
        part = queries.seller_order(session, seller_order_id, producer_id=current_actor().producer_id)
        address = queries.order(session, part.order_id)
        offers = changes.substitutions(session, [part.id])
        withdrawn = withdrawals.in_force(session, [line.lot_id for line in part.lines])
        sold = catalogue.listings_of(session, producer_id=part.producer_id).items if part.state == "paid" else []
    instead = [row for row in sold if row.state == "published" and row.lot_id not in {line.lot_id for line in part.lines}]
    page = render_template(
        "producer/packing.html",
        part=part,
        order=address,
        offers=offers,
        withdrawn=withdrawn,
        instead=instead,
        errors=errors,
        form=request.form,
    )
    return page, status


@blueprint.post("/<uuid:seller_order_id>/pack")
@access("producer")
def pack(seller_order_id: UUID) -> ResponseReturnValue:
    """Say how much is really sent of an order that is charged when it is packed; asked once more, because it is said once."""
    quantities, errors = forms.quantities(request.form, "sent-")
    if errors:
        return _packing(seller_order_id, errors, 422)
    try:
        if question := _sure(seller_order_id, quantities):
            return question
        with unit_of_work() as session:
            service.pack(session, actor=current_actor(), seller_order_id=seller_order_id, quantities=quantities, now=now())
        flash(_("Noted. The card is charged now; when it says paid here, send the parcel."), "good")
    except DomainError as error:
        if isinstance(error, Missing):
            raise
        return _packing(seller_order_id, {"sent-" + (error.pointer or "").removeprefix("/lines/"): told(error.detail)}, 422)
    return redirect(url_for("producer_orders.packing", seller_order_id=seller_order_id), 303)


def _sure(seller_order_id: UUID, quantities: Mapping[UUID, Decimal]) -> ResponseReturnValue | None:
    """Return the page that asks once more, with what would be charged; None once they are sure. Refuses what packing would."""
    with unit_of_work() as session, tried(session):
        service.pack(session, actor=current_actor(), seller_order_id=seller_order_id, quantities=quantities, now=now())
        part = queries.seller_order(session, seller_order_id)
    sent = [
        (line.title, f"{show_quantity(line.quantity - line.unsent)} / {show_quantity(line.quantity)} {line.unit}")
        for line in part.lines
    ]
    return asked(
        _("Is this what you send of order %(number)s?", number=part.number),
        [*sent, (_("Charged to the buyer's card"), show_money(part.charged)), (_("You get"), show_money(part.goods))],
        _("The card is charged for it, once, and what is missing is let go. This cannot be taken back."),
        _("Yes, charge the card"),
        again=lambda: _packing(seller_order_id, {}, 200),
    )


@blueprint.post("/<uuid:seller_order_id>/ship")
@access("producer")
def ship(seller_order_id: UUID) -> ResponseReturnValue:
    """Record the dispatch."""
    try:
        with unit_of_work() as session:
            if (before := sending.answered(session)) is not None:
                return before
            tracking = request.form.get("tracking", "")[:120]
            service.ship(session, actor=current_actor(), seller_order_id=seller_order_id, tracking=tracking, now=now())
            answer = sending.done(session, url_for("producer_orders.packing", seller_order_id=seller_order_id))
        flash(_("Noted. The buyer has been told that it is on its way."), "good")
        return answer
    except DomainError as error:
        if isinstance(error, Missing):
            raise
        flash(told(error.detail), "bad")
    return redirect(url_for("producer_orders.packing", seller_order_id=seller_order_id), 303)
