"""Price tables as files: read by one person, taken over by another."""

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import lists, price_changes, words
from market.console.acting import carry_out
from market.console.lists import NOWHERE, Column, Desk, Filter
from market.console.prices.base import OLD_AND_NEW, SCHEMES, blueprint, consequence
from market.http.asking import asked
from market.http.auth import access, current_actor
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import told
from market.pricing import queries, service
from market.pricing.rules.tables import HEADS, FileFacts
from market.reports.queries import desks
from market.reports.queries import lists as rows
from market.reports.queries.lists import Line, Source


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


_NAMES = ("product", "variety", "form", "Product", "Product Form", "Product Characteristic")
"""Heads of the layouts that say which goods a row is about."""


def _goods(row: Line) -> str:
    """Return what a row of a file names, by the file's own words where it was not taken over."""
    said = [row.cells.get(name) or "" for name in _NAMES]
    return row.goods.replace("_", " ") or " ".join(filter(None, said)) or ", ".join(filter(None, row.cells.values()))[:80]


def _row_pane(session: Session, source: Source, number: int) -> dict[str, Any]:
    record = rows.one(session, source, number)
    return {"record": record} if record else {}


ROWS = Desk(
    name="import_rows",
    title=_l("Import of a price table"),
    endpoint="console_prices.batch",
    source=partial(desks.import_rows, batch_id=NOWHERE),
    columns=(
        Column("id", _l("Row"), "number"),
        Column("goods", _l("What it names"), "link", make=_goods),
        *OLD_AND_NEW,
        Column("currency", _l("Currency"), aside=True),
        Column("notes", _l("Answer"), make=lambda row: " ".join(f"{note['code']}: {told(note['words'])}" for note in row.notes)),
        Column("state", _l("State"), "state", words.IMPORT_ROWS),
    ),
    filters=(
        Filter("q", _l("Words of the row")),
        Filter("state", _l("State"), "choice", words.options(words.IMPORT_ROWS)),
        Filter("change", _l("Against before"), "choice", words.options({**words.IMPORT_CHANGES, **words.PRICE_WAYS})),
    ),
    sortings=(("waiting", _l("what needs a person first")), ("file", _l("as the file has them"))),
    key=int,
)


@blueprint.get("/prices/imports/<uuid:batch_id>")
@access("staff")
def batch(batch_id: UUID) -> ResponseReturnValue:
    """Show an import row by row, each against the edition before it."""
    with unit_of_work() as session:
        found = queries.batch(session, batch_id)
        history = desks.history(session, "import_batch", batch_id)
    source = partial(desks.import_rows, batch_id=batch_id)
    desk = replace(ROWS, source=source, pane=lambda session, number: _row_pane(session, source(lists.viewer(session)), number))
    return lists.show(desk, "console/prices/batch.html", batch=found, steps=history, me=current_actor().label)


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
