"""The co-op's payments that need a person: transfers awaited, buyers' money in credit, refunds that have not arrived."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import lists, words
from market.console.acting import carry_out
from market.console.earning_lists import DAYS, LARGEST, NEWEST
from market.console.lists import Column, Desk, Filter
from market.http.asking import asked
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import show_money, told
from market.kernel.errors import DomainError, Missing
from market.kernel.references import Kind, grouped, reference
from market.payments import queries, service
from market.reports.queries import desks
from market.reports.queries import lists as rows
from market.reports.queries.lists import Source, Viewer

blueprint = Blueprint("console_payments", __name__, url_prefix="/console/payments")
SHOWN = 25
"""So many of what hangs stand on one page; the lists have all of it."""


def _pane(session: Session, refund_id: UUID) -> dict[str, Any]:
    refund = queries.refund(session, refund_id)
    return {
        "refund": refund,
        "payment": queries.payment(session, refund.payment_id),
        "grouped": grouped,
        "history": desks.history(session, "refund", refund_id),
    }


REFUNDS = Desk(
    name="refunds",
    title=_l("Refunds"),
    endpoint="console_payments.refunds",
    source=desks.refunds,
    columns=(
        Column("number", _l("Number"), "link"),
        Column("decided_at", _l("Decided"), "instant"),
        Column("order", _l("Order")),
        Column("buyer", _l("Buyer")),
        Column("reason", _l("Reason")),
        Column("bearer", _l("Borne by"), words=words.BEARERS),
        Column("method", _l("Way"), words=words.METHODS),
        Column("amount_minor", _l("Amount"), "money"),
        Column("state", _l("State"), "state", words.REFUNDS),
    ),
    filters=(
        Filter("q", _l("Order number or buyer")),
        Filter(
            "state",
            _l("State"),
            "choice",
            words.options(words.REFUNDS, ("problem", _l("needs a person")), ("hangs", _l("all that have not arrived"))),
        ),
        Filter("method", _l("Way"), "choice", words.options(words.METHODS)),
        Filter("from", _l("From"), "day"),
        Filter("to", _l("To"), "day"),
        Filter("amount", _l("Amount"), "amount"),
    ),
    sortings=(("newest", _l("newest first")), ("largest", _l("largest amount first"))),
    pane=_pane,
    empty=_l("Nothing was given back."),
)


def _payment_pane(source: Callable[[Viewer], Source], session: Session, payment_id: UUID) -> dict[str, Any]:
    record = rows.one(session, source(lists.viewer(session)), payment_id)
    return {"record": record, "history": desks.history(session, "payment", payment_id)} if record else {}


PAYMENTS = Desk(
    name="payments",
    title=_l("All payments"),
    endpoint="console_payments.all_payments",
    source=desks.payments,
    columns=(
        Column("title", _l("For"), "link"),
        Column("buyer", _l("Buyer")),
        Column("reference", _l("Reference"), make=lambda row: grouped(reference(Kind.PAYMENT, row.number)), aside=True),
        Column("method", _l("Way"), words=words.METHODS),
        Column("opened_at", _l("Begun"), "instant", aside=True),
        Column("paid_at", _l("Paid"), "instant"),
        Column("amount_minor", _l("Amount"), "money"),
        Column("ours_minor", _l("Of it for the co-op's orders"), "money"),
        Column("received_minor", _l("Received"), "money", aside=True),
        Column("refunded_minor", _l("Paid back"), "money", aside=True),
        Column("state", _l("State"), "state", words.PAYMENTS),
    ),
    filters=(
        Filter("q", _l("Order number, buyer or reference")),
        Filter("state", _l("State"), "choice", words.options(words.PAYMENTS, ("waits", _l("transfer awaited, or paid in part")))),
        Filter("method", _l("Way"), "choice", words.options(words.METHODS)),
        Filter("paid_from", _l("Paid from"), "day"),
        Filter("paid_to", _l("Paid to"), "day"),
        Filter("from", _l("Begun from"), "day"),
        Filter("to", _l("Begun to"), "day"),
        Filter("amount", _l("Amount"), "amount"),
    ),
    sortings=(("newest", _l("newest first")), ("oldest", _l("oldest first")), ("largest", _l("largest amount first"))),
    pane=partial(_payment_pane, desks.payments),
    empty=_l("Nobody has paid for the co-op's goods yet."),
)


CREDITS = Desk(
    name="credits",
    title=_l("Buyers' money in credit"),
    endpoint="console_payments.credits",
    source=desks.credits,
    columns=(
        Column("title", _l("For"), "link"),
        Column("buyer", _l("Buyer")),
        Column("reference", _l("Reference"), make=lambda row: grouped(reference(Kind.PAYMENT, row.number))),
        Column("since", _l("Since"), "instant"),
        Column("amount_minor", _l("Amount"), "money"),
        Column("asked_minor", _l("Asked for"), "money", aside=True),
        Column("received_minor", _l("Received"), "money", aside=True),
        Column("why", _l("Why"), "state", words.CREDITS),
    ),
    filters=(
        Filter("q", _l("Order number, buyer or reference")),
        Filter("why", _l("Why"), "choice", words.options(words.CREDITS)),
        Filter("amount", _l("Amount"), "amount"),
        *DAYS,
    ),
    sortings=(("oldest", _l("oldest first")), NEWEST, LARGEST),
    pane=partial(_payment_pane, desks.credits),
    lead=_l("Transfers that were too much, too little or too late stand here until they are given back or completed."),
    empty=_l("No money of buyers waits here"),
)


@blueprint.get("/credits")
@access("staff")
def credits() -> ResponseReturnValue:
    """List the money of buyers that stands in credit, the longest waiting first."""
    return lists.show(CREDITS, "console/credits.html")


@blueprint.get("/all")
@access("staff")
def all_payments() -> ResponseReturnValue:
    """List the payments for goods of the co-op, the newest first."""
    return lists.show(PAYMENTS, "console/payments_all.html")


@blueprint.get("/refunds")
@access("staff")
def refunds() -> ResponseReturnValue:
    """List the co-op's refunds, newest first."""
    return lists.show(REFUNDS, "console/refunds.html")


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """Show what hangs, with what can be done about it."""
    return _page({}, 200)


def _page(errors: dict[str, str], status: int) -> ResponseReturnValue:
    coop_id = current_actor().coop_id
    assert coop_id is not None
    with unit_of_work() as session:
        transfers = queries.transfers_of(session, coop_id=coop_id, limit=SHOWN)
        credits = queries.buyer_credits(session, coop_id=coop_id, limit=SHOWN)
        refunds = queries.hanging_refunds(session, coop_id=coop_id, limit=SHOWN)
    page = render_template(
        "console/payments.html",
        transfers=transfers,
        credits=credits,
        refunds=refunds,
        grouped=grouped,
        shown=SHOWN,
        errors=errors,
        form=request.form,
    )
    return page, status


@blueprint.post("/<uuid:payment_id>/give-back")
@access("approver")
def give_back(payment_id: UUID) -> ResponseReturnValue:
    """Decide to give a buyer's credit back."""
    try:
        with unit_of_work() as session:
            service.give_back_credit(session, payment_id=payment_id, actor=current_actor(), now=now())
        flash(_("It goes back. Pay it by bank with the reference shown below."), "good")
    except Missing:
        raise
    except DomainError as error:
        flash(told(error.detail), "bad")
    return redirect(url_for("console_payments.index"), 303)


@blueprint.post("/<uuid:payment_id>/cash")
@access("preparer", "approver")
def cash(payment_id: UUID) -> ResponseReturnValue:
    """Take cash for an order that waits for its transfer."""
    entry = Entry(request.form)
    with unit_of_work() as session:
        payment = queries.own_payment(session, payment_id)
    paid, receipt = entry.amount("paid", payment.money.currency), entry.text("receipt", limit=60)

    def again() -> ResponseReturnValue:
        return _page({f"{name}-{payment_id}": words for name, words in entry.errors.items()}, 422 if entry.errors else 200)

    if paid and not entry.errors:
        facts = [(_("For"), payment.title), (_("Amount taken"), show_money(paid)), (_("Number of the receipt"), receipt)]
        words = _("The order is paid then and can be packed. It goes back only as a refund.")
        if question := asked(_("Was this taken in cash?"), facts, words, _("Yes, it is in the cash box"), again=again):
            return question

    def act(session: Session) -> tuple[str, str]:
        assert paid is not None
        service.record_cash(session, payment_id=payment_id, paid=paid, receipt=receipt, actor=current_actor(), now=now())
        return _("Paid in cash. The order can be packed."), url_for("console_payments.index")

    return carry_out(entry, act, again=again, otherwise="paid")


@blueprint.post("/refunds/<uuid:refund_id>/by-bank")
@access("approver")
def by_bank(refund_id: UUID) -> ResponseReturnValue:
    """Send a refund by bank that the card cannot take."""
    evidence = request.form.get("evidence", "").strip()
    if evidence and (question := _asked(refund_id, evidence)):
        return question
    try:
        with unit_of_work() as session:
            service.refund_by_bank(session, refund_id=refund_id, evidence=evidence, actor=current_actor(), now=now())
        flash(_("It is paid by bank instead. Use the reference shown below."), "good")
    except Missing:
        raise
    except DomainError as error:
        return _page({f"evidence-{refund_id}": told(error.detail)}, 422)
    return redirect(url_for("console_payments.index"), 303)


def _asked(refund_id: UUID, evidence: str) -> ResponseReturnValue | None:
    """Ask once more: if the card had taken it after all, the buyer would get the money twice."""
    with unit_of_work() as session:
        found = queries.refund(session, refund_id)
    return asked(
        _("Pay refund %(number)s by bank?", number=found.number),
        [(_("Amount"), show_money(found.money)), (_("Reason"), found.reason), (_("How you know"), evidence)],
        _("If the card took it after all, the buyer is paid twice. This cannot be taken back."),
        _("Yes, pay it by bank"),
        again=lambda: _page({}, 200),
    )
