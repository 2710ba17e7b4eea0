"""Price tables as files: read by one person, taken over by another."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.console import price_changes
from market.console.acting import asked, carry_out
from market.console.prices.base import SCHEMES, blueprint, consequence
from market.http.auth import access, current_actor
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.pricing import queries, service
from market.pricing.rules.tables import HEADS, FileFacts
from market.reports.queries import desks


@blueprint.get("/prices/import")
@access("staff")
def import_form() -> ResponseReturnValue:
    """Show the form for a price table."""
    return _import_page({}, {})


def _import_page(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    page = render_template("console/prices/import.html", form=form, errors=errors, profiles=list(HEADS), schemes=SCHEMES)
    return page, 422 if errors else 200


@blueprint.post("/prices/import")
@access("staff")
def import_table() -> ResponseReturnValue:
    """Read a price table and keep it with an answer to every row."""
    entry = Entry(request.form)
    facts = FileFacts(
        profile=entry.choice("profile", HEADS),
        scheme=entry.choice("scheme", dict(SCHEMES)),
        source_name=entry.text("source_name"),
        decimal_mark=entry.choice("decimal_mark", (".", ","), default="."),
        date_style=entry.choice("date_style", ("iso", "dmy", "mdy"), default="iso"),
    )
    upload = request.files.get("file")
    data = upload.read(5_000_001) if upload else b""
    if not data or len(data) > 5_000_000:
        entry.errors["file"] = _("Please choose a CSV file of at most 5 MB.")

    def command(session: Session) -> tuple[str, str]:
        found = service.import_prices(session, data=data, facts=facts, actor=current_actor(), now=now(), on=today())
        return _("The table is read. A second person must approve it."), url_for("console_prices.batch", batch_id=found.batch_id)

    return carry_out(entry, command, again=lambda: _import_page(dict(request.form), entry.errors), otherwise="file")


@blueprint.get("/prices/imports/<uuid:batch_id>")
@access("staff")
def batch(batch_id: UUID) -> ResponseReturnValue:
    """Show an import row by row."""
    with unit_of_work() as session:
        found = queries.batch(session, batch_id)
        rows = queries.batch_rows(session, batch_id)
        history = desks.history(session, "import_batch", batch_id)
        waiting = found.state == "waiting"
        changes = [each for each in queries.batch_changes(session, batch_id) if price_changes.differs(each)] if waiting else []
    return render_template(
        "console/prices/batch.html", batch=found, rows=rows, changes=changes, history=history, me=current_actor().label
    )


@blueprint.post("/prices/imports/<uuid:batch_id>/<any(approve, refuse):decision>")
@access("approver")
def decide(batch_id: UUID, decision: str) -> ResponseReturnValue:
    """Take an import over as the second person, or refuse it."""
    if decision == "approve":
        with unit_of_work() as session:
            source = queries.batch(session, batch_id).source_name
            facts = [(_("Source"), source), *price_changes.of_table(queries.batch_changes(session, batch_id))]
        button = _("Yes, take it over")
        if question := asked(_("Take this table over?"), facts, consequence(), button, again=lambda: batch(batch_id)):
            return question
    with unit_of_work() as session:
        if decision == "approve":
            new = service.approve_import(session, batch_id=batch_id, actor=current_actor(), now=now())
            flash(_("%(number)s rows were taken over.", number=len(new)), "success")
        else:
            service.refuse_import(session, batch_id=batch_id, actor=current_actor(), now=now())
            flash(_("The import is refused; nothing was taken over."), "success")
    return redirect(url_for("console_prices.batch", batch_id=batch_id), 303)
