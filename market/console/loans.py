"""Pre-finance for harvests: taken on by two persons, matched when it comes, repaid with interest by two persons."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import acting, lists
from market.console.lists import Column, Desk, Filter
from market.console.words import options
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.downloads import download
from market.http.entry import Entry
from market.http.i18n import told
from market.kernel.errors import DomainError
from market.payouts import service as payouts
from market.payouts.rules.accounts import check_bank_account
from market.producers import queries as producers
from market.reports.queries import desks
from market.reports.queries import treasury as sources
from market.treasury import loan_queries as queries
from market.treasury import service

blueprint = Blueprint("console_loans", __name__, url_prefix="/console/treasury/loans")
STATES: lists.Words = {
    "proposed": (_l("proposed"), "warn"),
    "accepted": (_l("taken on"), "info"),
    "declined": (_l("declined"), ""),
    "closed": (_l("closed"), "good"),
}
KINDS = (("buyer", _l("The buyer of the goods")), ("lender", _l("Another lender")))


def _pane(session: Session, loan_id: UUID) -> dict[str, Any]:
    zone = producers.coop(session, current_coop()).time_zone
    return {"loan": queries.loan(session, loan_id, on=today(zone)), "history": desks.history(session, "loan", loan_id)}


DESK = Desk(
    name="loans",
    title=_l("Loans for harvests"),
    endpoint="console_loans.index",
    source=sources.loans,
    columns=(
        Column("lender", _l("Lender"), "link"),
        Column("contract", _l("Contract")),
        Column("amount_minor", _l("Lent"), "money"),
        Column("repaid_minor", _l("Paid back or on its way"), "money"),
        Column("waiting", _l("Repayments to decide"), "number"),
        Column("due_on", _l("Back by"), "day"),
        Column("state", _l("State"), "state", STATES),
    ),
    filters=(
        Filter("q", _l("Lender or contract")),
        Filter("state", _l("State"), "choice", options(STATES)),
    ),
    pane=_pane,
    empty=_l("Nobody has lent the co-op anything yet."),
)


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """Show the loans, and one with its repayments beside the list."""
    return _page({}, {})


@blueprint.post("")
@access("preparer")
def propose() -> ResponseReturnValue:
    """Propose to take a loan on."""
    entry = Entry(request.form)
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
    words = {name: entry.text(name) for name in ("lender", "contract", "terms")}
    kind = entry.choice("kind", [code for code, _words in KINDS], default="lender")
    goods, money = entry.amount("goods", coop.currency), entry.amount("amount", coop.currency)
    percents = {name: entry.decimal(name, zero=True) for name in ("cap_percent", "rate_percent")}
    due_on = entry.day("due_on")
    iban, bic = (request.form.get(name, "").strip() or None for name in ("iban", "bic"))

    def run(session: Session) -> tuple[str, str]:
        facts = {"coop_id": coop.id, "kind": kind, "goods": goods, "money": money, "due_on": due_on, **words, **percents}
        if iban is not None:
            account = check_bank_account(iban=iban, bic=bic)
            facts |= {"iban": account.iban, "bic": account.bic}
        made = service.propose_loan(session, actor=current_actor(), now=now(), **facts)  # type: ignore[arg-type]
        return _("Proposed. Another person takes it on."), _open(made)

    return acting.carry_out(entry, run, again=lambda: _page(dict(request.form), entry.errors), otherwise="amount")


@blueprint.post("/<uuid:loan_id>")
@access("approver")
def decide(loan_id: UUID) -> ResponseReturnValue:
    """Take a loan on or decline it."""
    agreed = acting.agreed()
    return acting.act(
        lambda session: service.decide_loan(session, actor=current_actor(), loan_id=loan_id, agreed=agreed, now=now()),
        _("Taken on. Give the lender the reference; the line on the statement is matched by it.") if agreed else _("Declined."),
        _open(loan_id),
    )


@blueprint.post("/<uuid:loan_id>/close")
@access("approver")
def close(loan_id: UUID) -> ResponseReturnValue:
    """End a loan of which nothing is owed any more."""
    return acting.act(
        lambda session: service.close_loan(session, actor=current_actor(), loan_id=loan_id, now=now()),
        _("Closed."),
        _open(loan_id),
    )


@blueprint.post("/<uuid:loan_id>/repayments")
@access("preparer")
def propose_repayment(loan_id: UUID) -> ResponseReturnValue:
    """Propose what goes back to the lender."""
    entry = Entry(request.form)
    with unit_of_work() as session:
        currency = queries.loan(session, loan_id, on=today()).money.currency
    principal = entry.amount("principal", currency, zero=True)
    interest = entry.amount("interest", currency, zero=True)

    def run(session: Session) -> tuple[str, str]:
        assert principal is not None
        assert interest is not None
        shared = {"loan_id": loan_id, "principal": principal, "interest": interest}
        service.propose_repayment(session, actor=current_actor(), now=now(), **shared)  # type: ignore[arg-type]
        return _("Proposed. Another person books it."), _open(loan_id)

    def again() -> ResponseReturnValue:
        return _page(dict(request.form), entry.errors, opened=loan_id)

    return acting.carry_out(entry, run, again=again, otherwise="principal")


@blueprint.post("/repayments/<uuid:repayment_id>")
@access("approver")
def decide_repayment(repayment_id: UUID) -> ResponseReturnValue:
    """Put a repayment on its way or decline it."""
    agreed = acting.agreed()
    with unit_of_work() as session:
        loan_id = queries.loan_of(session, repayment_id)
    shared = {"repayment_id": repayment_id, "agreed": agreed}
    return acting.act(
        lambda session: service.decide_repayment(session, actor=current_actor(), now=now(), **shared),  # type: ignore[arg-type]
        _("Booked. Pay it from the bank now, with the reference; its line on the statement ends it.")
        if agreed
        else _("Declined."),
        _open(loan_id),
    )


@blueprint.post("/repayments/<uuid:repayment_id>/back")
@access("approver")
def take_back_repayment(repayment_id: UUID) -> ResponseReturnValue:
    """Take back a repayment that the bank did not pay."""
    with unit_of_work() as session:
        loan_id = queries.loan_of(session, repayment_id)
    return acting.act(
        lambda session: service.take_back_repayment(session, actor=current_actor(), repayment_id=repayment_id, now=now()),
        _("Taken back. It is owed to the lender again."),
        _open(loan_id),
    )


@blueprint.get("/repayments/<uuid:repayment_id>/file")
@access("preparer", "approver")
def repayment_file(repayment_id: UUID) -> ResponseReturnValue:
    """Return the bank file of a repayment that was booked; every download gives the same bytes."""
    with unit_of_work() as session:
        loan_id = queries.loan_of(session, repayment_id)
    try:
        with unit_of_work() as session:
            found = payouts.repayment_file(session, coop_id=current_coop(), repayment_id=repayment_id, now=now())
    except DomainError as refusal:
        flash(told(refusal.detail), "bad")
        return redirect(_open(loan_id), 303)
    return download(found[1], name=found[0], content_type="application/xml")


def _open(loan_id: UUID) -> str:
    return url_for("console_loans.index", open=loan_id)


def _page(form: dict[str, str], errors: dict[str, str], opened: UUID | None = None) -> ResponseReturnValue:
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
    shown = {"coop": coop, "form": form, "errors": errors, "actor": current_actor(), "kinds": KINDS}
    page = lists.show(DESK, "console/treasury/loans.html", opened=opened, **shown)
    return lists.answered(page, errors)
