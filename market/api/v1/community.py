"""A community currency: opened by two persons, held by members within limits, paid from one to another (solidarity.md 6)."""

from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from market.api.openapi import Blueprint
from market.api.v1.schemas import community as schemas
from market.api.v1.schemas.deciding import WordIn
from market.api.v1.schemas.orders import OrderQuery
from market.api.v1.schemas.producers import CreatedOut
from market.http import card_page
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.idempotency import once
from market.kernel.money import Money
from market.orders import tender_queries
from market.treasury import community_queries as queries
from market.treasury import service
from market.treasury.errors import NotOpen

blueprint = Blueprint("api_community", __name__, description="The community currency of a co-op's members")
HOLDERS = ("proposed", "open", "left")


@blueprint.route("/community-currency")
class Currency(MethodView):
    """The scheme of the caller's co-op and who holds its unit."""

    @blueprint.response(200, schemas.CurrencyOut)
    @access("staff", scope="community:read")
    def get(self) -> dict[str, Any]:
        """Return the scheme and all holders with what they have."""
        with unit_of_work() as session:
            found = queries.scheme(session, current_coop())
            return {"scheme": found, "holders": queries.holders(session, current_coop(), states=HOLDERS)}

    @blueprint.arguments(schemas.SchemeIn)
    @blueprint.response(201, CreatedOut)
    @access("preparer", scope="community:write")
    def post(self, body: dict[str, Any]) -> Response:
        """Propose that the co-op keeps a community currency; another person opens it. Takes `Idempotency-Key`."""
        body |= {"authorise_above": Money(**body["authorise_above"])}

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            made = service.propose_scheme(session, actor=current_actor(), coop_id=current_coop(), now=now(), **body)
            return 201, {"id": str(made)}

        return once(request.get_json(), act)


@blueprint.route("/community-currency/<uuid:scheme_id>/decide")
class SchemeWord(MethodView):
    """The second person's word on the scheme."""

    @blueprint.arguments(WordIn)
    @blueprint.response(204)
    @access("approver", scope="community:write")
    def post(self, body: dict[str, Any], scheme_id: UUID) -> None:
        """Open the community currency or decline it; not by whoever proposed it."""
        with unit_of_work() as session:
            service.decide_scheme(session, actor=current_actor(), scheme_id=scheme_id, agreed=body["agreed"], now=now())


@blueprint.route("/community-holders")
class Holders(MethodView):
    """Accounts in the unit."""

    @blueprint.arguments(schemas.HolderIn)
    @blueprint.response(201, CreatedOut)
    @access("preparer", scope="community:write")
    def post(self, body: dict[str, Any]) -> Response:
        """Propose an account for a member; another person opens it. Takes `Idempotency-Key`."""
        body |= {name: Money(**body[name]) for name in ("limit_down", "growth_cap", "limit_up") if body[name]}

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            made = service.propose_holder(session, actor=current_actor(), now=now(), **body)
            return 201, {"id": str(made)}

        return once(request.get_json(), act)


@blueprint.route("/community-holders/<uuid:holder_id>/decide")
class HolderWord(MethodView):
    """The second person's word on an account."""

    @blueprint.arguments(WordIn)
    @blueprint.response(204)
    @access("approver", scope="community:write")
    def post(self, body: dict[str, Any], holder_id: UUID) -> None:
        """Open the account or decline it; not by whoever proposed it."""
        with unit_of_work() as session:
            service.decide_holder(session, actor=current_actor(), holder_id=holder_id, agreed=body["agreed"], now=now())


@blueprint.route("/community-holders/<uuid:holder_id>/leavings")
class Leavings(MethodView):
    """A holder who leaves."""

    @blueprint.arguments(schemas.LeavingIn)
    @blueprint.response(201, CreatedOut)
    @access("preparer", scope="community:write")
    def post(self, body: dict[str, Any], holder_id: UUID) -> Response:
        """Propose that a holder leaves and all take over the debt; another person books it. Takes `Idempotency-Key`."""

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            made = service.propose_leaving(session, actor=current_actor(), holder_id=holder_id, now=now(), **body)
            return 201, {"id": str(made)}

        return once(request.get_json() | {"holder_id": str(holder_id)}, act)


@blueprint.route("/community-leavings/<uuid:leaving_id>/decide")
class LeavingWord(MethodView):
    """The second person's word on a holder who leaves."""

    @blueprint.arguments(WordIn)
    @blueprint.response(204)
    @access("approver", scope="community:write")
    def post(self, body: dict[str, Any], leaving_id: UUID) -> None:
        """Let the holder leave, the debt shared by all, or decline it; not by whoever proposed it."""
        with unit_of_work() as session:
            service.decide_leaving(session, actor=current_actor(), leaving_id=leaving_id, agreed=body["agreed"], now=now())


@blueprint.route("/community-account")
class OwnAccount(MethodView):
    """The account of the member who calls."""

    @blueprint.response(200, schemas.OwnAccountOut)
    @access("producer", scope="community:read")
    def get(self) -> dict[str, Any]:
        """Return my balance and limits, and whom I can pay."""
        with unit_of_work() as session:
            mine = _own(session)
            others = [one for one in queries.holders(session, current_coop()) if mine and one.id != mine.id]
            return {"account": mine, "partners": others}


@blueprint.route("/community-transfers")
class Transfers(MethodView):
    """What holders pay each other."""

    @blueprint.response(200, schemas.CommunityTransfersOut)
    @access("staff", "producer", scope="community:read")
    def get(self) -> dict[str, Any]:
        """Return transfers, newest first: all of the co-op's to its staff, their own to members."""
        with unit_of_work() as session:
            if current_actor().is_staff:
                return {"items": queries.transfers(session, current_coop())}
            mine = _own(session)
            return {"items": queries.transfers(session, current_coop(), holder_id=mine.id) if mine else []}

    @blueprint.arguments(schemas.CommunityTransferIn)
    @blueprint.response(201, CreatedOut)
    @access("preparer", "producer", scope="community:write")
    def post(self, body: dict[str, Any]) -> Response:
        """Pay another holder: a member from their own account, staff for a member who asked. Takes `Idempotency-Key`.

        Above the co-op's limit the transfer waits for a second person; what goes beyond a holder's limits is refused.
        """
        body |= {"money": Money(**body.pop("amount"))}

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            if not current_actor().is_staff:
                mine = _own(session)
                if mine is None or body["payer_id"] not in (None, mine.id):
                    raise NotOpen("You pay from your own account, and you have to have one. Ask your co-op.", pointer="/payer_id")
                body["payer_id"] = mine.id
            elif body["payer_id"] is None:
                raise NotOpen("Say whose account pays.", pointer="/payer_id")
            made = service.pay(session, actor=current_actor(), now=now(), **body)
            return 201, {"id": str(made)}

        return once(request.get_json(), act)


@blueprint.route("/community-transfers/<uuid:transfer_id>/decide")
class TransferWord(MethodView):
    """The second person's word on a transfer above the limit."""

    @blueprint.arguments(WordIn)
    @blueprint.response(204)
    @access("approver", scope="community:write")
    def post(self, body: dict[str, Any], transfer_id: UUID) -> None:
        """Authorise the transfer or deny it; not by whoever asked for it."""
        with unit_of_work() as session:
            service.decide_transfer(session, actor=current_actor(), transfer_id=transfer_id, agreed=body["agreed"], now=now())


@blueprint.route("/orders/<uuid:order_id>/community-part")
class OrderPart(MethodView):
    """What of the caller's own order is paid in the unit."""

    @blueprint.arguments(OrderQuery, location="query")
    @blueprint.response(200, schemas.OrderPartOut)
    @access("public", scope="community:read")
    def get(self, query: dict[str, Any], order_id: UUID) -> Any:
        """Return what is paid in the unit, and what could be: the charges that are the co-op's own income, or nothing."""
        with unit_of_work() as session:
            card_page.own_order(session, order_id, query["key"])
            return tender_queries.tender(session, order_id, producer_id=current_actor().producer_id)

    @blueprint.arguments(OrderQuery, location="query")
    @blueprint.response(200, schemas.OrderPartOut)
    @access("public", scope="community:write")
    def post(self, query: dict[str, Any], order_id: UUID) -> Any:
        """Pay the co-op's charges in the unit; the rest is a new payment in money. Doing it again changes nothing."""
        with unit_of_work() as session:
            card_page.own_order(session, order_id, query["key"])
        card_page.pay_charges_in_unit(order_id)
        with unit_of_work() as session:
            return tender_queries.tender(session, order_id, producer_id=current_actor().producer_id)


def _own(session: Session) -> queries.HolderView | None:
    producer_id = current_actor().producer_id
    return queries.holder_of(session, producer_id) if producer_id else None
