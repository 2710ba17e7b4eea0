"""Bank accounts with their running figures and their queue of lines."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from market.console.statements.base import blueprint
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.kernel import direct
from market.kernel.errors import DomainError
from market.producers import queries as producers
from market.reports.queries import processor
from market.statements import queries, service

MANY = 5_000
"""More open lines than this are matched by a worker."""


@blueprint.get("/")
@access("staff")
def accounts() -> ResponseReturnValue:
    """Show the co-op's bank accounts with their running figures."""
    with unit_of_work() as session:
        rows = [(row, queries.figures(session, row.id)) for row in queries.accounts(session, coop_id=current_coop())]
        cards = processor.standing(session, current_coop())
    return render_template("console/statements/accounts.html", rows=rows, cards=cards)


@blueprint.get("/accounts/new")
@access("approver")
def new_account() -> ResponseReturnValue:
    """Show the form for a bank account, filled in with the co-op's own."""
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
    form = {"iban": coop.iban or "", "currency": coop.currency, "opened_on": today().isoformat(), "opening": "0.00"}
    return render_template("console/statements/account_new.html", form=form, errors={})


@blueprint.post("/accounts/new")
@access("approver")
def open_account() -> ResponseReturnValue:
    """Register a bank account with what lies on it."""
    entry = Entry(request.form)
    name, iban = entry.text("name", limit=80), entry.text("iban", limit=60)
    wallet = entry.choice("kind", ("bank", "wallet"), default="bank") == "wallet"
    currency = entry.text("currency", limit=3).upper()
    opened_on = entry.day("opened_on")
    opening = entry.amount("opening", currency, required=False, below=True)
    if not entry.errors and opened_on is not None:
        try:
            with unit_of_work() as session:
                account = service.open_account(
                    session, coop_id=current_coop(), name=name, iban=iban, currency=currency, opened_on=opened_on,
                    opening=opening, wallet=wallet, actor=current_actor(), now=now(),
                )  # fmt: skip
            return redirect(url_for("console_statements.desk", account_id=account.id), 303)
        except DomainError as refusal:
            entry.refused(refusal, otherwise="iban")
    return render_template("console/statements/account_new.html", form=request.form, errors=entry.errors), 422


@blueprint.get("/<uuid:account_id>")
@access("staff")
def desk(account_id: UUID) -> ResponseReturnValue:
    """Show the queue: running figures, lines with what may explain them, and the form for the next file."""
    show = request.args.get("show", "open")
    with unit_of_work() as session:
        direct.plan_each(session)
        page = {
            "account": queries.account(session, account_id),
            "figures": queries.figures(session, account_id),
            "page": queries.lines(session, account_id, show=show, cursor=request.args.get("cursor")),
            "files": queries.files(session, account_id, limit=5).items,
        }
    return render_template("console/statements/desk.html", show=show, **page)


@blueprint.post("/<uuid:account_id>/match")
@access("staff")
def match(account_id: UUID) -> ResponseReturnValue:
    """Run the rules again, after payouts were sent or orders placed."""
    with unit_of_work() as session:
        if queries.figures(session, account_id).open_lines > MANY:
            service.ask_for_matching(session, money_account_id=account_id)
            flash(_("These are many lines: a worker matches them. Look again in a minute."), "info")
        else:
            done = service.run_matching(session, money_account_id=account_id, actor=current_actor(), now=now())
            flash(_("%(n)s lines matched, %(m)s with suggestions.", n=done.matched, m=done.suggested), "success")
    return redirect(url_for("console_statements.desk", account_id=account_id), 303)
