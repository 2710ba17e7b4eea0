"""What the administrator does for the whole site: the read-only switch, and lines of the card processor that are nobody's."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import acting
from market.desks import queries, service
from market.http import forms, readonly
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.kernel.errors import DomainError
from market.payments import service as payments
from market.producers import queries as producers

ACCOUNTS = (
    ("payment_cost", _l("fee of the card processor")),
    ("tax_payable", _l("tax paid")),
    ("dispute_cost", _l("fee of a dispute")),
    ("own_transit", _l("own money between accounts")),
    ("unidentified", _l("money nobody knows (a liability)")),
    ("write_off", _l("write-off of a small difference")),
)
blueprint = Blueprint("console_site", __name__, url_prefix="/admin/site")


@blueprint.get("")
@access("admin")
def switch() -> ResponseReturnValue:
    """Show whether the site takes writes."""
    return _page({})


@blueprint.post("")
@access("admin")
def set_switch() -> ResponseReturnValue:
    """Stop or take up writing on the whole site."""
    stop = request.form.get("read_only") == "yes"
    try:
        with unit_of_work() as session:
            service.set_read_only(
                session, actor=current_actor(), read_only=stop, reason=request.form.get("reason", ""), now=now()
            )
    except DomainError as refusal:
        return _page(forms.field_errors(refusal))
    readonly.forget()
    flash(_("The site is read-only now.") if stop else _("The site takes changes again."), "good")
    return redirect(url_for("console_site.switch"), 303)


def _page(errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        found = queries.switch(session)
    return render_template("admin/site.html", switch=found, errors=errors, form=request.form), 422 if errors else 200


@blueprint.get("/processor")
@access("admin")
def processor() -> ResponseReturnValue:
    """Show the lines of the card processor that are in no co-op's books."""
    return _lines({}, {})


@blueprint.post("/processor")
@access("admin")
def explain() -> ResponseReturnValue:
    """Say whose a line is and what it is."""
    entry = Entry(request.form)
    line_id, reason = entry.text("line", limit=80), entry.text("reason")
    account = entry.choice("account", [code for code, _words in ACCOUNTS])
    with unit_of_work() as session:
        known = {str(coop.id): coop.id for coop in producers.coops(session)}
    coop_id = known.get(entry.choice("coop_id", ["all", *known]))

    def command(session: Session) -> tuple[str, str]:
        payments.explain_line(
            session, actor=current_actor(), line_id=line_id, coop_id=coop_id, account=account, reason=reason, now=now()
        )
        return _("Booked."), url_for("console_site.processor")

    return acting.carry_out(entry, command, again=lambda: _lines(dict(request.form), entry.errors), otherwise="line")


@blueprint.post("/processor/take-back")
@access("admin")
def take_back() -> ResponseReturnValue:
    """Undo what a person said of one line: it waits again."""
    line_id, reason = request.form.get("line", ""), request.form.get("reason", "")
    return acting.act(
        lambda session: payments.take_back_line(session, actor=current_actor(), line_id=line_id, reason=reason, now=now()),
        _("Taken back. The line waits again."),
        url_for("console_site.processor"),
    )


def _lines(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        rows, done = payments.unknown_lines(session), payments.explained_lines(session)
        coops = [(str(coop.id), coop.name) for coop in producers.coops(session)]
    page = render_template("admin/processor.html", rows=rows, done=done, coops=coops, accounts=ACCOUNTS, form=form, errors=errors)
    return page, 422 if errors else 200
