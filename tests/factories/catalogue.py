"""Products, listings with stock and cards; nothing commits."""

from datetime import date
from decimal import Decimal
from typing import Any

from market.catalogue import service
from market.catalogue.models import Listing, Product
from market.kernel.ids import new_id
from market.producers.models import Producer
from market.provenance.models import Lot
from tests.conftest import NOW
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import make_lot

TODAY = date(2026, 11, 25)


def make_product(session, **values: Any) -> Product:
    """Arabica, washed, green; a product of its own each time unless told which."""
    defaults = {
        "category": "coffee",
        "kind": "coffee",
        "variety": f"v{new_id().hex}",
        "quality": "conventional",
        "name": "Coffee, green",
    }
    product = Product(id=new_id(), **(defaults | values))
    session.add(product)
    session.flush()
    return product


def make_listing(
    session,
    *,
    producer: Producer | None = None,
    product: Product | None = None,
    lot: Lot | None = None,
    on_hand: Decimal | int = 100,
    **values: Any,
) -> Listing:
    """A published listing with 100 kg in stock and its card; `state="draft"` makes one without."""
    producer = producer or make_producer(session)
    if lot is None:
        coop = producer_coop(session, producer)
        lot = make_lot(session, coop=coop, producer=producer)
    product = product or make_product(session)
    defaults = {"title": "Washed coffee", "unit": "kg", "unit_price": Decimal("8.40"), "currency": "EUR", "state": "published"}
    listing = Listing(
        id=new_id(),
        coop_id=producer.coop_id,
        producer_id=producer.id,
        product_id=product.id,
        lot_id=lot.id,
        origin_country="CO",
        check_outcome="ok",
        checked_on=TODAY,
        published_at=NOW,
        created_at=NOW,
        updated_at=NOW,
        **(defaults | values),
    )
    session.add(listing)
    service.open_stock(session, lot_id=lot.id, coop_id=producer.coop_id, unit="kg", on_hand=Decimal(on_hand))
    service.refresh_cards(session, listing_ids=[listing.id], on=TODAY)
    return listing


def producer_coop(session, producer: Producer | None = None):
    """The co-op of a producer, or a new one."""
    from market.producers.models import Coop

    return session.get(Coop, producer.coop_id) if producer else make_coop(session)
