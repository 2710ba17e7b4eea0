"""Invoices and credit notes over the API, for whoever may see the order: its buyer, a guest with its key, the co-op's staff."""

from typing import Any
from uuid import UUID

from flask import Response, url_for
from flask.views import MethodView
from sqlalchemy.orm import Session

from market.api.openapi import Blueprint
from market.api.v1.schemas import invoices as schemas
from market.api.v1.schemas.orders import OrderQuery
from market.http import card_page
from market.http.auth import access, current_actor
from market.http.db import unit_of_work
from market.http.downloads import download
from market.invoices import queries
from market.invoices.errors import InvoiceMissing
from market.invoices.queries import InvoiceView
from market.orders import queries as orders
from market.orders.errors import OrderMissing

blueprint = Blueprint("api_invoices", __name__, description="Invoices and credit notes")


def _whose(session: Session, order_id: UUID, key: str | None) -> UUID | None:
    """Return the co-op whose documents the caller sees, None for those of all. Raises OrderMissing."""
    try:
        card_page.own_order(session, order_id, key)
    except OrderMissing:
        actor = current_actor()
        if not actor.is_staff or actor.coop_id not in {part.coop_id for part in orders.order(session, order_id).parts}:
            raise
        return actor.coop_id
    return None


def _one(session: Session, order_id: UUID, invoice_id: UUID, key: str | None) -> InvoiceView:
    coop_id = _whose(session, order_id, key)
    found = queries.invoice(session, invoice_id, order_id=order_id)
    if coop_id not in (None, found.coop_id):
        raise InvoiceMissing("There is no such document here.")
    return found


def _out(found: InvoiceView) -> dict[str, Any]:
    names = ("id", "kind", "number", "order_id", "coop_id", "issued_on", "total")
    address = url_for("api_invoices.OrderInvoicePdf", order_id=found.order_id, invoice_id=found.id)
    return {name: getattr(found, name) for name in names} | {"pdf": address}


@blueprint.route("/orders/<uuid:order_id>/invoices")
class OrderInvoices(MethodView):
    """What was issued for an order."""

    @blueprint.arguments(OrderQuery, location="query")
    @blueprint.response(200, schemas.InvoicesOut)
    @access("public", scope="orders:read")
    def get(self, query: dict[str, Any], order_id: UUID) -> dict[str, Any]:
        """List invoices and credit notes, oldest first; staff see those of their co-op."""
        with unit_of_work() as session:
            coop_id = _whose(session, order_id, query["key"])
            return {"items": [_out(found) for found in queries.invoices_of(session, order_id, coop_id=coop_id)]}


@blueprint.route("/orders/<uuid:order_id>/invoices/<uuid:invoice_id>")
class OrderInvoice(MethodView):
    """One document."""

    @blueprint.arguments(OrderQuery, location="query")
    @blueprint.response(200, schemas.InvoiceDetailOut)
    @access("public", scope="orders:read")
    def get(self, query: dict[str, Any], order_id: UUID, invoice_id: UUID) -> dict[str, Any]:
        """Return a document with the facts that were frozen when it was issued."""
        with unit_of_work() as session:
            found = _one(session, order_id, invoice_id, query["key"])
            return _out(found) | {"facts": queries.paper(session, invoice_id)}


@blueprint.route("/orders/<uuid:order_id>/invoices/<uuid:invoice_id>/pdf")
class OrderInvoicePdf(MethodView):
    """The printed document."""

    @blueprint.arguments(OrderQuery, location="query")
    @blueprint.response(200, content_type="application/pdf")
    @access("public", scope="orders:read")
    def get(self, query: dict[str, Any], order_id: UUID, invoice_id: UUID) -> Response:
        """Return the document as it was printed, the same bytes each time; 404 in the seconds before it is."""
        with unit_of_work() as session:
            found = _one(session, order_id, invoice_id, query["key"])
            body = queries.printed(session, invoice_id)
        if body is None:
            raise InvoiceMissing("This document is being printed. Please try again in a minute.")
        return download(body, name=f"{found.number}.pdf", content_type="application/pdf")
