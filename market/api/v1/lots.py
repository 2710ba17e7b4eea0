"""Lots for everybody: the public document, the lineage with exact shares, the events to download."""

import json
import re
from typing import Any

from flask import Response, current_app
from sqlalchemy import Connection

from market.api.openapi import Blueprint
from market.api.v1.schemas.provenance import EpcisDocumentSchema, LineageQuery, LineageSchema, LotPageSchema
from market.http.auth import access
from market.http.conditional import ready
from market.http.db import reading, unit_of_work
from market.http.lane import Answer, Road
from market.provenance import queries
from market.provenance.queries import Lineage, LotView
from market.provenance.rules.events import plain
from market.provenance.rules.identifiers import IdHost, canonical_slug
from market.reports.queries import lot_page

blueprint = Blueprint("lots", __name__, url_prefix="/lots", description="Lots: journey, lineage, events")

_PRINTED = re.compile("[0-9a-z]+")


@blueprint.get("/<slug>")
@blueprint.response(200, LotPageSchema)
@access("public")
def lot(slug: str) -> Response:
    """Return everything that a lot's public page shows."""
    with reading() as connection:
        body, tag = lot_page.current_page(connection, canonical_slug(slug) or slug)
    return ready(body, tag=tag)


def _lot_shortly(connection: Connection, slug: str, query: str) -> Answer | None:
    """Answer what `lot` does for an address as it is printed, whose page is stored."""
    return queries.stored_page(connection, slug) if not query and _PRINTED.fullmatch(slug) else None


ROAD = Road("lots.lot", "/api/v1/lots/", _lot_shortly)


@blueprint.get("/<slug>/lineage")
@blueprint.arguments(LineageQuery, location="query")
@blueprint.response(200, LineageSchema)
@access("public")
def lineage(args: dict[str, Any], slug: str) -> dict[str, Any]:
    """Return what a lot was made from (`up`) or what was made from it (`down`), with exact shares upward."""
    down = args["direction"] == "down"
    with unit_of_work() as session:
        view = queries.lot_by_slug(session, slug)
        found = queries.lineage(session, view.id, down=down)
        shares = None if down else lot_page.shares_of(session, view, found)
    return {
        "lot": view.slug,
        "direction": args["direction"],
        "nodes": [_node(node) for node in sorted(found.lots.values(), key=lambda node: node.recorded_at)],
        "edges": _edges(found),
        "shares": shares,
    }


def _node(view: LotView) -> dict[str, Any]:
    return {
        "slug": view.slug,
        "uri": view.uri,
        "label": view.label,
        "name": view.name,
        "process": view.process,
        "produced": plain(view.produced),
        "uom": view.uom,
    }


def _edges(found: Lineage) -> list[dict[str, Any]]:
    return [
        {
            "input": found.lots[edge.input].slug,
            "output": found.lots[edge.output].slug,
            "input_quantity": plain(edge.input_quantity),
            "output_quantity": plain(edge.output_quantity),
        }
        for edge in found.edges
    ]


@blueprint.get("/<slug>/events")
@blueprint.response(200, EpcisDocumentSchema)
@access("public")
def events(slug: str) -> Response:
    """Return the events of a lot's journey as an EPCIS document, in their public view."""
    host = IdHost(current_app.extensions["settings"].id_url)
    with unit_of_work() as session:
        view = queries.lot_by_slug(session, slug)
        document = lot_page.public_events(session, view.id, host)
    response = ready(json.dumps(document, ensure_ascii=False, indent=1))
    response.headers["Content-Disposition"] = f'attachment; filename="lot-{view.slug}.epcis.json"'
    return response
