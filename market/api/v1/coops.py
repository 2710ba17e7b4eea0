"""Co-ops, and who holds which role in them."""

from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from market.accounts import queries as accounts
from market.accounts import service as accounts_service
from market.api.openapi import Blueprint
from market.api.v1.schemas import producers as schemas
from market.http import login
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.idempotency import once
from market.producers import queries, service
from market.producers.service import CoopTerms

blueprint = Blueprint("api_coops", __name__, description="Co-ops and roles")


@blueprint.route("/coops")
class Coops(MethodView):
    """All co-ops."""

    @blueprint.response(200, schemas.CoopsOut)
    @access("public")
    def get(self) -> dict[str, Any]:
        """Return all co-ops by name."""
        with unit_of_work() as session:
            return {"items": queries.coops(session)}

    @blueprint.arguments(schemas.CoopIn)
    @blueprint.response(201, schemas.CreatedOut)
    @access("admin", scope="coops:write")
    def post(self, body: dict[str, Any]) -> Response:
        """Open a co-op with its book. Takes `Idempotency-Key`."""
        slug, currency = body.pop("slug"), body.pop("currency")

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            coop_id = service.create_coop(
                session, actor=current_actor(), terms=CoopTerms(**body), currency=currency, slug=slug, now=now()
            )
            return 201, {"id": str(coop_id)}

        return once(request.get_json(), act, required=False)


@blueprint.route("/coops/<uuid:coop_id>")
class Coop(MethodView):
    """One co-op."""

    @blueprint.response(200, schemas.CoopOut)
    @access("public")
    def get(self, coop_id: UUID) -> queries.CoopView:
        """Return a co-op."""
        with unit_of_work() as session:
            return queries.coop(session, coop_id)

    @blueprint.arguments(schemas.CoopTermsIn)
    @blueprint.response(200, schemas.CoopOut)
    @access("approver", "admin", scope="coops:write")
    def put(self, body: dict[str, Any], coop_id: UUID) -> queries.CoopView:
        """Change what a co-op says of itself and charges; placed orders keep their terms."""
        with unit_of_work() as session:
            service.update_coop(session, actor=current_actor(), coop_id=coop_id, terms=CoopTerms(**body), now=now())
            return queries.coop(session, coop_id)


@blueprint.route("/coops/<uuid:coop_id>/roles")
class Roles(MethodView):
    """Who works for a co-op."""

    @blueprint.response(200, schemas.RolesOut)
    @access("admin", scope="coops:read")
    def get(self, coop_id: UUID) -> dict[str, Any]:
        """Return who holds which role for a co-op."""
        with unit_of_work() as session:
            queries.coop(session, coop_id)
            return {"items": accounts.grants(session, coop_id=coop_id)}

    @blueprint.arguments(schemas.RoleIn)
    @blueprint.response(201, schemas.RolesOut)
    @access("admin", scope="coops:write")
    def post(self, body: dict[str, Any], coop_id: UUID) -> dict[str, Any]:
        """Give somebody a role; who has no account gets one and a letter to set a password."""
        with unit_of_work() as session:
            queries.coop(session, coop_id)
            account_id = login.open_account(
                session, email=body["email"], name=body["name"] or body["email"], locale=body["locale"], now=now()
            )
            accounts_service.grant_role(
                session, actor=current_actor(), account_id=account_id, role=body["role"], coop_id=coop_id, now=now()
            )
            return {"items": [grant for grant in accounts.grants(session, coop_id=coop_id) if grant.account_id == account_id]}


@blueprint.route("/roles/<uuid:grant_id>")
class Role(MethodView):
    """One role of somebody."""

    @blueprint.response(204)
    @access("admin", scope="coops:write")
    def delete(self, grant_id: UUID) -> None:
        """Take a role away."""
        with unit_of_work() as session:
            accounts_service.revoke_role(session, actor=current_actor(), grant_id=grant_id, now=now())
