"""Orders placed and paid through the real commands; nothing commits."""

from decimal import Decimal
from uuid import UUID

from market.catalogue.models import Listing
from market.kernel.actor import GUEST, Actor
from market.orders import queries, service
from market.orders.service import Buyer, PlacedOrder, WantedLine
from market.payments import service as payments
from market.payments.ports import Checkout
from tests.conftest import NOW
from tests.factories.catalogue import make_listing

BUYER = Buyer("ana@example.org", "Ana", "Calle", "1", "28001", "Madrid", "ES")


def place(
    session, *listings: Listing, quantity: int | str = 2, method: str = "card", actor: Actor = GUEST, now=NOW
) -> PlacedOrder:
    """Place an order of `quantity` of each listing (one listing of its own when none is given)."""
    wanted = [WantedLine(listing.id, Decimal(quantity)) for listing in listings or (make_listing(session),)]
    return service.place_order(session, actor=actor, wanted=wanted, buyer=BUYER, method=method, now=now)


def pay(session, placed: PlacedOrder, *, now=NOW) -> None:
    """Let the card payment succeed and the order take note."""
    seen = Checkout(
        checkout_id=f"cs_{placed.payment_id.hex}",
        state="succeeded",
        url=None,
        intent_id=f"pi_{placed.payment_id.hex}",
        charge_id=f"ch_{placed.payment_id.hex}",
        paid=placed.total,
        charged_at=now,
    )
    payments.prepare_checkout(session, payment_id=placed.payment_id, return_url="http://r", cancel_url="http://c", now=now)
    payments.record_checkout(session, payment_id=placed.payment_id, seen=seen, now=now)
    service.mark_paid(session, order_id=placed.order_id, payment_id=placed.payment_id, now=now)


def paid_order(session, *listings: Listing, **values) -> PlacedOrder:
    """A paid order."""
    placed = place(session, *listings, **values)
    pay(session, placed)
    return placed


def parts_of(session, order_id: UUID):
    """The seller orders of an order as they stand."""
    session.flush()
    session.expire_all()
    return queries.order(session, order_id).parts
