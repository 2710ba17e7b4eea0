"""Co-ops: their own description and charges (approvers), and opening them and giving roles (administrators)."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from market.accounts import queries as accounts
from market.accounts import service as accounts_service
from market.console import lists
from market.console.lists import Column, Desk, Filter
from market.http import forms, login, own_texts
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.i18n import country_name, show_typed
from market.kernel.errors import DomainError
from market.kernel.money import Money
from market.producers import queries, service
from market.producers.service import CoopTerms
from market.reports.queries import desks

blueprint = Blueprint("console_coops", __name__)
_TEXTS = (
    "name", "region", "time_zone", "language", "story", "account_holder", "iban", "bic", "street", "building", "town", "postcode",
)  # fmt: skip


def _terms(form: Mapping[str, str], currency: str) -> CoopTerms:
    return CoopTerms(
        **{name: forms.text(form, name) for name in _TEXTS},
        country=forms.text(form, "country").upper(),
        service_pct=forms.number(form, "service_pct"),
        payment_pct=forms.number(form, "payment_pct"),
        tax_pct=forms.number(form, "tax_pct"),
        transport_minor_per_line=forms.amount(form, "transport_per_line", currency).minor,
        transfer_hold_days=forms.whole(form, "transfer_hold_days"),
        part_paid_days=forms.whole(form, "part_paid_days"),
        book_alone_minor=forms.amount(form, "book_alone", currency).minor,
        charge_when_packed=bool(form.get("charge_when_packed")),
        delivery_from_days=forms.whole(form, "delivery_from_days"),
        delivery_to_days=forms.whole(form, "delivery_to_days"),
        latitude=forms.number(form, "latitude", grouped=False) if forms.text(form, "latitude") else None,
        longitude=forms.number(form, "longitude", grouped=False) if forms.text(form, "longitude") else None,
    )


@blueprint.get("/console/coop")
@access("staff")
def own() -> ResponseReturnValue:
    """Show what the co-op says of itself and charges."""
    return _own()


@blueprint.post("/console/coop")
@access("approver")
def save_own() -> ResponseReturnValue:
    """Change what the co-op says of itself and charges; placed orders keep their terms."""
    try:
        with unit_of_work() as session:
            terms = _terms(request.form, queries.coop(session, current_coop()).currency)
            service.update_coop(session, actor=current_actor(), coop_id=current_coop(), terms=terms, now=now())
    except DomainError as error:
        return _own(forms.field_errors(error))
    flash(_("The co-op is saved. Orders placed until now keep their terms."), "good")
    return redirect(url_for("console_coops.own"), 303)


def _own(errors: dict[str, str] | None = None) -> ResponseReturnValue:
    with unit_of_work() as session:
        coop = queries.coop(session, current_coop())
        staff = accounts.grants(session, coop_id=current_coop())
        history = desks.history(session, "coop", coop.id)
    page = render_template(
        "console/coop.html",
        coop=coop,
        staff=staff,
        history=history,
        actor=current_actor(),
        form={**request.form.to_dict(), "currency": coop.currency} if errors else _drawn(coop),
        errors=errors or {},
    )
    return page, 422 if errors else 200


def _drawn(coop: queries.CoopView) -> dict[str, Any]:
    amounts = {"transport_per_line": coop.transport_minor_per_line, "book_alone": coop.book_alone_minor}
    numbers = {name: show_typed(value) for name, value in asdict(coop).items() if isinstance(value, Decimal)}
    return asdict(coop) | numbers | {name: f"{Money(minor, coop.currency).decimal:f}" for name, minor in amounts.items()}


@blueprint.get("/console/coop/texts")
@access("approver")
def texts() -> ResponseReturnValue:
    """Show the co-op's story in the languages that there are, to add more."""
    return _texts({})


@blueprint.post("/console/coop/texts")
@access("approver")
def save_texts() -> ResponseReturnValue:
    """Keep the co-op's own translations of its story."""
    then = url_for("console_coops.own")
    return own_texts.keep(service.set_coop_texts, {"coop_id": current_coop()}, again=_texts, then=then)


def _texts(errors: Mapping[str, str]) -> str:
    with unit_of_work() as session:
        coop = queries.coop(session, current_coop())
        stored = queries.own_texts(session, "coop", [coop.id])[coop.id]
    return own_texts.show(stored, errors, back=url_for("console_coops.own"), body=coop.story)


COOPS = Desk(
    name="coops",
    title=_l("All co-ops"),
    endpoint="console_coops.all_coops",
    source=desks.coops,
    columns=(
        Column("name", _l("Name"), "link"),
        Column("slug", _l("Address"), make=lambda row: f"/coops/{row.slug}"),
        Column("country", _l("Country"), make=lambda row: country_name(row.country)),
        Column("region", _l("Region")),
        Column("currency", _l("Currency")),
    ),
    filters=(
        Filter("q", _l("Name, address or region")),
        Filter("country", _l("Code of the country")),
        Filter("currency", _l("Currency")),
    ),
    kind="coop",
    empty=_l("Open the first one."),
)


@blueprint.get("/admin")
@access("admin")
def all_coops() -> ResponseReturnValue:
    """List the co-ops of the site."""
    return lists.show(COOPS, "admin/coops.html")


@blueprint.get("/admin/coops/new")
@access("admin")
def new_coop() -> ResponseReturnValue:
    """Show the form that opens a co-op."""
    return render_template("admin/new_coop.html", form={"time_zone": "UTC", "language": "en"}, errors={})


@blueprint.post("/admin/coops/new")
@access("admin")
def create_coop() -> ResponseReturnValue:
    """Open a co-op with its book."""
    typed = request.form
    currency = forms.text(typed, "currency").upper()
    try:
        with unit_of_work() as session:
            coop_id = service.create_coop(
                session,
                actor=current_actor(),
                terms=_terms(typed, currency),
                currency=currency,
                slug=forms.text(typed, "slug"),
                now=now(),
            )
    except DomainError as error:
        return render_template("admin/new_coop.html", form=typed, errors=forms.field_errors(error)), 422
    flash(_("The co-op is open. Give somebody a role in it."), "good")
    return redirect(url_for("console_coops.coop", coop_id=coop_id), 303)


@blueprint.get("/admin/coops/<uuid:coop_id>")
@access("admin")
def coop(coop_id: UUID) -> ResponseReturnValue:
    """Show a co-op and who works for it."""
    return _coop(coop_id)


@blueprint.post("/admin/coops/<uuid:coop_id>/roles")
@access("admin")
def grant(coop_id: UUID) -> ResponseReturnValue:
    """Give somebody a role; who has no account is invited."""
    typed = request.form
    try:
        with unit_of_work() as session:
            coop = queries.coop(session, coop_id)
            email = forms.text(typed, "email")
            name = forms.text(typed, "name") or email
            account_id = login.open_account(session, email=email, name=name, locale=coop.language, now=now())
            accounts_service.grant_role(
                session, actor=current_actor(), account_id=account_id, role=forms.text(typed, "role"), coop_id=coop_id, now=now()
            )
    except DomainError as error:
        return _coop(coop_id, forms.field_errors(error))
    flash(_("The role is given."), "good")
    return redirect(url_for("console_coops.coop", coop_id=coop_id), 303)


@blueprint.post("/admin/coops/<uuid:coop_id>/roles/<uuid:grant_id>/revoke")
@access("admin")
def revoke(coop_id: UUID, grant_id: UUID) -> ResponseReturnValue:
    """Take a role away."""
    with unit_of_work() as session:
        accounts_service.revoke_role(session, actor=current_actor(), grant_id=grant_id, now=now())
    flash(_("The role is taken away."), "good")
    return redirect(url_for("console_coops.coop", coop_id=coop_id), 303)


def _coop(coop_id: UUID, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    with unit_of_work() as session:
        view = queries.coop(session, coop_id)
        staff = accounts.grants(session, coop_id=coop_id)
    page = render_template("admin/coop.html", coop=view, staff=staff, form=request.form if errors else {}, errors=errors or {})
    return page, 422 if errors else 200
