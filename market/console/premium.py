"""Premium on account: invoiced to the buyer of a contract by two persons, in the fund when the bank shows it."""

from typing import Any
from uuid import UUID

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import acting, lists
from market.console.lists import Column, Desk, Filter
from market.console.words import options
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.producers import queries as producers
from market.reports.queries import desks
from market.reports.queries import treasury as sources
from market.treasury import premium_queries as queries
from market.treasury import service

blueprint = Blueprint("console_premium", __name__, url_prefix="/console/treasury/premium")
STATES: lists.Words = {
    "proposed": (_l("proposed"), "warn"),
    "booked": (_l("booked"), "info"),
    "declined": (_l("declined"), ""),
    "taken_back": (_l("taken back"), ""),
}


def _pane(session: Session, invoice_id: UUID) -> dict[str, Any]:
    return {"invoice": queries.invoice(session, invoice_id), "history": desks.history(session, "premium_invoice", invoice_id)}


DESK = Desk(
    name="premium-on-account",
    title=_l("Premium on account"),
    endpoint="console_premium.index",
    source=sources.premium_invoices,
    columns=(
        Column("buyer", _l("Buyer"), "link"),
        Column("contract", _l("Contract")),
        Column("amount_minor", _l("Premium"), "money"),
        Column("due_on", _l("Due by"), "day"),
        Column("state", _l("State"), "state", STATES),
    ),
    filters=(
        Filter("q", _l("Buyer or contract")),
        Filter("state", _l("State"), "choice", options(STATES)),
    ),
    pane=_pane,
    empty=_l("No premium was invoiced yet."),
)


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """Show what premium is awaited, and one invoice beside the list."""
    return _page({}, {})


@blueprint.post("")
@access("preparer")
def propose() -> ResponseReturnValue:
    """Propose to invoice the premium of a contract."""
    entry = Entry(request.form)
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
    words = {name: entry.text(name, limit=120) for name in ("buyer", "contract")}
    money, due_on = entry.amount("amount", coop.currency), entry.day("due_on")

    def run(session: Session) -> tuple[str, str]:
        facts = {"coop_id": coop.id, "money": money, "due_on": due_on, **words}
        made = service.propose_premium_invoice(session, actor=current_actor(), now=now(), **facts)  # type: ignore[arg-type]
        return _("Proposed. Another person books it."), _open(made)

    return acting.carry_out(entry, run, again=lambda: _page(dict(request.form), entry.errors), otherwise="amount")


@blueprint.post("/<uuid:premium_id>")
@access("approver")
def decide(premium_id: UUID) -> ResponseReturnValue:
    """Book the invoice or decline it."""
    agreed = acting.agreed()
    return acting.act(
        lambda session: service.decide_premium_invoice(
            session, actor=current_actor(), invoice_id=premium_id, agreed=agreed, now=now()
        ),
        _("Booked. Give the buyer the reference; the line on the statement is matched by it.") if agreed else _("Declined."),
        _open(premium_id),
    )


@blueprint.post("/<uuid:premium_id>/back")
@access("approver")
def take_back(premium_id: UUID) -> ResponseReturnValue:
    """Take back an invoice of which nothing came."""
    return acting.act(
        lambda session: service.take_back_premium_invoice(session, actor=current_actor(), invoice_id=premium_id, now=now()),
        _("Taken back."),
        _open(premium_id),
    )


def _open(premium_id: UUID) -> str:
    return url_for("console_premium.index", open=premium_id)


def _page(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
    page = lists.show(DESK, "console/treasury/premium.html", coop=coop, form=form, errors=errors, actor=current_actor())
    return lists.answered(page, errors)
