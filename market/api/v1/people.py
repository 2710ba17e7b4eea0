"""Signing up and in, who I am, and API keys."""

from typing import Any
from uuid import UUID

from flask.views import MethodView
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from market.accounts import queries, service
from market.api.openapi import Blueprint
from market.api.v1.schemas import people as schemas
from market.http import login
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work

blueprint = Blueprint("api_people", __name__, description="People, sessions and API keys")


@blueprint.route("/accounts")
class Accounts(MethodView):
    """Signing up."""

    @blueprint.arguments(schemas.SignUpIn)
    @blueprint.response(202, schemas.SignUpOut)
    @blueprint.alt_response(429, description="Too many letters to this address, or asked for from one network address")
    @access("public")
    def post(self, body: dict[str, Any]) -> dict[str, str]:
        """Make an account and send a letter with the link that confirms the address.

        The answer is the same when the address has an account already; its owner is told by mail.
        """
        login.sign_up(**body)
        return {"detail": _("We have sent a letter to this address. Follow its link, then sign in.")}


@blueprint.route("/session")
class Session(MethodView):
    """Signing in and out."""

    @blueprint.arguments(schemas.SignInIn)
    @blueprint.response(200, schemas.SessionOut)
    @blueprint.alt_response(401, description="Wrong e-mail address or password, or the address is not confirmed yet")
    @blueprint.alt_response(429, description="Too many tries")
    @access("public")
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Sign in and set the session cookie."""
        login.sign_in(**body)
        return {"me": _me(), "csrf_token": generate_csrf()}

    @blueprint.response(204)
    @access("public")
    def delete(self) -> None:
        """Sign out here. Signing out twice changes nothing."""
        login.sign_out()


@blueprint.route("/session/all")
class Sessions(MethodView):
    """All sessions of the person."""

    @blueprint.response(204)
    @access("buyer")
    def delete(self) -> None:
        """Sign out everywhere."""
        with unit_of_work() as session:
            login.sign_out_everywhere(session, actor=current_actor())
        login.sign_out()


@blueprint.route("/session/coop")
class ChosenCoop(MethodView):
    """The co-op that the person works for in this session."""

    @blueprint.arguments(schemas.ChooseCoopIn)
    @blueprint.response(200, schemas.MeOut)
    @access("buyer")
    def put(self, body: dict[str, Any]) -> dict[str, Any]:
        """Choose among the co-ops that the person has to do with; any other is not found."""
        with unit_of_work() as session:
            login.choose_coop(session, actor=current_actor(), coop_id=body["coop_id"])
        return _me()


@blueprint.route("/me")
class Me(MethodView):
    """The caller."""

    @blueprint.response(200, schemas.MeOut)
    @access("buyer", scope="account:read")
    def get(self) -> dict[str, Any]:
        """Return who calls."""
        return _me()

    @blueprint.arguments(schemas.ProfileIn)
    @blueprint.response(200, schemas.MeOut)
    @access("buyer", scope="account:write")
    def put(self, body: dict[str, Any]) -> dict[str, Any]:
        """Change the caller's name and the language of letters."""
        with unit_of_work() as session:
            service.update_profile(session, actor=current_actor(), now=now(), **body)
        return _me()


@blueprint.route("/api-keys")
class ApiKeys(MethodView):
    """The caller's keys."""

    @blueprint.response(200, schemas.ApiKeysOut)
    @access("buyer", scope="account:read")
    def get(self) -> dict[str, Any]:
        """Return the caller's keys, newest first, without their secrets."""
        with unit_of_work() as session:
            return {"items": queries.api_keys(session, actor=current_actor())}

    @blueprint.arguments(schemas.ApiKeyIn)
    @blueprint.response(201, schemas.NewApiKeyOut)
    @access("buyer", scope="account:write")
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Make a key. Its text is in this answer and nowhere else."""
        with unit_of_work() as session:
            issued = service.issue_api_key(session, actor=current_actor(), now=now(), **body)
        return {"id": issued.id, "key": issued.text, "expires_at": issued.expires_at}


@blueprint.route("/api-keys/<uuid:key_id>")
class ApiKey(MethodView):
    """One key."""

    @blueprint.response(204)
    @access("buyer", scope="account:write")
    def delete(self, key_id: UUID) -> None:
        """End a key at once."""
        with unit_of_work() as session:
            service.revoke_api_key(session, actor=current_actor(), key_id=key_id, now=now())


def _me() -> dict[str, Any]:
    actor = current_actor()
    assert actor.account_id is not None
    with unit_of_work() as session:
        person = queries.person(session, actor.account_id)
        return {
            "account_id": person.id,
            "email": person.email,
            "name": person.name,
            "locale": person.locale,
            "roles": sorted(actor.roles),
            "coop_id": actor.coop_id,
            "producer_id": actor.producer_id,
            "scopes": None if actor.scopes is None else sorted(actor.scopes),
            "coops": login.coops_of(session, actor=actor),
        }
