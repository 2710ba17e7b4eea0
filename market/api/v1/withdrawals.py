"""Withdrawals of lots over the API: what one would do, the act, and taking it back. For the staff of a co-op."""

from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from market.api.openapi import Blueprint
from market.api.v1.schemas import withdrawals as schemas
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.idempotency import once
from market.orders import service
from market.provenance import queries
from market.provenance import withdrawal_queries as withdrawals
from market.reports.queries.withdrawals import at_stake, reached

blueprint = Blueprint("withdrawals", __name__, url_prefix="/lots", description="Lots that are withdrawn")


@blueprint.route("/<uuid:lot_id>/withdrawal")
class Withdrawal(MethodView):
    """The withdrawal of a lot."""

    @blueprint.response(200, schemas.LotStandingOut)
    @access("staff", scope="provenance:write")
    def get(self, lot_id: UUID) -> dict[str, Any]:
        """Return the withdrawals of a lot, whose orders they reached, and what hangs on it and on what was made from it now."""
        with unit_of_work() as session:
            lot = queries.own_lot(session, lot_id, actor=current_actor())
            made = [each for each in queries.lineage(session, lot_id, down=True).lots.values() if each.id != lot.id]
            found = withdrawals.withdrawals_of(session, lot_id)
            return {
                "withdrawals": [schemas.shown(view, reached(session, view.id)) for view in found],
                "made_from_it": sorted(made, key=lambda each: (each.recorded_at, each.slug)),
                "at_stake": at_stake(session, [lot.id, *(each.id for each in made)]),
            }

    @blueprint.arguments(schemas.WithdrawalIn)
    @blueprint.response(201, schemas.WithdrawalOut)
    @access("staff", scope="provenance:write")
    def post(self, body: dict[str, Any], lot_id: UUID) -> Response:
        """Withdraw a lot, with what was made from it. Takes `Idempotency-Key`.

        Its offers leave the shop at once; orders follow within moments: unpaid ones are cancelled, what is paid and not sent is
        paid back, buyers and producers are told.
        """

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            made = {UUID(key) for key in queries.lineage(session, lot_id, down=True).lots} - {lot_id}
            facts: dict[str, Any] = {"reason": body["reason"], "advice": body["advice"]}
            with_lots = body.get("with_lots", made)
            view = service.withdraw_lot(session, actor=current_actor(), lot_id=lot_id, with_lots=with_lots, now=now(), **facts)
            return 201, schemas.WithdrawalOut().dump(schemas.shown(view, []))

        return once(request.get_json(), act, required=False)


@blueprint.post("/<uuid:lot_id>/withdrawal/end")
@blueprint.arguments(schemas.WithdrawalEndIn)
@blueprint.response(200, schemas.WithdrawalOut)
@access("staff", scope="provenance:write")
def end(body: dict[str, Any], lot_id: UUID) -> Response:
    """Take back the withdrawal that names this lot; its offers have to be published again. Takes `Idempotency-Key`."""

    def act(session: Session) -> tuple[int, dict[str, Any]]:
        view = service.take_back_withdrawal(session, actor=current_actor(), lot_id=lot_id, reason=body["reason"], now=now())
        return 200, schemas.WithdrawalOut().dump(schemas.shown(view, reached(session, view.id)))

    return once(request.get_json(), act, required=False)
