"""The close of a period: prepared by one person, closed by another."""

from functools import partial
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.accounts import queries as people
from market.console import account_words, acting, lists, words
from market.console.lists import Column, Desk, Filter
from market.console.statements.base import blueprint
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import told
from market.kernel.errors import DomainError
from market.kernel.text import SHORTEST_REASON
from market.producers import queries as producers
from market.reports.queries import desks
from market.statements import queries, service
from market.statements.errors import PeriodIsClosed

DESK = Desk(
    name="periods",
    title=_l("Periods"),
    endpoint="console_statements.closes",
    source=desks.periods,
    columns=(
        Column("ends_on", _l("To"), "link"),
        Column("starts_on", _l("From"), "day"),
        Column("state", _l("State"), "state", words.PERIODS),
        Column("differences", _l("Differences"), "number"),
        Column("prepared_at", _l("Prepared"), "instant"),
        Column("closed_at", _l("Closed"), "instant"),
    ),
    filters=(
        Filter("state", _l("State"), "choice", words.options(words.PERIODS)),
        Filter("from", _l("From"), "day"),
        Filter("to", _l("To"), "day"),
    ),
    lead=_l("A period closes at zero, or with every difference explained by one person and accepted by another."),
    empty=_l("Choose the last day of the first period above."),
)


@blueprint.get("/closes")
@access("staff")
def closes() -> ResponseReturnValue:
    """List the periods that were closed, the last one first, with the form for the next one."""
    with unit_of_work() as session:
        ends_on = queries.next_close(session, current_coop(), on=today(producers.coop(session, current_coop()).time_zone))
    return lists.show(DESK, "console/statements/closes.html", ends_on=ends_on)


@blueprint.get("/closes/new")
@access("staff")
def new_close() -> ResponseReturnValue:
    """Show what keeps a period from being zero, with a field for the explanation of each."""
    return _close_form({}, {})


def _close_form(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    entry = Entry(request.values)
    ends_on = entry.day("ends_on")
    if ends_on is None:
        flash(entry.errors["ends_on"], "error")
        return redirect(url_for("console_statements.closes"), 303)
    try:
        with unit_of_work() as session:
            service.check_days(session, coop_id=current_coop(), ends_on=ends_on, now=now())
            found = service.differences(session, coop_id=current_coop(), ends_on=ends_on)
    except PeriodIsClosed as refusal:
        flash(told(refusal.detail), "error")
        return redirect(url_for("console_statements.closes"), 303)
    page = render_template(
        "console/statements/close_new.html", found=found, ends_on=ends_on, form=form, errors=errors, shortest=SHORTEST_REASON
    )
    return page, 422 if errors else 200


@blueprint.post("/closes/new")
@access("staff")
def prepare_close() -> ResponseReturnValue:
    """Record the figures and explanations of a period for a second person."""
    entry = Entry(request.form)
    ends_on = entry.day("ends_on")
    if ends_on is None:
        return _close_form(dict(request.form), entry.errors)
    try:
        with unit_of_work() as session:
            close = service.prepare_close(
                session, coop_id=current_coop(), ends_on=ends_on, explanations=request.form, actor=current_actor(), now=now()
            )
    except DomainError as refusal:
        key = str(refusal.facts.get("key", "ends_on"))
        return _close_form(dict(request.form), {key: told(refusal.detail)})
    flash(_("Prepared. A second person closes it. Until then nothing posts into these days."), "success")
    return redirect(url_for("console_statements.close", close_id=close.id), 303)


@blueprint.get("/closes/<uuid:close_id>")
@access("staff")
def close(close_id: UUID) -> ResponseReturnValue:
    """Show the protocol of a close: differences, explanations, trial balance, persons."""
    return _protocol(close_id)


def _protocol(close_id: UUID, form: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    with unit_of_work() as session:
        row = queries.close(session, close_id)
        said = row.reopening
        signed = (row.prepared_by, row.closed_by, *((said.proposed_by, said.decided_by) if said else ()))
        names = people.names_of_staff(session, signed, coop_id=current_coop())
        history = desks.history(session, "period_close", close_id)
        known = account_words.names(session, current_coop())
        last = service.may_be_reopened(session, close_id)
    page = {"close": row, "names": names, "history": history, "actor": current_actor(), "me": current_actor().label, "last": last}
    page |= {"form": form or {}, "errors": errors or {}, "shortest": SHORTEST_REASON}
    page["states"] = words.PERIODS
    page["account_of"] = lambda code: account_words.account(code, known)
    return render_template("console/statements/close.html", **page), 422 if errors else 200


@blueprint.post("/closes/<uuid:close_id>")
@access("approver")
def close_period(close_id: UUID) -> ResponseReturnValue:
    """Close the period as the second person."""
    return acting.act(
        lambda session: service.close_period(session, close_id=close_id, actor=current_actor(), now=now()),
        _("The period is closed. Nothing posts into it any more."),
        _address(close_id),
    )


@blueprint.post("/closes/<uuid:close_id>/take-back")
@access("staff")
def take_back_close(close_id: UUID) -> ResponseReturnValue:
    """Open the days of a prepared period again."""
    return acting.act(
        lambda session: service.take_back_close(session, close_id=close_id, actor=current_actor(), now=now()),
        _("Taken back. The days are open again; prepare the close anew when they are right."),
        _address(close_id),
    )


@blueprint.post("/closes/<uuid:close_id>/reopening")
@access("staff")
def propose_reopening(close_id: UUID) -> ResponseReturnValue:
    """Propose to open the last closed period again."""
    entry = Entry(request.form)
    reason = entry.text("reason")

    def run(session: Session) -> tuple[str, str]:
        service.propose_reopening(session, close_id=close_id, reason=reason, actor=current_actor(), now=now())
        return _("Proposed. The days stay closed until somebody else agrees."), _address(close_id)

    again = partial(_protocol, close_id, dict(request.form), entry.errors)
    return acting.carry_out(entry, run, again=again, otherwise="reason")


@blueprint.post("/closes/<uuid:close_id>/reopening/decision")
@access("approver")
def decide_reopening(close_id: UUID) -> ResponseReturnValue:
    """Open the days of a closed period again as the second person, or decline."""
    agreed = acting.agreed()
    return acting.act(
        lambda session: service.decide_reopening(session, close_id=close_id, agreed=agreed, actor=current_actor(), now=now()),
        _("The days are open again. Put right what was wrong, and prepare the close anew.") if agreed else _("Declined."),
        _address(close_id),
    )


@blueprint.post("/closes/<uuid:close_id>/reopening/withdrawal")
@access("staff")
def withdraw_reopening(close_id: UUID) -> ResponseReturnValue:
    """Withdraw one's own proposal to open a closed period again."""
    return acting.act(
        lambda session: service.withdraw_reopening(session, close_id=close_id, actor=current_actor(), now=now()),
        _("Withdrawn. The days stay closed."),
        _address(close_id),
    )


def _address(close_id: UUID) -> str:
    return url_for("console_statements.close", close_id=close_id)
