"""Changes of paid orders over the API: less, more, or something else instead, until they are sent."""

from typing import Any
from uuid import UUID

from flask import Response, current_app, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from market.api.openapi import Blueprint
from market.api.v1.orders import payment_url, placed_out
from market.api.v1.schemas import orders as schemas
from market.http import card_page
from market.http.auth import access, current_actor
from market.http.buyers import caller
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.idempotency import once
from market.orders import change_queries as changes
from market.orders import queries, service

blueprint = Blueprint("api_order_changes", __name__, description="Changes of paid orders")


@blueprint.route("/orders/<uuid:order_id>/parts/<uuid:seller_order_id>/changes")
class Changes(MethodView):
    """What the buyer wants otherwise."""

    @blueprint.arguments(schemas.OrderQuery, location="query")
    @blueprint.arguments(schemas.ChangeIn)
    @blueprint.response(201, schemas.ChangedOut)
    @access("public")
    def post(self, query: dict[str, Any], body: dict[str, Any], order_id: UUID, seller_order_id: UUID) -> Response:
        """Change quantities before the part is sent; needs `Idempotency-Key`.

        Less goes back the way it was paid. More is a further order: for cards `more.payment_url` is its hosted page.
        """
        with unit_of_work() as session:
            view = card_page.own_order(session, order_id, query["key"])

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            changed = service.change_part(
                session, actor=current_actor(), order_id=order_id, seller_order_id=seller_order_id,
                quantities={line["line_id"]: line["quantity"] for line in body["lines"]}, now=now(), caller=caller(),
            )  # fmt: skip
            refund_id = str(changed.refund_id) if changed.refund_id else None
            return 201, {"refund_id": refund_id, "more": placed_out(changed.more) if changed.more else None}

        response = once({"part": str(seller_order_id)} | request.get_json(), act, guest=view.email)
        answer = response.get_json()
        if response.status_code == 201 and answer["more"] and view.method == "card":
            answer["more"]["payment_url"] = payment_url(UUID(answer["more"]["id"]), UUID(answer["more"]["payment_id"]))
            response.set_data(current_app.json.dumps(answer))
        return response


@blueprint.route("/seller-orders/<uuid:seller_order_id>/substitutes")
class Substitutes(MethodView):
    """What a producer would send instead."""

    @blueprint.arguments(schemas.SubstituteIn)
    @blueprint.response(201, schemas.SubstituteOut)
    @access("producer", "staff", scope="orders:write")
    def post(self, body: dict[str, Any], seller_order_id: UUID) -> changes.Offer:
        """Ask the buyer whether something else may be sent; a new question takes the place of the one before."""
        with unit_of_work() as session:
            asked = service.propose_substitution(
                session, actor=current_actor(), seller_order_id=seller_order_id, now=now(), **body
            )
            session.flush()
            return changes.substitution(session, asked)


@blueprint.route("/orders/<uuid:order_id>/substitutes")
class OrderSubstitutes(MethodView):
    """The questions to the buyer."""

    @blueprint.arguments(schemas.OrderQuery, location="query")
    @blueprint.response(200, schemas.SubstitutesOut)
    @access("public", scope="orders:read")
    def get(self, query: dict[str, Any], order_id: UUID) -> dict[str, Any]:
        """List what producers would send instead, oldest first."""
        with unit_of_work() as session:
            view = card_page.own_order(session, order_id, query["key"])
            return {"items": changes.substitutions(session, [part.id for part in view.parts])}


@blueprint.route("/orders/<uuid:order_id>/substitutes/<uuid:substitution_id>")
class OrderSubstitute(MethodView):
    """The buyer's answer."""

    @blueprint.arguments(schemas.OrderQuery, location="query")
    @blueprint.arguments(schemas.AnswerIn)
    @blueprint.response(200, schemas.OrderOut)
    @access("public")
    def put(self, query: dict[str, Any], body: dict[str, Any], order_id: UUID, substitution_id: UUID) -> queries.OrderView:
        """Say yes or no; the same answer again changes nothing."""
        with unit_of_work() as session:
            card_page.own_order(session, order_id, query["key"])
            service.answer_substitution(
                session, actor=current_actor(), order_id=order_id, substitution_id=substitution_id,
                accept=body["accept"], now=now(),
            )  # fmt: skip
            session.flush()
            session.expire_all()
            return queries.order(session, order_id)
