"""Reads of the catalogue. The hot ones return what PostgreSQL put together from ready-made cards (`*_json`, `*_html`).

A search reads the dictionary (which terms a typed word stands for, how common they are), then walks the postings of the
rarest group from the newest card down and asks the other groups about each, until the page is full. Nothing is sorted and
no wide row is touched before the page is known.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Text, TextClause, Uuid, bindparam, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from market.catalogue.errors import ListingMissing, PriceFilterNeedsCurrency, ProductMissing
from market.catalogue.models import Listing, Product, Stock
from market.catalogue.rules import EVERYTHING, Filters, Group, driver_first, query_words, spellings, within_one_error
from market.kernel import paging
from market.kernel.jsonbytes import json_bytes, plain_rows
from market.pricing.rules import UNITS, Goods
from market.pricing.service import PriceLine

PAGE = 24  # written out in the statements below
_ALTERNATIVES = 12
_NEWEST = UUID(int=2**128 - 1)

_COMMON = text("SELECT term, listings FROM search_term WHERE term = ANY(:terms)").bindparams(
    bindparam("terms", type_=ARRAY(Text))
)
_BEGINNING = text(
    "SELECT word, term, listings FROM unnest(:words) AS word CROSS JOIN LATERAL"
    " (SELECT term, listings FROM search_term WHERE term >= word AND term < word || '~' AND listings > 0"
    " ORDER BY listings DESC LIMIT 12) AS found ORDER BY word, listings DESC"
).bindparams(bindparam("words", type_=ARRAY(Text)))
_SIMILAR = text("SELECT term, listings FROM search_term WHERE spellings && :spellings AND listings > 0").bindparams(
    bindparam("spellings", type_=ARRAY(Text))
)


@dataclass(frozen=True, slots=True)
class Search:
    """A query made ready: what to walk, what to ask, and which words were read as others."""

    drivers: tuple[str, ...]
    others: tuple[str, ...]
    corrections: dict[str, str]
    hopeless: bool = False


def prepare_search(connection: Connection, filters: Filters) -> Search:
    """Look the words of a query up in the dictionary; one filter alone needs no look-up.

    A word stands for the twelve commonest words that begin with it; when none does, for those one typing error away.
    """
    words, exact = query_words(filters.q), filters.exact_terms
    if not words and len(exact) == 1:
        return Search(tuple(exact), (), {})
    if words and exact == [EVERYTHING]:
        exact = []
    groups = [Group((term,), weight) for term, weight in plain_rows(connection, _COMMON, terms=exact)] if exact else []
    if len(groups) < len(exact):
        return Search((), (), {}, hopeless=True)
    corrections: dict[str, str] = {}
    beginning: dict[str, list[tuple[str, int]]] = {}
    for word, term, weight in plain_rows(connection, _BEGINNING, words=words) if words else ():
        beginning.setdefault(word, []).append((term, weight))
    for word in words:
        found = beginning.get(word) or _similar(connection, word, corrections)
        if not found:
            return Search((), (), {}, hopeless=True)
        groups.append(Group(tuple(term for term, _ in found), sum(weight for _, weight in found)))
    first, *others = driver_first(groups)
    return Search(first.terms, tuple(" ".join(group.terms) for group in others), corrections)


def _similar(connection: Connection, word: str, corrections: dict[str, str]) -> list[tuple[str, int]]:
    near = plain_rows(connection, _SIMILAR, spellings=spellings(word))
    found = sorted(
        ((term, weight) for term, weight in near if within_one_error(word, term)), key=lambda pair: (-pair[1], pair[0])
    )
    if found:
        corrections[word] = found[0][0]
    return found[:_ALTERNATIVES]


# The shapes of the page statement are put together from these texts alone; what people type is always a parameter.
_PRICED = " AND p.price BETWEEN :low AND :high"
_ASKS = """
 AND NOT EXISTS (SELECT FROM unnest(:others) AS other(terms) WHERE NOT EXISTS (
   SELECT FROM search_posting AS o WHERE o.term = ANY(string_to_array(other.terms, ' ')) AND o.listing_id = p.listing_id))"""
_WALK = """SELECT listing_id FROM search_posting AS p
 WHERE p.term = {} AND p.listing_id < :before{} ORDER BY p.listing_id DESC LIMIT 25"""
_SEVERAL = """SELECT DISTINCT listing_id FROM unnest(:drivers) AS driver(term)
 CROSS JOIN LATERAL ({}) AS found ORDER BY listing_id DESC LIMIT 25"""
_FOLLOWING = "CASE WHEN (SELECT count(*) FROM hit) > 24 THEN min(listing_id::text) END"
_SHAPES = {
    "json": f"""'{{"items":[' || coalesce(string_agg('{{"available":' || available || ',' || substr(json, 2), ','
 ORDER BY listing_id DESC), '') || '],"next":' || coalesce(to_json({_FOLLOWING})::text, 'null')
 || ',"corrections":' || :corrections || '}}'""",
    "html": f"""coalesce(string_agg(CASE WHEN available THEN '<li class="card goods">' ELSE '<li class="card goods sold-out">' END
 || html || '</li>', '' ORDER BY listing_id DESC), '') AS cards, {_FOLLOWING} AS following""",
}
_STATEMENT = """WITH hit AS MATERIALIZED ({}), shown AS MATERIALIZED (SELECT listing_id FROM hit LIMIT 24)
SELECT {} FROM shown JOIN listing_card USING (listing_id)"""


@cache
def _page(*, several: bool, asks: bool, priced: bool, form: str) -> TextClause:
    """Return the statement of a page in one of its shapes: a condition that is not asked for is not in the SQL."""
    conditions = (_PRICED if priced else "") + (_ASKS if asks else "")
    hits = _SEVERAL.format(_WALK.format("driver.term", conditions)) if several else _WALK.format(":driver", conditions)
    statement = text(_STATEMENT.format(hits, _SHAPES[form]))
    arrays = [bindparam(name, type_=ARRAY(Text)) for name, used in (("drivers", several), ("others", asks)) if used]
    return statement.bindparams(*arrays)


def _find(connection: Connection, filters: Filters, cursor: str | None, form: str) -> tuple[TextClause, dict[str, Any], Search]:
    priced = filters.price_from is not None or filters.price_to is not None
    if priced and not filters.currency:
        raise PriceFilterNeedsCurrency("Choose the currency in which the price range is meant.", pointer="/currency")
    search = prepare_search(connection, filters)
    statement = _page(several=len(search.drivers) != 1, asks=bool(search.others), priced=priced, form=form)
    params: dict[str, Any] = {"before": _before(cursor)}
    if len(search.drivers) == 1:
        params["driver"] = search.drivers[0]
    else:
        params["drivers"] = list(search.drivers)
    if search.others:
        params["others"] = list(search.others)
    if priced:
        params["low"] = filters.price_from if filters.price_from is not None else 0
        params["high"] = filters.price_to if filters.price_to is not None else Decimal(10) ** 11
    return statement, params, search


def _before(cursor: str | None) -> UUID:
    if not cursor:
        return _NEWEST
    try:
        return UUID(cursor)
    except ValueError:
        raise paging.BadCursor("This page link is not valid any more. Start the list again.", pointer="/cursor") from None


def catalogue_page_json(connection: Connection, filters: Filters, *, cursor: str | None = None) -> bytes:
    """Return 24 published listings, newest first, as the JSON body of the API; `next` is the cursor of the following page.

    `corrections` says which words were read as others. Raises PriceFilterNeedsCurrency and BadCursor.
    """
    statement, params, search = _find(connection, filters, cursor, "json")
    corrections = json.dumps(search.corrections) if search.corrections else "{}"
    return json_bytes(connection, statement, **params, corrections=corrections)


@dataclass(frozen=True, slots=True)
class CataloguePage:
    """The same page as list items of HTML (already escaped when they were stored)."""

    cards: str
    next_cursor: str | None
    corrections: dict[str, str]


def catalogue_page_html(connection: Connection, filters: Filters, *, cursor: str | None = None) -> CataloguePage:
    """Return the page for people. Raises what `catalogue_page_json` raises."""
    statement, params, search = _find(connection, filters, cursor, "html")
    ((cards, following),) = plain_rows(connection, statement, **params)
    return CataloguePage(cards, following, search.corrections)


@dataclass(frozen=True, slots=True)
class Facet:
    """A value to filter by and how many listings have it."""

    value: str
    listings: int


_FACETS = text(
    "SELECT name, term, listings FROM unnest(ARRAY['category','certificate','coop','currency']) AS name"
    " CROSS JOIN LATERAL (SELECT term, listings FROM search_term WHERE term >= '#' || name || ':' AND term < '#' || name || ';'"
    " AND listings > 0 ORDER BY term LIMIT 200) AS found"
)


def facets(connection: Connection) -> dict[str, list[Facet]]:
    """Return what the catalogue can be filtered by: category, certificate, coop, currency, each by name."""
    result: dict[str, list[Facet]] = {"category": [], "certificate": [], "coop": [], "currency": []}
    for name, term, listings in plain_rows(connection, _FACETS):
        result[name].append(Facet(term.partition(":")[2], listings))
    return result


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
# The columns of ListingView in its order; `free` is what is there and not held.
_VIEWS = (
    select(
        *(getattr(Listing, name) for name in _OWN),
        *(Product.category, Product.name, Product.kind, Product.variety, Product.form, Product.characteristic, Product.quality),
        func.coalesce(Stock.unit, Listing.unit).label("stock_unit"),
        func.coalesce(Stock.on_hand - Stock.held, literal_column("0")).label("free"),
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
    return {row[0]: _view(row) for row in plain_rows(session.connection(), _BY_ID, ids=list(listing_ids))}


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
    statement = _VIEWS.where(Listing.id < _before(cursor)).order_by(Listing.id.desc()).limit(PAGE + 1)
    if producer_id is not None:
        statement = statement.where(Listing.producer_id == producer_id)
    rows = [_view(row) for row in session.execute(statement)]
    return paging.Page(rows[:PAGE], str(rows[PAGE - 1].id) if len(rows) > PAGE else None)


@dataclass(frozen=True, slots=True)
class ProductView:
    """A product to choose."""

    id: UUID
    category: str
    kind: str
    variety: str
    form: str
    characteristic: str
    quality: str
    name: str


def product(session: Session, product_id: UUID) -> ProductView:
    """Return one product. Raises ProductMissing."""
    row = session.get(Product, product_id)
    if row is None:
        raise ProductMissing("There is no such product. Choose one from the list or add it.", pointer="/product_id")
    return _product(row)


def products(session: Session) -> Sequence[ProductView]:
    """Return all products by category and name."""
    rows = session.scalars(select(Product).order_by(Product.category, Product.name, Product.id))
    return [_product(row) for row in rows]


def _product(row: Product) -> ProductView:
    return ProductView(row.id, row.category, row.kind, row.variety, row.form, row.characteristic, row.quality, row.name)
