"""Orders over the API: place, read, ship, confirm, refund."""

from typing import Any
from uuid import UUID

from flask import Response, current_app, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from market.accounts.rules import checked_email
from market.api.openapi import Blueprint, money_out
from market.api.v1.schemas import orders as schemas
from market.http import card_page, links
from market.http.auth import access, current_actor
from market.http.buyers import caller
from market.http.card_page import LINK
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.idempotency import once
from market.kernel import postcodes
from market.kernel.errors import DomainError, Unavailable
from market.orders import queries, service
from market.orders.errors import OrderMissing
from market.orders.service import Buyer, PlacedOrder, WantedLine

blueprint = Blueprint("api_orders", __name__, description="Orders and seller orders")


def placed_out(placed: PlacedOrder) -> dict[str, Any]:
    """Return what `PlacedOut` describes, by hand: its schema costs as much as writing the order's JSON for PostgreSQL."""
    transfer = placed.transfer
    return {
        "id": str(placed.order_id),
        "number": placed.number,
        "key": links.key_for(LINK, placed.order_id),
        "total": money_out(placed.total),
        "payment_id": str(placed.payment_id),
        "payment_url": None,
        "transfer": transfer
        and {
            "amount": money_out(transfer.amount),
            "holder": transfer.holder,
            "iban": transfer.iban,
            "bic": transfer.bic,
            "reference": transfer.reference,
        },
    }


def _checked_buyer(body: dict[str, str]) -> Buyer:
    """Return who orders, with e-mail address and postcode in canonical form. Raises BadEmail, BadPostcode."""
    try:
        postcode = postcodes.checked(body["postcode"], body["country"], needed=True)
        return Buyer(**body | {"email": checked_email(body["email"]), "postcode": postcode})
    except DomainError as error:
        error.pointer = f"/buyer{error.pointer}"
        raise


def payment_url(order_id: UUID, payment_id: UUID) -> str | None:
    """Open the hosted card page; None when the processor does not answer (ask again by POST .../payment)."""
    try:
        return card_page.open_page(order_id, payment_id)
    except Unavailable:
        return None


@blueprint.route("/orders")
class Orders(MethodView):
    """Placing orders."""

    @blueprint.arguments(schemas.OrderIn())  # an instance: a class would be made anew at each call
    @blueprint.response(201, schemas.PlacedOut)
    @blueprint.alt_response(409, description="Sold out, price changed, below a floor, or too much left unpaid")
    @blueprint.alt_response(429, description="Too many orders without an account within the hour")
    @access("public")
    def post(self, body: dict[str, Any]) -> Response:
        """Place an order and open its payment.

        Needs `Idempotency-Key`. Prices are checked again; stock is held. For cards `payment_url` is the hosted page.
        """

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            placed = service.place_order(
                session,
                actor=current_actor(),
                wanted=[WantedLine(**line) for line in body["lines"]],
                buyer=_checked_buyer(body["buyer"]),
                method=body["method"],
                now=now(),
                caller=caller(),
            )
            return 201, placed_out(placed)

        response = once(request.get_json(), act, guest=body["buyer"]["email"])
        if body["method"] == "card" and response.status_code == 201:
            answer = response.get_json()
            answer["payment_url"] = payment_url(UUID(answer["id"]), UUID(answer["payment_id"]))
            response.set_data(current_app.json.dumps(answer))
        return response


@blueprint.route("/orders/<uuid:order_id>")
class Order(MethodView):
    """One order."""

    @blueprint.arguments(schemas.OrderQuery, location="query")
    @blueprint.response(200, schemas.OrderOut)
    @access("public", scope="orders:read")
    def get(self, query: dict[str, Any], order_id: UUID) -> queries.OrderView:
        """Return an order with its parts; for guests by its key."""
        with unit_of_work() as session:
            return card_page.own_order(session, order_id, query["key"])


@blueprint.route("/orders/<uuid:order_id>/payment")
class OrderPayment(MethodView):
    """The payment of an order."""

    @blueprint.arguments(schemas.OrderQuery, location="query")
    @blueprint.response(200, schemas.PlacedOut)
    @access("public")
    def post(self, query: dict[str, Any], order_id: UUID) -> dict[str, Any]:
        """Return the live payment of an unpaid order, opening a new one when the last failed."""
        with unit_of_work() as session:
            view = card_page.own_order(session, order_id, query["key"])
            payment_id = service.reopen_payment(session, actor=current_actor(), order_id=order_id, now=now())
            transfer = queries.transfer_instructions(session, view) if view.method == "transfer" else None
        return {
            "id": view.id,
            "number": view.number,
            "key": links.key_for(LINK, order_id),
            "total": view.total,
            "payment_id": payment_id,
            "payment_url": payment_url(order_id, payment_id) if view.method == "card" else None,
            "transfer": transfer,
        }


@blueprint.route("/orders/<uuid:order_id>/cancel")
class OrderCancel(MethodView):
    """Cancelling."""

    @blueprint.arguments(schemas.OrderQuery, location="query")
    @blueprint.response(200, schemas.OrderOut)
    @access("public")
    def post(self, query: dict[str, Any], order_id: UUID) -> queries.OrderView:
        """Cancel an unpaid order and give its stock back; one that a card keeps the money for ends when the card lets go."""
        with unit_of_work() as session:
            card_page.own_order(session, order_id, query["key"])
        return card_page.cancel(order_id)


@blueprint.route("/orders/<uuid:order_id>/parts/<uuid:seller_order_id>/confirm")
class PartConfirm(MethodView):
    """The buyer's word that a part has arrived."""

    @blueprint.arguments(schemas.OrderQuery, location="query")
    @blueprint.response(200, schemas.SellerOrderOut)
    @access("public")
    def post(self, query: dict[str, Any], order_id: UUID, seller_order_id: UUID) -> queries.SellerPart:
        """Confirm the arrival; the producer is credited next."""
        with unit_of_work() as session:
            view = card_page.own_order(session, order_id, query["key"])
            if seller_order_id not in {part.id for part in view.parts}:
                raise OrderMissing("There is no such part of this order.")
            service.confirm(session, actor=current_actor(), seller_order_id=seller_order_id, now=now())
            session.flush()
            return queries.seller_order(session, seller_order_id)


def _own() -> UUID | None:
    actor = current_actor()
    return None if actor.is_staff else actor.producer_id


@blueprint.route("/seller-orders")
class SellerOrders(MethodView):
    """What a producer packs, what a co-op sold."""

    @blueprint.arguments(schemas.SellerOrderQuery, location="query")
    @blueprint.response(200, schemas.SellerOrdersOut)
    @access("producer", "staff", scope="orders:read")
    def get(self, query: dict[str, Any]) -> Any:
        """List seller orders, newest first: a producer's own, or all of the co-op for staff."""
        states = (query["state"],) if query["state"] else ()
        with unit_of_work() as session:
            return queries.seller_orders(session, producer_id=_own(), states=states, cursor=query["cursor"])


@blueprint.route("/seller-orders/<uuid:seller_order_id>")
class SellerOrder(MethodView):
    """One seller order."""

    @blueprint.response(200, schemas.SellerOrderOut)
    @access("producer", "staff", scope="orders:read")
    def get(self, seller_order_id: UUID) -> queries.SellerPart:
        """Return a seller order with its lines and breakdowns."""
        with unit_of_work() as session:
            return queries.seller_order(session, seller_order_id, producer_id=_own())


@blueprint.route("/seller-orders/<uuid:seller_order_id>/pack")
class SellerOrderPack(MethodView):
    """What is really sent of an order whose card is charged when it is packed."""

    @blueprint.arguments(schemas.PackIn)
    @blueprint.response(200, schemas.SellerOrderOut)
    @blueprint.alt_response(409, description="Not waiting to be packed, or packed already")
    @access("producer", "staff", scope="orders:write")
    def post(self, body: dict[str, Any], seller_order_id: UUID) -> queries.SellerPart:
        """Say of each line how much is sent, once; the card is charged for that when every part of the order is packed."""
        quantities = {line["line_id"]: line["quantity"] for line in body["lines"]}
        with unit_of_work() as session:
            service.pack(session, actor=current_actor(), seller_order_id=seller_order_id, quantities=quantities, now=now())
            session.flush()
            return queries.seller_order(session, seller_order_id, producer_id=_own())


@blueprint.route("/seller-orders/<uuid:seller_order_id>/ship")
class SellerOrderShip(MethodView):
    """Dispatch."""

    @blueprint.arguments(schemas.ShipIn)
    @blueprint.response(200, schemas.SellerOrderOut)
    @access("producer", "staff", scope="orders:write")
    def post(self, body: dict[str, Any], seller_order_id: UUID) -> queries.SellerPart:
        """Record that the goods were handed to the carrier."""
        with unit_of_work() as session:
            service.ship(session, actor=current_actor(), seller_order_id=seller_order_id, tracking=body["tracking"], now=now())
            session.flush()
            return queries.seller_order(session, seller_order_id, producer_id=_own())


@blueprint.route("/seller-orders/<uuid:seller_order_id>/refunds")
class SellerOrderRefunds(MethodView):
    """Money back before the producer is paid."""

    @blueprint.arguments(schemas.RefundIn)
    @blueprint.response(201, schemas.RefundOut)
    @access("staff", scope="orders:write")
    def post(self, body: dict[str, Any], seller_order_id: UUID) -> Response:
        """Refund lines by quantity, or everything that is left; needs `Idempotency-Key`."""

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            shared = {"actor": current_actor(), "seller_order_id": seller_order_id, "reason": body["reason"]}
            shared |= {"bearer": body["bearer"], "now": now()}
            if body["lines"] is None:
                refund_id = service.refund_seller_order(session, **shared)
            else:
                quantities = {line["line_id"]: line["quantity"] for line in body["lines"]}
                refund_id = service.refund_lines(session, quantities=quantities, **shared)
            return 201, {"refund_id": str(refund_id)}

        return once({"seller_order": str(seller_order_id)} | request.get_json(), act)
