"""Single offers as orders, pages and producers need them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Uuid, bindparam, case, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from market.catalogue.errors import ListingMissing
from market.catalogue.models import Listing, Product, Stock
from market.catalogue.queries.search import PAGE, before_id
from market.kernel import direct, paging
from market.kernel.jsonbytes import json_bytes, plain_rows
from market.pricing.rules import UNITS, Goods
from market.pricing.service import PriceLine
from market.producers import queries as producers

_ONE = text(
    """
SELECT left(json_build_object(
  'state', state, 'description', description, 'claims', claims, 'unit_price', unit_price::text,
  'premium_per_unit', premium_per_unit::text, 'organic_per_unit', organic_per_unit::text,
  'floor_price', floor_price::text, 'floor_words', floor_words, 'market_price', market_price::text,
  'check_outcome', check_outcome, 'checked_on', checked_on, 'check_ids', check_ids,
  'stock', json_build_object('free', coalesce(on_hand - held, 0)::text, 'unit', coalesce(stock.unit, listing.unit)),
  'available', available)::text, -1) || ',' || substr(json, 2)
FROM listing JOIN listing_card ON listing_id = id LEFT JOIN stock USING (lot_id) WHERE id = :id AND state = 'published'
"""
)


def listing_json(connection: Connection, listing_id: UUID) -> bytes:
    """Return one published listing as JSON: its card, the producer's own price with its check, and what is free.

    Raises ListingMissing.
    """
    body = json_bytes(connection, _ONE, id=listing_id)
    if body == b"null":
        raise ListingMissing("This listing is not in the shop. It may have been withdrawn.")
    return body


@dataclass(frozen=True, slots=True)
class ListingView:
    """A listing for its page, its producer and for checkout. `free` is in `stock_unit`."""

    id: UUID
    coop_id: UUID
    producer_id: UUID
    product_id: UUID
    lot_id: UUID
    title: str
    description: str
    unit: str
    unit_price: Decimal
    premium_per_unit: Decimal
    organic_per_unit: Decimal
    currency: str
    order_step: Decimal
    claims: tuple[str, ...]
    origin_country: str
    incoterm: str
    state: str
    withdrawn_reason: str | None
    photo: dict[str, Any] | None
    check_ids: tuple[UUID, ...]
    check_outcome: str | None
    floor_price: Decimal | None
    floor_words: str | None
    market_price: Decimal | None
    checked_on: date | None
    category: str
    product: str
    kind: str
    variety: str
    form: str
    characteristic: str
    quality: str
    stock_unit: str
    free: Decimal

    @property
    def for_sale(self) -> bool:
        """Whether it can be ordered at all."""
        return self.state == "published"

    @property
    def goods(self) -> Goods:
        """What the price rules compare: the product's codes, the origin and the level of the price."""
        return Goods(self.kind, self.variety, self.form, self.characteristic, self.quality, self.origin_country, self.incoterm)

    @property
    def left(self) -> Decimal:
        """What is free, in the unit that the listing is sold in: never more than there is."""
        if self.unit == self.stock_unit:
            return self.free
        return (self.free * UNITS[self.stock_unit][1] / UNITS[self.unit][1]).quantize(Decimal("0.01"), rounding=ROUND_DOWN)


def in_stock_unit(offer: ListingView, quantity: Decimal) -> Decimal:
    """Return `quantity` of the listing's unit in the unit of the lot's stock, to six digits: what `hold_stock` takes."""
    if offer.unit == offer.stock_unit:
        return quantity
    return (quantity * UNITS[offer.unit][1] / UNITS[offer.stock_unit][1]).quantize(Decimal("0.000001"))


def price_offer(offer: ListingView, quantity: Decimal) -> PriceLine:
    """Return a quantity of an offer as the price rules take it at the order (G2).

    No certificates go with it: the claims were proven when it was published, and a claim that ends takes it out of the shop.
    """
    return PriceLine(
        goods=offer.goods,
        unit_price=offer.unit_price,
        unit=offer.unit,
        currency=offer.currency,
        quantity=quantity,
        claims=offer.claims,
        coop_id=offer.coop_id,
    )


_OWN = (
    *("id", "coop_id", "producer_id", "product_id", "lot_id", "title", "description", "unit", "unit_price", "premium_per_unit"),
    *("organic_per_unit", "currency", "order_step", "claims", "origin_country", "incoterm", "state", "withdrawn_reason", "photo"),
    *("check_ids", "check_outcome", "floor_price", "floor_words", "market_price", "checked_on"),
)

# The columns of ListingView in its order; `free` is what is there and not held, and nothing of a lot that is withdrawn.
_VIEWS = (
    select(
        *(getattr(Listing, name) for name in _OWN),
        *(Product.category, Product.name, Product.kind, Product.variety, Product.form, Product.characteristic, Product.quality),
        func.coalesce(Stock.unit, Listing.unit).label("stock_unit"),
        case((Stock.withdrawn, literal_column("0")), else_=func.coalesce(Stock.on_hand - Stock.held, literal_column("0"))).label(
            "free"
        ),
    )
    .join(Product, Product.id == Listing.product_id)
    .outerjoin(Stock, Stock.lot_id == Listing.lot_id)
)

_BY_ID = _VIEWS.where(Listing.id == func.any(bindparam("ids", type_=ARRAY(Uuid))))


def _view(row: Sequence[Any]) -> ListingView:
    values = dict(zip(ListingView.__slots__, row, strict=True))
    return ListingView(**values | {"claims": tuple(values["claims"]), "check_ids": tuple(values["check_ids"])})


def listings_by_id(session: Session, listing_ids: Iterable[UUID]) -> dict[UUID, ListingView]:
    """Return listings of any state by id, in one statement; unknown ids are absent."""
    session.flush()
    return {row[0]: _view(row) for row in plain_rows(session.connection(), _BY_ID, ids=direct.array(listing_ids))}


def listing(session: Session, listing_id: UUID, *, producer_id: UUID | None = None) -> ListingView:
    """Return one listing of any state, of one producer if given. Raises ListingMissing."""
    statement = _VIEWS.where(Listing.id == listing_id)
    if producer_id is not None:
        statement = statement.where(Listing.producer_id == producer_id)
    row = session.execute(statement).one_or_none()
    if row is None:
        raise ListingMissing("There is no such listing. Check the address or go back to the list.")
    return _view(row)


def listings_of(session: Session, *, producer_id: UUID | None = None, cursor: str | None = None) -> paging.Page[ListingView]:
    """Return the listings in this scope, newest first, of one producer if given: 24 a page."""
    statement = _VIEWS.where(Listing.id < before_id(cursor)).order_by(Listing.id.desc()).limit(PAGE + 1)
    if producer_id is not None:
        statement = statement.where(Listing.producer_id == producer_id)
    rows = [_view(row) for row in session.execute(statement)]
    return paging.Page(rows[:PAGE], str(rows[PAGE - 1].id) if len(rows) > PAGE else None)


@dataclass(frozen=True, slots=True)
class NewListing:
    """An offer that came into the shop, with its title in the languages that its producer gave."""

    id: UUID
    coop_id: UUID
    title: str
    titles: dict[str, str]
    published_at: datetime


def published_since(session: Session, after: datetime) -> list[NewListing]:
    """Return the offers in the shop that came after an instant for the first time, newest first."""
    statement = (
        select(Listing.id, Listing.coop_id, Listing.title, Listing.published_at)
        .where(Listing.state == "published", Listing.published_at > after)
        .order_by(Listing.published_at.desc(), Listing.id.desc())
    )
    rows = session.execute(statement).all()
    texts = producers.own_texts(session, "listing", [row.id for row in rows])
    return [
        NewListing(
            row.id,
            row.coop_id,
            row.title,
            {language: text.title for language, text in texts[row.id].translations.items() if text.title},
            row.published_at,
        )
        for row in rows
        if row.published_at is not None
    ]
