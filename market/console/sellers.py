"""The report of the sellers to the tax office: who is in it, what it lacks, and the file of a year."""

from itertools import islice
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from market.console import lists
from market.http import forms
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import session_for, unit_of_work
from market.http.entry import Entry
from market.http.sellers import identity as form_of
from market.kernel.errors import DomainError
from market.producers import queries as producers
from market.producers import service
from market.producers.rules import Identity, missing_facts
from market.reports.queries import sellers

blueprint = Blueprint("console_sellers", __name__, url_prefix="/console/sellers")
SHOWN = 200


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """Show the sellers of a year and what is missing about each; `format=csv` and `format=xlsx` give the report."""
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
        this = today(coop.time_zone).year
        years = [f"{year}" for year in range(this, this - 6, -1)]
        entry = Entry(request.args)
        chosen = entry.choice("year", years, default=years[0])
        year = int(chosen if chosen in years else years[0])
        wanted = request.args.get("format", "")
        only = request.args.get("missing") == "yes"
        found = sellers.sellers(session, coop_id=coop.id, year=year)
        shown = [] if wanted else list(islice((one for one in found if one.missing or not only), SHOWN + 1))
    if wanted in ("csv", "xlsx"):
        return lists.file(
            f"sellers-{year}", wanted, sellers.HEADINGS, sellers.report(session_for(coop.id), coop_id=coop.id, year=year)
        )
    return render_template(
        "console/sellers.html",
        years=years,
        year=year,
        only=only,
        rows=shown[:SHOWN],
        more=len(shown) > SHOWN,
        errors=entry.errors,
    )


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
        row = producers.member(session, coop_id=current_coop(), producer_id=producer_id)
        known = producers.identities(session, [producer_id]).get(producer_id, Identity())
        lacks = missing_facts(known, has_account=producers.reportable_account(session, producer_id))
    page = render_template(
        "console/identity.html", row=row, form=request.form if errors else known, errors=errors or {}, missing=lacks
    )
    return page, 422 if errors else 200
