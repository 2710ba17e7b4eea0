"""Staff pages around imports: say once what a bank's CSV means, and the rules that staff made for lines like one they saw."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from market.console.statements.bank_lists import rules_page
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.kernel.errors import DomainError
from market.reports.queries import desks
from market.statements import queries, service
from market.statements.rules.readers.delimited import FIELDS, CsvMapping
from market.statements.rules.readers.guess import DELIMITERS, guess
from market.statements.rules.readers.source import Source

blueprint = Blueprint("console_statement_setup", __name__, url_prefix="/console/statements")
DATE_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d")
CLOCKS = ("", " %H:%M", " %H:%M:%S")
ENCODINGS = ("", "utf-8", "cp1252", "iso8859-15", "utf-16")
MOST_ROWS = 50


@blueprint.get("/files/<uuid:file_id>/columns")
@access("staff")
def columns(file_id: UUID) -> ResponseReturnValue:
    """Show the first rows of a kept CSV and ask what its columns are, with a proposal filled in."""
    return _columns_page(file_id, None, {})


def _columns_page(file_id: UUID, mapping: CsvMapping | None, errors: dict[str, str], **more: Any) -> ResponseReturnValue:
    with unit_of_work() as session:
        file = queries.file(session, file_id)
        account = queries.account(session, file.account_id)
        source = Source(service.unpacked(session, file_id))
    given = mapping or guess(source).mapping
    seen = guess(source, delimiter=given.delimiter, header_row=given.header_row)
    page = render_template(
        "console/statements/columns.html",
        file=file, account=account, mapping=given, header=seen.header, rows=seen.rows, fields=FIELDS, errors=errors,
        delimiters=DELIMITERS, encodings=ENCODINGS, date_formats=[day + clock for day in DATE_FORMATS for clock in CLOCKS],
        **more,
    )  # fmt: skip
    return page, 422 if errors else 200


def _mapping() -> CsvMapping:
    form = request.form
    rows = form.get("header_row", "0")
    delimiter = form.get("delimiter", ",")
    decimal = "," if form.get("decimal") == "," else "."
    skipped = [value.strip() for value in form.get("skip", "").split(",") if value.strip()]
    chosen = {name: form[f"column_{name}"] for name in FIELDS if form.get(f"column_{name}")}
    return CsvMapping(
        chosen,
        delimiter=delimiter if delimiter in DELIMITERS else ",",
        encoding=form["encoding"] if form.get("encoding") in ENCODINGS else "",
        header_row=min(int(rows), MOST_ROWS) if rows.isascii() and rows.isdigit() else 0,
        decimal=decimal,
        thousands="." if decimal == "," else ",",
        date_format=form.get("date_format", "")[:40],
        inverted=form.get("inverted") == "yes",
        newest_first=form.get("newest_first") == "yes",
        skip={chosen["status"]: skipped} if "status" in chosen and skipped else {},
    )


@blueprint.post("/files/<uuid:file_id>/columns")
@access("staff")
def save_columns(file_id: UUID) -> ResponseReturnValue:
    """Read the kept file by what was said; show what it gives, or save it and import the file."""
    mapping = _mapping()
    try:
        with unit_of_work() as session:
            if request.form.get("step") == "save":
                service.save_mapping(session, file_id=file_id, mapping=mapping, actor=current_actor(), now=now())
                found = None
            else:
                currency = queries.account(session, queries.file(session, file_id).account_id).currency
                found = service.try_mapping(session, service.file_of(session, file_id), mapping, currency)
    except DomainError as refusal:
        entry = Entry(request.form)
        entry.refused(refusal, otherwise="columns")
        return _columns_page(file_id, mapping, entry.errors)
    if found is not None:
        return _columns_page(file_id, mapping, {}, lines=found[0], statement=found[1])
    service.read_file(unit_of_work, file_id=file_id, now=now())
    flash(_("Saved. Files of this bank are read so from now on."), "success")
    return redirect(url_for("console_statements.file", file_id=file_id), 303)


@blueprint.get("/rules/<uuid:rule_id>")
@access("staff")
def rule(rule_id: UUID) -> ResponseReturnValue:
    """Show what a rule has booked, with the way to take each back."""
    with unit_of_work() as session:
        found = queries.rule(session, rule_id)
        account = queries.account(session, found.account_id)
        lines = queries.lines_of_rule(session, rule_id)
        history = desks.history(session, "booking_rule", rule_id)
    return render_template("console/statements/rule.html", rule=found, account=account, lines=lines, history=history)


@blueprint.post("/rules/<uuid:rule_id>/end")
@access("staff")
def end_rule(rule_id: UUID) -> ResponseReturnValue:
    """End a rule with a reason."""
    try:
        with unit_of_work() as session:
            reason = request.form.get("reason", "")
            service.end_rule(session, rule_id=rule_id, reason=reason, actor=current_actor(), now=now())
    except DomainError as refusal:
        entry = Entry(request.form)
        entry.refused(refusal, otherwise="reason")
        return rules_page(entry.errors, rule_id)
    flash(_("Ended. What it booked stays until somebody takes it back."), "success")
    return redirect(url_for("console_statements.rules", open=rule_id), 303)
