"""People's own texts in several languages: stories of co-ops and producers, titles and texts of listings, names of lots."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask.views import MethodView
from sqlalchemy.orm import Session

from market.api.openapi import Blueprint
from market.api.v1.schemas import producers as schemas
from market.catalogue import service as catalogue
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.producers import queries, service
from market.producers.queries import OwnTexts, Text
from market.provenance import service as provenance

blueprint = Blueprint("api_texts", __name__, description="People's own texts in several languages, never made by a machine")


@blueprint.route("/coops/<uuid:coop_id>/texts")
class CoopTexts(MethodView):
    """The story of a co-op."""

    @blueprint.response(200, schemas.TextsSchema)
    @access("public")
    def get(self, coop_id: UUID) -> OwnTexts:
        """Return in which language a co-op's story is written, and its translations."""
        return _stored("coop", coop_id, queries.coop)

    @blueprint.arguments(schemas.TextsSchema)
    @blueprint.response(200, schemas.TextsSchema)
    @access("approver", "admin", scope="coops:write")
    def put(self, body: dict[str, Any], coop_id: UUID) -> OwnTexts:
        """Say in which language a co-op's story is written and give it in others."""
        return _kept("coop", coop_id, service.set_coop_texts, body)


@blueprint.route("/producers/<uuid:producer_id>/texts")
class ProducerTexts(MethodView):
    """The story of a producer."""

    @blueprint.response(200, schemas.TextsSchema)
    @access("public")
    def get(self, producer_id: UUID) -> OwnTexts:
        """Return in which language a producer's story is written, and its translations."""
        return _stored("producer", producer_id, queries.producer)

    @blueprint.arguments(schemas.TextsSchema)
    @blueprint.response(200, schemas.TextsSchema)
    @access("producer", "staff", scope="producers:write")
    def put(self, body: dict[str, Any], producer_id: UUID) -> OwnTexts:
        """Say in which language a producer's story is written and give it in others."""
        return _kept("producer", producer_id, service.set_producer_texts, body)


@blueprint.route("/listings/<uuid:listing_id>/texts")
class ListingTexts(MethodView):
    """The title and description of a listing."""

    @blueprint.arguments(schemas.TextsSchema)
    @blueprint.response(200, schemas.TextsSchema)
    @access("producer", "staff", scope="catalogue:write")
    def put(self, body: dict[str, Any], listing_id: UUID) -> OwnTexts:
        """Say in which language a listing is written and give its title and description in others."""
        return _kept("listing", listing_id, catalogue.set_listing_texts, body)


@blueprint.route("/lots/<uuid:lot_id>/texts")
class LotTexts(MethodView):
    """The name of a lot."""

    @blueprint.arguments(schemas.TextsSchema)
    @blueprint.response(200, schemas.TextsSchema)
    @access("producer", "staff", scope="provenance:write")
    def put(self, body: dict[str, Any], lot_id: UUID) -> OwnTexts:
        """Say in which language a lot's name is and give it in others as `title`; a lot has no text."""
        return _kept("lot", lot_id, provenance.set_lot_texts, body)


def _kept(kind: str, subject_id: UUID, command: Callable[..., None], body: dict[str, Any]) -> OwnTexts:
    """Carry out one of the commands `set_..._texts` and return what is stored now."""
    translations = {language: Text(**text) for language, text in body["translations"].items()}
    whose = {f"{kind}_id": subject_id}
    with unit_of_work() as session:
        command(session, actor=current_actor(), language=body["language"], translations=translations, now=now(), **whose)
        session.flush()
        return queries.own_texts(session, kind, [subject_id])[subject_id]


def _stored(kind: str, subject_id: UUID, known: Callable[[Session, UUID], object]) -> OwnTexts:
    with unit_of_work() as session:
        known(session, subject_id)
        return queries.own_texts(session, kind, [subject_id])[subject_id]
