"""The catalogue for programs: search, one listing, and what producers do with theirs."""

import re
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Response, current_app, request
from sqlalchemy import Connection

from market.api.openapi import Blueprint
from market.api.v1.schemas import listings as shapes
from market.catalogue import photos, queries, service
from market.catalogue.rules import Filters
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.conditional import ready
from market.http.db import reading, unit_of_work
from market.http.lane import Answer, Road

blueprint = Blueprint("listings", __name__, description="What is offered, and the offers of a producer.")


@blueprint.get("/listings")
@access("public")
@blueprint.arguments(shapes.ListingQuery(), location="query")  # an instance: a class would be made anew at each call
@blueprint.response(200, shapes.CardPage)
def search(query: dict[str, Any]) -> Response:
    """Search the catalogue."""
    cursor = query.pop("cursor", None)
    with reading() as connection:
        return ready(queries.catalogue_page_json(connection, Filters(**query), cursor=cursor))


_NARROWING = {"category": 60, "coop": 60, "certificate": 60, "currency": 3}  # and their longest values
_CURRENCY = re.compile("[A-Z]{3}")


def _search_shortly(connection: Connection, _: str, query: str) -> Answer | None:
    """Answer what `search` does, for queries of words, filters and a cursor that are surely valid."""
    pairs = parse_qsl(query, keep_blank_values=True, errors="strict") if query.isascii() else [("", "")]
    asked = dict(pairs)
    words, cursor = asked.pop("q", ""), asked.pop("cursor", "")
    narrow: dict[str, Any] = asked
    if len(words) > 200 or "\0" in query or "%00" in query or len({name for name, _ in pairs}) < len(pairs):
        return None
    if any(name not in _NARROWING or not 0 < len(value) <= _NARROWING[name] for name, value in narrow.items()):
        return None
    if len(cursor) > 100 or ("currency" in narrow and not _CURRENCY.fullmatch(narrow["currency"])):
        return None
    return queries.catalogue_page_json(connection, Filters(q=words, **narrow), cursor=cursor), None


ROAD = Road("listings.search", "/api/v1/listings", _search_shortly, queries.catalogue_version)


@blueprint.get("/listings/<uuid:listing_id>")
@access("public")
@blueprint.response(200, shapes.ListingDetail)
def one(listing_id: UUID) -> Response:
    """Show a published listing."""
    with reading() as connection:
        return ready(queries.listing_json(connection, listing_id))


@blueprint.get("/my/listings")
@access("producer", "staff", scope="catalogue:read")
@blueprint.arguments(shapes.CursorQuery, location="query")
@blueprint.response(200, shapes.OwnListingPage)
def mine(query: dict[str, Any]) -> dict[str, Any]:
    """List the offers of this producer, or of the co-op for its staff, in any state."""
    with unit_of_work() as session:
        page = queries.listings_of(session, producer_id=_own_producer(), cursor=query.get("cursor"))
        return {"items": page.items, "next": page.next_cursor}


@blueprint.post("/listings")
@access("producer", "staff", scope="catalogue:write")
@blueprint.arguments(shapes.ListingIn)
@blueprint.response(201, shapes.OwnListing)
def create(body: dict[str, Any]) -> queries.ListingView:
    """Draft a listing from a lot."""
    with unit_of_work() as session:
        listing_id = service.create_listing(session, actor=current_actor(), draft=service.Draft(**body), now=now())
        return queries.listing(session, listing_id)


@blueprint.patch("/listings/<uuid:listing_id>")
@access("producer", "staff", scope="catalogue:write")
@blueprint.arguments(shapes.ListingPatch)
@blueprint.response(200, shapes.OwnListing)
def edit(body: dict[str, Any], listing_id: UUID) -> queries.ListingView:
    """Change a listing; a published one must pass the price check again."""
    with unit_of_work() as session:
        service.edit_listing(session, actor=current_actor(), listing_id=listing_id, changes=body, now=now())
        return queries.listing(session, listing_id)


@blueprint.post("/listings/<uuid:listing_id>/publish")
@access("producer", "staff", scope="catalogue:write")
@blueprint.response(200, shapes.OwnListing)
def publish(listing_id: UUID) -> queries.ListingView:
    """Check the price and put the listing into the shop; below a blocking floor it is refused with the arithmetic."""
    with unit_of_work() as session:
        service.publish_listing(session, actor=current_actor(), listing_id=listing_id, now=now())
        return queries.listing(session, listing_id)


@blueprint.post("/listings/<uuid:listing_id>/withdraw")
@access("producer", "staff", scope="catalogue:write")
@blueprint.arguments(shapes.WithdrawIn)
@blueprint.response(200, shapes.OwnListing)
def withdraw(body: dict[str, Any], listing_id: UUID) -> queries.ListingView:
    """Take the listing out of the shop."""
    with unit_of_work() as session:
        service.withdraw_listing(session, actor=current_actor(), listing_id=listing_id, reason=body["reason"], now=now())
        return queries.listing(session, listing_id)


@blueprint.put("/listings/<uuid:listing_id>/photo")
@access("producer", "staff", scope="catalogue:write")
@blueprint.response(200, shapes.OwnListing)
def photo(listing_id: UUID) -> queries.ListingView:
    """Give the listing a photo: a JPEG, PNG or WebP as the body of the request, `?alt=` says what it shows."""
    stored = photos.keep(current_app.extensions["ports"].files, request.get_data(cache=False))
    with unit_of_work() as session:
        service.add_photo(
            session, actor=current_actor(), listing_id=listing_id, sizes=stored, alt=request.args.get("alt", ""), now=now()
        )
        return queries.listing(session, listing_id)


@blueprint.put("/lots/<uuid:lot_id>/stock")
@access("producer", "staff", scope="catalogue:write")
@blueprint.arguments(shapes.StockIn)
@blueprint.response(204)
def stock(body: dict[str, Any], lot_id: UUID) -> None:
    """Set what a count found of a lot."""
    with unit_of_work() as session:
        service.set_stock(session, actor=current_actor(), lot_id=lot_id, on_hand=body["on_hand"], now=now())


@blueprint.get("/products")
@access("public")
@blueprint.response(200, shapes.ProductList)
def products() -> dict[str, Any]:
    """List all products."""
    with unit_of_work() as session:
        return {"items": queries.products(session)}


@blueprint.post("/products")
@access("producer", "staff", scope="catalogue:write")
@blueprint.arguments(shapes.ProductIn)
@blueprint.response(201, shapes.ProductOut)
def create_product(body: dict[str, Any]) -> queries.ProductView:
    """Add a product; the same codes give the product that is already there."""
    with unit_of_work() as session:
        return queries.product(session, service.create_product(session, **body))


def _own_producer() -> UUID | None:
    actor = current_actor()
    return None if actor.is_staff else actor.producer_id
