"""Opening balances (E01): handed over as a file by one person, booked by another, and corrected one by one the same way."""

from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from market.api.openapi import Blueprint
from market.api.v1.schemas import opening as schemas
from market.api.v1.schemas.deciding import WordIn
from market.api.v1.schemas.producers import CreatedOut
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.i18n import told
from market.http.idempotency import once
from market.kernel.money import Money
from market.treasury import queries, service

blueprint = Blueprint("api_opening", __name__, description="What the former books of a co-op hand over")
READ, WRITE = "ledger:read", "ledger:write"


@blueprint.route("/opening-balances")
class Openings(MethodView):
    """What was handed over to the books of the caller's co-op."""

    @blueprint.response(200, schemas.OpeningsOut)
    @access("staff", scope=READ)
    def get(self) -> dict[str, Any]:
        """Return what was handed over and corrected, the newest first."""
        with unit_of_work() as session:
            return {"items": queries.openings(session, current_coop())}

    @blueprint.arguments(schemas.OpeningIn)
    @blueprint.response(201, CreatedOut)
    @access("preparer", scope=WRITE)
    def post(self, body: dict[str, Any]) -> Response:
        """Propose to open the books with a file's balances, once for a co-op; another person books them. Takes `Idempotency-Key`.

        The first row that cannot be taken over refuses the file.
        """
        body["body"] = body.pop("file")

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            made = service.propose_opening(session, actor=current_actor(), coop_id=current_coop(), now=now(), **body)
            return 201, {"id": str(made)}

        return once(request.get_json(), act)


@blueprint.route("/opening-balances/corrections")
class Corrections(MethodView):
    """Balances that were handed over wrongly."""

    @blueprint.arguments(schemas.OpeningCorrectionIn)
    @blueprint.response(201, CreatedOut)
    @access("preparer", scope=WRITE)
    def post(self, body: dict[str, Any]) -> Response:
        """Propose what one balance should have been; another person posts the difference. Takes `Idempotency-Key`.

        The two sides of the premium fund are corrected as one.
        """
        body |= {"code": body.pop("account"), "money": Money(**body.pop("amount"))}

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            made = service.propose_opening_correction(session, actor=current_actor(), coop_id=current_coop(), now=now(), **body)
            return 201, {"id": str(made)}

        return once(request.get_json(), act)


@blueprint.route("/opening-balances/<uuid:opening_id>")
class Opening(MethodView):
    """One file of balances, or one correction."""

    @blueprint.response(200, schemas.OpeningOut)
    @access("staff", scope=READ)
    def get(self, opening_id: UUID) -> dict[str, Any]:
        """Return it with every row, for whoever compares it with the former books."""
        with unit_of_work() as session:
            found = queries.opening(session, opening_id)
            lines = service.opening_lines(session, current_coop(), found.body, corrects=found.corrects)
            said = [replace(line, problem=line.problem and told(line.problem)) for line in lines]
            return asdict(found) | {"lines": said}


@blueprint.route("/opening-balances/<uuid:opening_id>/decide")
class OpeningWord(MethodView):
    """The second person's word."""

    @blueprint.arguments(WordIn)
    @blueprint.response(204)
    @access("approver", scope=WRITE)
    def post(self, body: dict[str, Any], opening_id: UUID) -> None:
        """Book the balances or the correction, or decline; not by whoever proposed it."""
        with unit_of_work() as session:
            service.decide_opening(session, actor=current_actor(), opening_id=opening_id, agreed=body["agreed"], now=now())


@blueprint.route("/opening-balances/<uuid:opening_id>/withdraw")
class OpeningWithdrawal(MethodView):
    """The end of one's own proposal."""

    @blueprint.response(204)
    @access("preparer", scope=WRITE)
    def post(self, opening_id: UUID) -> None:
        """Withdraw one's own proposal that nobody has decided; nobody else can."""
        with unit_of_work() as session:
            service.withdraw_opening(session, actor=current_actor(), opening_id=opening_id, now=now())
