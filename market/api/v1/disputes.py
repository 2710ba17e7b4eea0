"""Card disputes over the API: list, answer once, name who bears what was lost."""

from typing import Any
from uuid import UUID

from flask import current_app
from flask.views import MethodView
from sqlalchemy.orm import Session

from market.api.openapi import Blueprint
from market.api.v1.schemas import disputes as schemas
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.orders import service as orders
from market.orders.dispute_queries import bearings
from market.payments import dispute_queries as queries
from market.payments import service

blueprint = Blueprint("api_disputes", __name__, description="Card disputes", url_prefix="/disputes")


def _out(session: Session, row: queries.DisputeView) -> dict[str, Any]:
    names = ("id", "payment_id", "provider_ref", "state", "reason", "money")
    days = ("opened_at", "evidence_due_at", "submitted_at", "closed_at")
    return {name: getattr(row, name) for name in names + days} | {"bearings": list(bearings(session, row.id).values())}


@blueprint.route("")
class Disputes(MethodView):
    """The disputes about payments to the caller's co-op."""

    @blueprint.response(200, schemas.DisputesOut)
    @access("staff", scope="orders:read")
    def get(self) -> dict[str, Any]:
        """List disputes: what waits for an answer first, then the newest."""
        with unit_of_work() as session:
            return {"items": [_out(session, row) for row in queries.disputes(session, coop_id=current_coop())]}


@blueprint.route("/<uuid:dispute_id>")
class Dispute(MethodView):
    """One dispute."""

    @blueprint.response(200, schemas.DisputeOut)
    @access("staff", scope="orders:read")
    def get(self, dispute_id: UUID) -> dict[str, Any]:
        """Return a dispute and who bears what it took."""
        with unit_of_work() as session:
            return _out(session, queries.dispute(session, dispute_id, coop_id=current_coop()))


@blueprint.route("/<uuid:dispute_id>/evidence")
class Evidence(MethodView):
    """The co-op's answer."""

    @blueprint.arguments(schemas.EvidenceIn)
    @blueprint.response(200, schemas.DisputeOut)
    @access("approver", scope="orders:write")
    def post(self, body: dict[str, Any], dispute_id: UUID) -> dict[str, Any]:
        """Send the evidence to the card company; a second answer is refused."""
        with unit_of_work() as session:
            queries.dispute(session, dispute_id, coop_id=current_coop())
        cards = current_app.extensions["ports"].cards
        service.submit_evidence(
            unit_of_work, cards, dispute_id=dispute_id, text=body["evidence"], actor=current_actor(), now=now()
        )
        with unit_of_work() as session:
            return _out(session, queries.dispute(session, dispute_id, coop_id=current_coop()))


@blueprint.route("/<uuid:dispute_id>/bearers")
class Bearers(MethodView):
    """Who bears a lost dispute."""

    @blueprint.arguments(schemas.BearerIn)
    @blueprint.response(201, schemas.DisputeOut)
    @access("approver", scope="orders:write")
    def post(self, body: dict[str, Any], dispute_id: UUID) -> dict[str, Any]:
        """Say once who bears what the dispute took of one seller order; a repeat is refused."""
        with unit_of_work() as session:
            found = queries.dispute(session, dispute_id, coop_id=current_coop())
            orders.bear_dispute(session, actor=current_actor(), dispute_id=dispute_id, now=now(), **body)
            return _out(session, found)
