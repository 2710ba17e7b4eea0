"""Reports of the staff: pages with charts and tables, and long lists that a worker writes while one does something else."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from market.console import exports, lists, words
from market.desks import queries, service
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.downloads import download
from market.http.entry import Entry
from market.reports.queries import figures
from market.reports.queries.figures import Span

blueprint = Blueprint("console_reports", __name__, url_prefix="/console/reports")
AGES = {
    "not_due": _l("not due yet"),
    "week": _l("up to 7 days late"),
    "month": _l("up to 30 days late"),
    "later": _l("more than 30 days late"),
}
KINDS = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """Show the figures of a span of days, with a chart and a table each."""
    entry = Entry(request.args)
    first, last = entry.day("from", required=False), entry.day("to", required=False)
    with unit_of_work() as session:
        who = lists.viewer(session)
        on = today(who.zone)
        span = _span(first, last, on)
        facts: dict[str, Any] = {
            "sales": figures.sales(session, who, span),
            "payouts": figures.payouts_by_state(session, who, span),
            "refunds": figures.refunds_by_bearer(session, who, span),
            "owed": figures.aged_payables(session, who, on),
        }
    if request.args.get("format") in KINDS:
        return _file(facts["sales"].weeks, request.args["format"])
    return render_template("console/reports/index.html", span=span, errors=entry.errors, words=words, ages=AGES, **facts)


def _span(first: date | None, last: date | None, on: date) -> Span:
    """Return the days that were asked for; the last thirteen weeks otherwise, and five years at most."""
    last = min(last or on, on)
    first = first or last - timedelta(days=90)
    return Span(max(min(first, last), last - timedelta(days=5 * 366)), last)


def _file(weeks: Any, wanted: str) -> ResponseReturnValue:
    headings = [str(each) for each in (_("Week"), _("Currency"), _("Orders"), _("Worth"), _("Given back"))]
    rows = (
        [row.key, row.currency, row.orders, exports.decimal(row.total, row.currency), exports.decimal(row.refunded, row.currency)]
        for row in weeks
    )
    return lists.file("sales-by-week", wanted, headings, rows)


@blueprint.get("/lists")
@access("staff")
def made() -> ResponseReturnValue:
    """Show the lists that were asked for, with how far they are, and the form for another."""
    return _made({}, {})


def _made(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    account_id = current_actor().account_id
    assert account_id is not None
    with unit_of_work() as session:
        jobs = queries.jobs(session, account_id=account_id, coop_id=current_coop())
    options = [(name, desk.title) for name, desk in exports.LISTS.items()]
    page = render_template(
        "console/reports/lists.html",
        jobs=jobs,
        running=any(not job.ended for job in jobs),
        options=options,
        form=form,
        errors=errors,
    )
    return page, 422 if errors else 200


@blueprint.post("/lists")
@access("staff")
def ask() -> ResponseReturnValue:
    """Ask a worker for a list as a file; a mail says when it is there."""
    entry = Entry(request.form)
    name = entry.choice("list", exports.LISTS)
    wanted = entry.choice("format", KINDS)
    first, last = entry.day("from", required=False), entry.day("to", required=False)
    if entry.errors:
        return _made(dict(request.form), entry.errors)
    chosen = {key: day.isoformat() for key, day in (("from", first), ("to", last)) if day is not None}
    facts = {"chosen": chosen, "format": wanted, "language": str(get_locale())}
    with unit_of_work() as session:
        service.ask_for_report(
            session,
            actor=current_actor(),
            coop_id=current_coop(),
            kind=name,
            facts=facts,
            file_name=f"{name}-{today():%Y-%m-%d}.{wanted}",
            now=now(),
        )
    flash(_("It is being made. You can go on with other work; a mail tells you when it is there."), "good")
    return redirect(url_for("console_reports.made"), 303)


@blueprint.get("/lists/<uuid:job_id>")
@access("staff")
def content(job_id: UUID) -> ResponseReturnValue:
    """Give the file of a list."""
    with unit_of_work() as session:
        job = queries.job(session, job_id, account_id=current_actor().account_id)
        body = queries.job_body(session, job_id)
    return download(body, name=job.file_name, content_type=KINDS[job.facts["format"]])


@blueprint.post("/lists/<uuid:job_id>/cancel")
@access("staff")
def cancel(job_id: UUID) -> ResponseReturnValue:
    """Stop a list that is not made yet."""
    with unit_of_work() as session:
        stopped = service.cancel_report(session, actor=current_actor(), job_id=job_id, now=now())
    flash(_("Stopped.") if stopped else _("Too late: it had ended before."), "good" if stopped else "error")
    return redirect(url_for("console_reports.made"), 303)
