"""A run from its list to the bank: checked, approved by another person, sent, watched."""

from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from market.accounts import queries as people
from market.console import lists, words
from market.console.acting import act
from market.console.lists import Column, Desk, Filter
from market.console.payouts.base import SHOWN, blueprint, names_of, skipped_file
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.downloads import download
from market.http.i18n import show_minor
from market.payouts import queries, service
from market.payouts.rules.numbers import run_number
from market.reports.queries import desks


def _sums(row: Any) -> str:
    sums: dict[str, int] = {}
    for by_currency in row.totals.values():
        for currency, (_count, minor) in by_currency.items():
            sums[currency] = sums.get(currency, 0) + minor
    return ", ".join(show_minor(minor, currency) for currency, minor in sorted(sums.items()))


RUNS = Desk(
    name="runs",
    title=_l("Payout runs"),
    endpoint="console_payouts.all_runs",
    source=desks.runs,
    columns=(
        Column("number", _l("Number"), "link", make=lambda row: run_number(row.number)),
        Column("state", _l("State"), "state", words.RUNS),
        Column("due_by", _l("Due by"), "day"),
        Column("prepared_at", _l("Prepared"), "instant"),
        Column("approved_at", _l("Approved"), "instant"),
        Column("totals", _l("Sums"), "number", make=_sums),
    ),
    filters=(
        Filter("q", _l("Number")),
        Filter("state", _l("State"), "choice", words.options(words.RUNS)),
        Filter("from", _l("Prepared from"), "day"),
        Filter("to", _l("To"), "day"),
    ),
    empty=_l("Preview what is due, prepare it, and let a colleague approve it."),
)


@blueprint.get("/payouts/runs")
@access("staff")
def all_runs() -> ResponseReturnValue:
    """List the payout runs, newest first."""
    return lists.show(RUNS, "console/payouts/runs.html")


@blueprint.get("/payouts/<uuid:run_id>")
@access("staff")
def run(run_id: UUID) -> ResponseReturnValue:
    """Show a run: totals, who is left out, states, files, payouts."""
    with unit_of_work() as session:
        found = queries.run(session, run_id)
        page = queries.payouts_of_run(session, found.id, state=request.args.get("state"), cursor=request.args.get("cursor"))
        states = queries.states_of_run(session, found.id)
        stage = queries.stages(session, [found], coop_id=found.coop_id)[found.id]
        files = queries.files_of_run(session, found.id)
        history = desks.history(session, "payout_run", found.id)
        names = names_of(session, [row.payee_id for row in found.skipped[:SHOWN]], [row.payee_id for row in page.items])
    return render_template(
        "console/payouts/run.html",
        run=found,
        stage=stage,
        page=page,
        states=states,
        files=files,
        names=names,
        history=history,
        me=current_actor().label,
        shown=SHOWN,
    )


@blueprint.get("/payouts/<uuid:run_id>/left-out")
@access("staff")
def left_out(run_id: UUID) -> ResponseReturnValue:
    """Give all whom a run left out, with what they are owed and why, as a file."""
    with unit_of_work() as session:
        found = queries.run(session, run_id)
        names = names_of(session, [row.payee_id for row in found.skipped])
    return skipped_file(f"{found.number}-left-out", found.skipped, names)


@blueprint.get("/payouts/<uuid:run_id>/approve")
@access("approver")
def check(run_id: UUID) -> ResponseReturnValue:
    """Show what an approval sets going, before it is given: sums per rail and currency, who prepared it, what stays final."""
    with unit_of_work() as session:
        found = queries.run(session, run_id)
        names = people.names_of_staff(session, [found.checked_by or found.prepared_by], coop_id=found.coop_id)
    if found.state != "draft":
        return redirect(url_for("console_payouts.run", run_id=run_id), 303)
    preparer = names.get(found.checked_by or found.prepared_by, "")
    return render_template("console/payouts/approve.html", run=found, preparer=preparer, me=current_actor().label)


@blueprint.post("/payouts/<uuid:run_id>/approve")
@access("approver")
def approve(run_id: UUID) -> ResponseReturnValue:
    """Approve the list that the page showed."""
    shown = request.form.get("list_sha256", "")
    return act(
        lambda session: service.approve_run(session, actor=current_actor(), run_id=run_id, list_sha256=shown, now=now()),
        _("Approved. What goes by itself is sent now; a bank file appears below and waits to be given to the bank."),
        url_for("console_payouts.run", run_id=run_id),
    )


@blueprint.post("/payouts/<uuid:run_id>/checked")
@access("staff")
def checked(run_id: UUID) -> ResponseReturnValue:
    """Answer for a run that the clock drafted, as the first of two people."""
    shown = request.form.get("list_sha256", "")
    return act(
        lambda session: service.check_run(session, actor=current_actor(), run_id=run_id, list_sha256=shown, now=now()),
        _("Checked. Another person has to approve it."),
        url_for("console_payouts.run", run_id=run_id),
    )


@blueprint.post("/payouts/<uuid:run_id>/discard")
@access("staff")
def discard(run_id: UUID) -> ResponseReturnValue:
    """Throw a draft away."""
    return act(
        lambda session: service.discard_run(session, actor=current_actor(), run_id=run_id, now=now()),
        _("Discarded. Everything in it is open again."),
        url_for("console_payouts.overview"),
    )


@blueprint.get("/payouts/files/<uuid:file_id>")
@access("staff")
def file(file_id: UUID) -> ResponseReturnValue:
    """Download a bank file as it was written."""
    with unit_of_work() as session:
        found, body = queries.file_body(session, file_id)
    return download(body, name=found.name, content_type="application/xml")


@blueprint.post("/payouts/files/<uuid:file_id>/submitted")
@access("staff")
def submitted(file_id: UUID) -> ResponseReturnValue:
    """Note that the file was given to the bank."""
    with unit_of_work() as session:
        run_id = queries.file_body(session, file_id)[0].run_id
    return act(
        lambda session: service.mark_submitted(session, actor=current_actor(), file_id=file_id, now=now()),
        _("Noted. The bank's statement will settle these payouts."),
        url_for("console_payouts.run", run_id=run_id),
    )
