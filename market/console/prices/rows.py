"""Rows of the price tables: the desk, what changed, and one row that a second person lets count."""

from functools import partial
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.accounts import queries as people
from market.console import lists, price_changes, words
from market.console.acting import carry_out
from market.console.earning_lists import DAYS
from market.console.lists import Column, Desk, Filter
from market.console.prices.base import OLD_AND_NEW, SCHEMES, blueprint, consequence
from market.http.asking import asked
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.pricing import queries, service
from market.pricing.rules.references import SCHEME_NAMES
from market.reports.queries import desks

_NUMBERS = ("minimum_price", "premium", "organic_differential")

_DAYS = ("valid_from", "valid_to")


def _pane(session: Session, reference_id: UUID) -> dict[str, Any]:
    return {
        "reference": queries.reference(session, reference_id),
        "earlier": desks.price_change(session, reference_id),
        "history": desks.history(session, "price_reference", reference_id),
    }


ROWS = Desk(
    name="prices",
    title=_l("Price tables"),
    endpoint="console_prices.references",
    source=desks.price_rows,
    columns=(
        Column("goods", _l("Goods"), "link"),
        Column("scheme", _l("Scheme"), words={code: (name, "") for code, name in SCHEME_NAMES.items()}),
        Column("geo_code", _l("Where")),
        Column("quality", _l("Quality")),
        Column("minimum_price", _l("Minimum"), "number"),
        Column("premium", _l("Premium"), "number"),
        Column("currency", _l("Currency")),
        Column("valid_from", _l("In force from"), "day"),
        Column("status", _l("State"), "state", words.PRICE_ROWS),
    ),
    filters=(
        Filter("q", _l("Goods")),
        Filter("status", _l("State"), "choice", words.options(words.PRICE_ROWS)),
        Filter("scheme", _l("Scheme"), "choice", tuple(SCHEME_NAMES.items())),
        Filter("product", _l("Code of the product")),
    ),
    sortings=(("waiting", _l("waiting ones first")), ("newest", _l("newest first"))),
    pane=_pane,
    empty=_l("Import a price table; each row gets an answer."),
)


@blueprint.get("/prices")
@access("staff")
def references() -> ResponseReturnValue:
    """Show the rows of the price tables, those that wait for a person first, and the imports that wait."""
    with unit_of_work() as session:
        waiting = [batch for batch in queries.batches(session) if batch.state == "waiting"]
    return lists.show(ROWS, "console/prices/references.html", waiting=waiting)


IMPORTS = Desk(
    name="imports",
    title=_l("Imports of price tables"),
    endpoint="console_prices.imports",
    source=desks.imports,
    columns=(
        Column("entered_at", _l("Read"), "instant"),
        Column("source_name", _l("Source"), "link"),
        Column("scheme", _l("Scheme"), words={code: (name, "") for code, name in SCHEME_NAMES.items()}),
        Column("rows", _l("Rows"), "number"),
        Column("state", _l("State"), "state", words.IMPORTS),
        Column("decided_at", _l("Decided"), "instant"),
    ),
    filters=(
        Filter("q", _l("Source")),
        Filter("state", _l("State"), "choice", words.options(words.IMPORTS)),
        Filter("scheme", _l("Scheme"), "choice", tuple(SCHEME_NAMES.items())),
        *DAYS,
    ),
    sortings=(("newest", _l("newest first")), ("waiting", _l("waiting ones first"))),
    kind="import_batch",
    empty=_l("Import a price table; each row gets an answer."),
)


@blueprint.get("/prices/imports")
@access("staff")
def imports() -> ResponseReturnValue:
    """List the price tables that were read, the newest first."""
    return lists.show(IMPORTS, "console/prices/imports.html")


CHANGES = Desk(
    name="price_changes",
    title=_l("What the editions changed"),
    endpoint="console_prices.changes",
    source=desks.price_changes,
    columns=(
        Column("goods", _l("Goods"), "link", make=lambda row: row.goods.replace("_", " ")),
        Column("scheme", _l("Scheme"), words={code: (name, "") for code, name in SCHEME_NAMES.items()}),
        *OLD_AND_NEW,
        Column("currency", _l("Currency")),
        Column("status", _l("State"), "state", words.PRICE_ROWS),
    ),
    filters=(
        Filter("q", _l("Goods")),
        Filter("scheme", _l("Scheme"), "choice", tuple(SCHEME_NAMES.items())),
        Filter("way", _l("Minimum price"), "choice", words.options(words.PRICE_WAYS)),
        Filter("status", _l("State"), "choice", words.options({code: words.PRICE_ROWS[code] for code in desks.EDITIONS})),
        *DAYS,
    ),
    kind="price_reference",
    lead=_l("Each row that differs from the row that was in force before it for the same goods, place and currency."),
    empty=_l("When a second edition of a table is read in, what it changes stands here."),
)


@blueprint.get("/prices/changes")
@access("staff")
def changes() -> ResponseReturnValue:
    """Show what each edition of a price table changed against the one before it."""
    return lists.show(CHANGES, "console/prices/changes.html")


@blueprint.get("/prices/<uuid:reference_id>")
@access("staff")
def reference(reference_id: UUID) -> ResponseReturnValue:
    """Show one row with what keeps it waiting, and what can be done about it."""
    return _reference_page(reference_id, {}, {})


def _reference_page(reference_id: UUID, form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        row = queries.reference(session, reference_id)
        labels = (row.entered_by, row.approved_by, row.confirmed_by)
        names = people.names_of_staff(session, labels, coop_id=current_coop())
        history = desks.history(session, "price_reference", reference_id)
    facts = {"row": row, "names": names, "schemes": SCHEMES, "me": current_actor().label, "history": history}
    page = render_template("console/prices/reference.html", form=form, errors=errors, **facts)
    return page, 422 if errors else 200


@blueprint.post("/prices/<uuid:reference_id>/correct")
@access("staff")
def correct(reference_id: UUID) -> ResponseReturnValue:
    """Enter a new row with what the old one lacks; only fields that were filled in change."""
    entry = Entry(request.form)
    changes: dict[str, Any] = {}
    for name in ("scheme", "incoterm", "relevant_market", "organic_rule", "source_name", "note"):
        if value := entry.text(name, required=False):
            changes[name] = value
    numbers = {name: entry.decimal(name, required=False) for name in _NUMBERS}
    days = {name: entry.day(name, required=False) for name in _DAYS}
    changes |= {name: given for name, given in (numbers | days).items() if given is not None}
    if not changes and not entry.errors:
        entry.errors["source_name"] = _("Fill in at least one field that is to change.")

    def command(session: Session) -> tuple[str, str]:
        new = service.correct_reference(session, reference_id=reference_id, changes=changes, actor=current_actor(), now=now())
        return _("Entered. A second person must approve it."), url_for("console_prices.reference", reference_id=new.id)

    return carry_out(
        entry, command, again=lambda: _reference_page(reference_id, dict(request.form), entry.errors), otherwise="source_name"
    )


@blueprint.post("/prices/<uuid:reference_id>/approve")
@access("approver")
def approve(reference_id: UUID) -> ResponseReturnValue:
    """Activate a row as the second person."""
    if question := _asked(reference_id, _("Let this row count?"), _("Yes, approve it")):
        return question
    with unit_of_work() as session:
        service.approve_reference(session, reference_id=reference_id, actor=current_actor(), now=now())
    return _done(_("The row is active."), reference_id)


@blueprint.post("/prices/<uuid:reference_id>/confirm")
@access("approver")
def confirm(reference_id: UUID) -> ResponseReturnValue:
    """Say that the row agrees with its source, naming the document where there is one."""
    document = request.form.get("document_hash", "").strip().lower()
    if question := _asked(reference_id, _("Does this row agree with its source?"), _("Yes, confirm it")):
        return question
    with unit_of_work() as session:
        service.confirm_reference(
            session, reference_id=reference_id, actor=current_actor(), now=now(), document_hash=document[:128]
        )
    return _done(_("The row is confirmed; from now on it decides."), reference_id)


def _asked(reference_id: UUID, question: str, button: str) -> ResponseReturnValue | None:
    """Ask once more, old and new values side by side: what decides about prices is taken back by a new row only."""
    with unit_of_work() as session:
        facts = price_changes.of_row(queries.change_of(session, reference_id))
    again = partial(_reference_page, reference_id, dict(request.form), {})
    return asked(question, facts, consequence(), button, again=again)


@blueprint.post("/prices/<uuid:reference_id>/reject")
@access("approver")
def reject(reference_id: UUID) -> ResponseReturnValue:
    """Set a waiting row aside."""
    reason = request.form.get("reason", "").strip()[:300] or "no reason given"
    with unit_of_work() as session:
        service.reject_reference(session, reference_id=reference_id, actor=current_actor(), now=now(), reason=reason)
    return _done(_("The row is set aside."), reference_id)


def _done(message: str, reference_id: UUID) -> ResponseReturnValue:
    flash(message, "success")
    return redirect(url_for("console_prices.reference", reference_id=reference_id), 303)
