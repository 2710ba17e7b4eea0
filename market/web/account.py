"""A person's own page: name and language, co-ops, sessions, API keys."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from market.accounts import queries, service
from market.accounts.rules import SCOPES
from market.http import forms, i18n, login
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.kernel.errors import DomainError
from market.kernel.languages import NAMES

blueprint = Blueprint("account", __name__, url_prefix="/account")
KEY_LIVES = (30, 90, 365)


@blueprint.get("")
@access("buyer")
def home() -> ResponseReturnValue:
    """Show the person's page."""
    return _page()


@blueprint.get("/begin")
@access("buyer")
def begin() -> ResponseReturnValue:
    """Lead somebody who signed in to where they work; who buys, to the front page."""
    actor = current_actor()
    if actor.is_staff:
        return redirect(url_for("console.home"), 303)
    if actor.producer_id:
        return redirect(url_for("producer_home.index"), 303)
    return redirect(url_for("console_coops.all_coops" if "admin" in actor.roles else "shop.home"), 303)


@blueprint.post("/profile")
@access("buyer")
def profile() -> ResponseReturnValue:
    """Change name and language."""
    try:
        with unit_of_work() as session:
            service.update_profile(
                session,
                actor=current_actor(),
                name=forms.text(request.form, "name"),
                locale=forms.text(request.form, "locale"),
                now=now(),
            )
    except DomainError as error:
        return _page(forms.field_errors(error))
    i18n.remember(forms.text(request.form, "locale"))
    flash(_("Your profile is saved."), "good")
    return redirect(url_for("account.home"), 303)


@blueprint.post("/coop")
@access("buyer")
def coop() -> ResponseReturnValue:
    """Work for another of one's co-ops from here on."""
    coop_id = forms.uuid(request.form, "coop_id")
    if coop_id is not None:
        with unit_of_work() as session:
            login.choose_coop(session, actor=current_actor(), coop_id=coop_id)
        flash(_("You work for this co-op now."), "good")
    return redirect(url_for("account.home"), 303)


@blueprint.post("/sign-out-everywhere")
@access("buyer")
def sign_out_everywhere() -> ResponseReturnValue:
    """End every session of the person."""
    with unit_of_work() as session:
        login.sign_out_everywhere(session, actor=current_actor())
    login.sign_out()
    flash(_("You are signed out on every device."), "good")
    return redirect(url_for("security.login"), 303)


@blueprint.post("/keys")
@access("buyer")
def make_key() -> ResponseReturnValue:
    """Make an API key and show its text this once: the page that shows it is never stored or repeated."""
    try:
        days = forms.whole(request.form, "days", default="30")
        with unit_of_work() as session:
            issued = service.issue_api_key(
                session,
                actor=current_actor(),
                label=forms.text(request.form, "label"),
                scopes=request.form.getlist("scopes"),
                expires_at=now() + timedelta(days=days),
                now=now(),
            )
    except DomainError as error:
        return _page(forms.field_errors(error))
    return render_template("account/new_key.html", issued=issued)


@blueprint.post("/keys/<uuid:key_id>/revoke")
@access("buyer")
def revoke_key(key_id: UUID) -> ResponseReturnValue:
    """End a key at once."""
    with unit_of_work() as session:
        service.revoke_api_key(session, actor=current_actor(), key_id=key_id, now=now())
    flash(_("The key is revoked; it opens nothing any more."), "good")
    return redirect(url_for("account.home") + "#keys", 303)


def _page(errors: dict[str, str] | None = None) -> ResponseReturnValue:
    actor = current_actor()
    assert actor.account_id is not None
    with unit_of_work() as session:
        person = queries.person(session, actor.account_id)
        keys = queries.api_keys(session, actor=actor)
        coops = login.coops_of(session, actor=actor)
    typed = request.form if errors else {"name": person.name, "locale": person.locale}
    page = render_template(
        "account/home.html",
        person=person,
        keys=keys,
        coops=coops,
        actor=actor,
        scopes=[(scope, scope) for scope in sorted(SCOPES)],
        languages=tuple(NAMES.items()),
        lives=KEY_LIVES,
        form=typed,
        chosen_scopes=request.form.getlist("scopes"),
        errors=errors or {},
        now=now(),
    )
    return page, 422 if errors else 200
