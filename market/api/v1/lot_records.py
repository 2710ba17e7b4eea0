"""Recording lots over the API: places, harvests and craft batches, lots made from others. For a co-op and its producers."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, current_app, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from market.api.openapi import Blueprint
from market.api.v1.schemas import provenance as schemas
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.idempotency import once
from market.kernel import paging
from market.kernel.actor import Actor
from market.producers import queries as producers
from market.provenance import queries, service
from market.provenance.errors import LotMissing
from market.provenance.rules.identifiers import IdHost
from market.provenance.service import NewLot

blueprint = Blueprint("lot_records", __name__, description="Recording places and lots")

PAGE = 50
_WRITTEN = ("name", "quantity", "uom", "on", "from_on", "label", "variety", "net_kg")


def _host() -> IdHost:
    return IdHost(current_app.extensions["settings"].id_url)


def _coop_id(actor: Actor) -> UUID:
    if actor.coop_id is None:
        raise LotMissing("Only a co-op and its producers record lots.")
    return actor.coop_id


def _whose(session: Session, actor: Actor, body: dict[str, Any]) -> UUID | None:
    """Return whose lot it is: a producer's own, or for staff the producer they name, or nobody's but the co-op's."""
    if not actor.is_staff:
        return actor.producer_id
    named: UUID | None = body.get("producer_id")
    return producers.own_producer(session, named, actor=actor).id if named else None


@blueprint.route("/places")
class Places(MethodView):
    """Where things happen."""

    @blueprint.response(200, schemas.PlacesOut)
    @access("producer", "staff", scope="provenance:write")
    def get(self) -> dict[str, Any]:
        """Return the places that the caller may name."""
        actor = current_actor()
        own = None if actor.is_staff else actor.producer_id
        with unit_of_work() as session:
            found = queries.places_of(session, coop_id=_coop_id(actor), producer_id=own)
        return {"items": [_place(place) for place in found]}

    @blueprint.arguments(schemas.PlaceIn)
    @blueprint.response(201, schemas.PlaceOut)
    @access("producer", "staff", scope="provenance:write")
    def post(self, body: dict[str, Any]) -> Response:
        """Register a place. Takes `Idempotency-Key`."""
        actor = current_actor()

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            coop = producers.coop(session, _coop_id(actor))
            own = None if actor.is_staff else actor.producer_id
            place = service.add_place(
                session, host=_host(), coop_id=coop.id, producer_id=own, **({"country": coop.country} | body)
            )
            return 201, schemas.PlaceOut().dump(place)

        return once(request.get_json(), act, required=False)


def _place(view: queries.PlaceView) -> dict[str, Any]:
    return {name: value for name, value in asdict(view).items() if name not in ("coop_id", "producer_id")}


@blueprint.route("/lots")
class Lots(MethodView):
    """Own lots."""

    @blueprint.arguments(schemas.OwnLotsQuery, location="query")
    @blueprint.response(200, schemas.OwnLotsOut)
    @access("producer", "staff", scope="provenance:write")
    def get(self, args: dict[str, Any]) -> dict[str, Any]:
        """Return a producer's lots, for staff those of the co-op, newest first."""
        actor = current_actor()
        own = None if actor.is_staff else actor.producer_id
        with unit_of_work() as session:
            before = _before(args["cursor"])
            found = queries.lots_of(session, coop_id=_coop_id(actor), producer_id=own, before=before, limit=PAGE + 1)
        lots = found[:PAGE]
        more = paging.encode([lots[-1].recorded_at.isoformat(), lots[-1].id]) if len(found) > PAGE else None
        return {"items": lots, "next_cursor": more}

    @blueprint.arguments(schemas.LotIn)
    @blueprint.response(201, schemas.OwnLotOut)
    @access("producer", "staff", scope="provenance:write")
    def post(self, body: dict[str, Any]) -> Response:
        """Record a harvest or a craft batch: an event and the lot. Takes `Idempotency-Key`."""
        return _recorded(body, service.record_lot, kind=body["kind"])


@blueprint.route("/lots/transformations")
class Transformations(MethodView):
    """Lots made from others."""

    @blueprint.arguments(schemas.TransformationIn)
    @blueprint.response(201, schemas.OwnLotOut)
    @access("producer", "staff", scope="provenance:write")
    def post(self, body: dict[str, Any]) -> Response:
        """Record that a lot was made from others. Takes `Idempotency-Key`."""
        inputs = [(line["lot_id"], line["quantity"]) for line in body["inputs"]]
        return _recorded(body, service.record_transformation, process=body["process"], inputs=inputs)


def _recorded(body: dict[str, Any], command: Any, **more: Any) -> Response:
    actor = current_actor()

    def act(session: Session) -> tuple[int, dict[str, Any]]:
        coop = producers.coop(session, _coop_id(actor))
        lot = command(
            session,
            actor=actor,
            host=_host(),
            coop_id=coop.id,
            producer_id=_whose(session, actor, body),
            new=NewLot(**{name: body[name] for name in _WRITTEN if name in body}),
            place_id=body["place_id"],
            zone=coop.time_zone,
            now=now(),
            **more,
        )
        return 201, schemas.OwnLotOut().dump(lot)

    return once(request.get_json(), act, required=False)


def _before(cursor: str) -> tuple[datetime, UUID] | None:
    if not cursor:
        return None
    recorded_at, lot_id = paging.decode(cursor, 2)
    try:
        return datetime.fromisoformat(recorded_at), UUID(lot_id)
    except ValueError as error:
        raise paging.BadCursor("This page link is not valid any more. Start the list again.") from error
