"""The report of the sellers to the tax office: who is in it, what it lacks, and the file of a year."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import lists
from market.console.lists import Column, Desk, Filter
from market.http import forms
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import session_for, unit_of_work
from market.http.sellers import identity as form_of
from market.kernel.errors import DomainError
from market.producers import queries as producers
from market.producers import service
from market.producers.rules import Identity, missing_facts
from market.reports.queries import desks, sellers
from market.reports.queries.lists import Line

blueprint = Blueprint("console_sellers", __name__, url_prefix="/console/sellers")
YEARS = 6
"""This year and so many before it less one: what the tax office may still ask for."""


def _pane(session: Session, producer_id: UUID) -> dict[str, Any]:
    row = producers.member(session, coop_id=current_coop(), producer_id=producer_id)
    known = producers.identities(session, [producer_id]).get(producer_id, Identity())
    lacks = missing_facts(known, has_account=producers.reportable_account(session, producer_id))
    return {"row": row, "lacks": lacks, "history": desks.history(session, "producer", producer_id)}


DESK = Desk(
    name="sellers",
    title=_l("Report of sellers"),
    endpoint="console_sellers.index",
    source=partial(sellers.listed, year=2000),
    columns=(
        Column("number", _l("Number"), "number"),
        Column("name", _l("Name"), "link"),
        Column("sales", _l("Sales"), "number", make=lambda row: None),
        Column("total", _l("Paid or credited"), "number", make=lambda row: None),
        Column("lacks", _l("Missing"), "state", make=lambda row: None),
    ),
    filters=(
        Filter("q", _l("Name or number")),
        Filter("year", _l("Year"), "choice"),
        Filter("missing", _l("Show"), "choice", (("yes", _l("who lacks something")), ("no", _l("who is complete")))),
    ),
    sortings=(("number", _l("by number")), ("name", _l("by name"))),
    pane=_pane,
    lead=_l(
        "What the tax office asks of a platform about each seller and year (DAC7). Nothing is filled in for you: what is missing"
        " stands here as work to do. The files are the report itself."
    ),
    empty=_l("Nobody earned anything in this year"),
    counted=False,
)


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """Show the sellers of a year and what is missing about each; `format=csv` and `format=xlsx` give the report."""
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
    this = today(coop.time_zone).year
    years = [f"{year}" for year in range(this, this - YEARS, -1)]
    chosen = request.args.get("year", "")
    year = int(chosen if chosen in years else years[0])
    if (wanted := request.args.get("format", "")) in ("csv", "xlsx"):
        rows = sellers.report(session_for(coop.id), coop_id=coop.id, year=year)
        return lists.file(f"sellers-{year}", wanted, sellers.HEADINGS, rows)
    choice = replace(DESK.filters[1], options=[(each, each) for each in years], default=years[0])

    def figures(session: Session, rows: Sequence[Line]) -> dict[str, Any]:
        ids = [row.id for row in rows]
        known = producers.identities(session, ids)
        paid = {one.producer_id for one in producers.live_accounts(session, ids) if one.iban or one.stripe_account}
        lacks = {each: missing_facts(known.get(each, Identity()), has_account=each in paid) for each in ids}
        return {"years": sellers.of_page(session, coop_id=coop.id, year=year, ids=ids), "lacks_of": lacks}

    filters = (DESK.filters[0], choice, *DESK.filters[2:])
    desk = replace(DESK, source=partial(sellers.listed, year=year), filters=filters, beside=figures)
    return lists.show(desk, "console/sellers.html")


@blueprint.get("/<uuid:producer_id>")
@access("staff")
def identity(producer_id: UUID) -> ResponseReturnValue:
    """Show what the tax office asks about a member, what is known of it and what is missing."""
    return _identity(producer_id)


@blueprint.post("/<uuid:producer_id>")
@access("staff")
def enter_identity(producer_id: UUID) -> ResponseReturnValue:
    """Record what a member has shown on paper."""
    try:
        with unit_of_work() as session:
            typed = form_of(request.form)
            service.enter_identity(session, actor=current_actor(), producer_id=producer_id, identity=typed, now=now())
    except DomainError as error:
        return _identity(producer_id, forms.field_errors(error))
    flash(_("Saved."), "good")
    return redirect(url_for("console_sellers.identity", producer_id=producer_id), 303)


def _identity(producer_id: UUID, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    with unit_of_work() as session:
        facts = _pane(session, producer_id)
        known = producers.identities(session, [producer_id]).get(producer_id, Identity())
    page = render_template("console/identity.html", form=request.form if errors else known, errors=errors or {}, **facts)
    return page, 422 if errors else 200
