"""Card disputes of the co-op: until when an answer is awaited, what speaks for it, and sending it, once."""

from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import lists, words
from market.console.lists import Column, Desk, Filter
from market.http.asking import asked
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.i18n import show_money, told
from market.kernel.errors import DomainError, Missing
from market.orders import queries as orders
from market.orders import service as order_service
from market.orders.dispute_queries import bearings
from market.orders.queries import OrderView
from market.payments import dispute_queries as queries
from market.payments import queries as payments
from market.payments import service
from market.reports.queries import desks

blueprint = Blueprint("console_disputes", __name__, url_prefix="/console/disputes")


DESK = Desk(
    name="disputes",
    title=_l("Disputes"),
    endpoint="console_disputes.index",
    source=desks.disputes,
    columns=(
        Column("title", _l("For"), "link"),
        Column("opened_at", _l("Opened"), "instant"),
        Column("reason", _l("Reason"), make=lambda row: words.DISPUTED.get(row.reason, row.reason)),
        Column("answer_until", _l("Answer until"), "instant"),
        Column("amount_minor", _l("Amount"), "money"),
        Column("state", _l("State"), "state", words.DISPUTES),
    ),
    filters=(
        Filter("q", _l("Order or number of the dispute")),
        Filter("state", _l("State"), "choice", words.options(words.DISPUTES, ("open", _l("open ones")))),
        Filter("amount", _l("Amount"), "amount"),
        Filter("from", _l("From"), "day"),
        Filter("to", _l("To"), "day"),
    ),
    sortings=(("newest", _l("newest first")), ("largest", _l("largest amount first"))),
    empty=_l("When a buyer objects to a card payment at their bank, it stands here with the day until which you can answer."),
)


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """List the disputes about payments to the co-op, the newest first."""
    return lists.show(DESK, "console/disputes.html")


@blueprint.get("/<uuid:dispute_id>")
@access("staff")
def detail(dispute_id: UUID) -> ResponseReturnValue:
    """Show a dispute with everything we know that speaks for the sale."""
    return _detail(dispute_id, {}, 200)


def _detail(dispute_id: UUID, errors: dict[str, str], status: int) -> ResponseReturnValue:
    with unit_of_work() as session:
        row = queries.dispute(session, dispute_id, coop_id=current_coop())
        order = _order(session, row)
        complaints = orders.complaints(session, [part.id for part in order.parts]) if order else []
        borne = bearings(session, row.id)
        history = desks.history(session, "dispute", row.id)
    pack = request.form.get("evidence") or row.evidence or (evidence_pack(order) if order else "")
    page = render_template(
        "console/dispute.html",
        dispute=row,
        reasons=words.DISPUTED,
        states=words.DISPUTES,
        order=order,
        complaints=complaints,
        pack=pack,
        errors=errors,
        borne=borne,
        history=history,
        form=request.form,
    )
    return page, status


def _order(session: Session, row: queries.DisputeView) -> OrderView | None:
    payment = payments.payment(session, row.payment_id)
    return orders.order(session, payment.subject_id) if payment.subject_kind == "order" else None


def evidence_pack(order: OrderView) -> str:
    """Return the facts of an order as a bank reads them, in English as the card networks ask: order, goods, dispatch."""
    lines = [
        f"Order {order.number}, placed {order.placed_at:%Y-%m-%d %H:%M} UTC, paid "
        f"{f'{order.paid_at:%Y-%m-%d %H:%M} UTC' if order.paid_at else 'not'}, total {order.total.text}.",
        f"Buyer: {order.name}, {order.email}.",
        f"Delivery address: {order.street} {order.building}, {order.postcode} {order.town}, {order.country}.",
    ]
    for part in order.parts:
        lines.append(f"Part {part.number} by {part.producer}, state: {part.state}.")
        lines += [f"  {line.quantity.normalize():f} {line.unit} {line.title}: {line.total.text}" for line in part.lines]
        if part.shipped_at:
            lines.append(f"  Sent {part.shipped_at:%Y-%m-%d}, tracking: {part.tracking or 'none'}.")
        if part.refunded:
            lines.append(f"  Given back already: {part.refunded.text}.")
    return "\n".join(lines)


@blueprint.post("/<uuid:dispute_id>/evidence")
@access("approver")
def send(dispute_id: UUID) -> ResponseReturnValue:
    """Send the evidence to the card company; it takes it once."""
    with unit_of_work() as session:
        found = queries.dispute(session, dispute_id, coop_id=current_coop())
    evidence = request.form.get("evidence", "").strip()
    question = asked(
        _("Send this to the card company?"),
        [(_("Amount"), show_money(found.money)), (_("What speaks for the sale"), evidence)],
        _("It can be sent once, and nothing can be added afterwards."),
        _("Yes, send it"),
        again=lambda: _detail(dispute_id, {}, 200),
    )
    if evidence and question:
        return question
    try:
        service.submit_evidence(
            unit_of_work,
            current_app.extensions["ports"].cards,
            dispute_id=dispute_id,
            text=evidence,
            actor=current_actor(),
            now=now(),
        )
        flash(_("The evidence is sent. The decision comes here; it may take weeks."), "good")
    except DomainError as error:
        if isinstance(error, Missing):
            raise
        return _detail(dispute_id, {"evidence": told(error.detail)}, 422)
    return redirect(url_for("console_disputes.detail", dispute_id=dispute_id), 303)


@blueprint.post("/<uuid:dispute_id>/parts/<uuid:seller_order_id>/bearer")
@access("approver")
def bear(dispute_id: UUID, seller_order_id: UUID) -> ResponseReturnValue:
    """Say who bears what a lost dispute took of one producer's part, once."""
    goods, premium, reason = (request.form.get(f"{name}-{seller_order_id}", "") for name in ("goods", "premium", "reason"))
    try:
        with unit_of_work() as session:
            queries.dispute(session, dispute_id, coop_id=current_coop())
            order_service.bear_dispute(
                session, actor=current_actor(), dispute_id=dispute_id, seller_order_id=seller_order_id,
                goods=goods, premium=premium, reason=reason[:500], now=now(),
            )  # fmt: skip
        flash(_("Noted. The producer reads it on the statement of the next payment."), "good")
    except DomainError as error:
        if isinstance(error, Missing):
            raise
        return _detail(dispute_id, {f"bearer-{seller_order_id}": told(error.detail)}, 422)
    return redirect(url_for("console_disputes.detail", dispute_id=dispute_id), 303)
