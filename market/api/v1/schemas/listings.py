"""Shapes of listings, products and photos on the wire."""

from decimal import Decimal

from marshmallow import fields, validate

from market.api.openapi import MoneySchema, Strict
from market.kernel.languages import LANGUAGES
from market.pricing.rules import UNITS

PRICE = validate.Range(min=0, min_inclusive=False)


class ListingQuery(Strict):
    """How to narrow the catalogue. Prices are of what the card shows (`per`), in major units of `currency`."""

    q = fields.String(
        load_default="", validate=validate.Length(max=200), metadata={"description": "words; accents and a typo are forgiven"}
    )
    category = fields.String(validate=validate.Length(1, 60))
    coop = fields.String(validate=validate.Length(1, 60), metadata={"description": "slug of a co-op"})
    certificate = fields.String(validate=validate.Length(1, 60), metadata={"description": "scheme of a certificate"})
    currency = fields.String(validate=validate.Regexp("^[A-Z]{3}$"))
    price_from = fields.Decimal(validate=validate.Range(min=0, max=10**9))
    price_to = fields.Decimal(validate=validate.Range(min=0, max=10**9))
    cursor = fields.String(validate=validate.Length(max=100))


class CursorQuery(Strict):
    """Where a page of a list begins."""

    cursor = fields.String(validate=validate.Length(max=100))


class ProductShort(Strict):
    """What a listing is of."""

    name = fields.String(required=True)
    category = fields.String(required=True)
    quality = fields.String(required=True)


class ProducerShort(Strict):
    """Whose it is."""

    slug = fields.String(required=True)
    name = fields.String(required=True)
    region = fields.String(required=True)


class CoopShort(Strict):
    """Through which co-op."""

    slug = fields.String(required=True)
    name = fields.String(required=True)
    country = fields.String(required=True)


class Measure(Strict):
    """How much a price is for."""

    quantity = fields.Decimal(required=True, as_string=True)
    unit = fields.String(required=True)


class Part(Strict):
    """One part of the price, in minor units of its currency."""

    kind = fields.String(required=True)
    minor = fields.Integer(required=True)


class CertificateShort(Strict):
    """A certificate that covers the listing."""

    scheme = fields.String(required=True)
    number = fields.String(required=True)


class PhotoSize(Strict):
    """One size of a photo, under /media/."""

    key = fields.String(required=True)
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)


class Photo(Strict):
    """A photo in three sizes, smallest first, and what it shows."""

    alt = fields.String(required=True)
    sizes = fields.List(fields.Nested(PhotoSize), required=True)


class CardSchema(Strict):
    """A published listing as the catalogue shows it. `parts` sum to `price`; transport per order line comes on top."""

    available = fields.Boolean(required=True)
    id = fields.UUID(required=True)
    lot_id = fields.UUID(required=True)
    title = fields.String(required=True)
    language = fields.String(required=True, allow_none=True, metadata={"description": "of the title; null: nobody said"})
    titles = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "its author's translations, by language"},
    )
    product = fields.Nested(ProductShort, required=True)
    producer = fields.Nested(ProducerShort, required=True)
    coop = fields.Nested(CoopShort, required=True)
    price = fields.Nested(MoneySchema, required=True)
    per = fields.Nested(Measure, required=True)
    comparison_price = fields.Nested(MoneySchema, required=True)
    comparison_unit = fields.String(required=True)
    parts = fields.List(fields.Nested(Part), required=True)
    certificates = fields.List(fields.Nested(CertificateShort), required=True)
    photo = fields.Nested(Photo, required=True, allow_none=True)


class CardPage(Strict):
    """24 listings, newest first. `next` is the cursor of the following page; `corrections` maps typed words to those read."""

    items = fields.List(fields.Nested(CardSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    corrections = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class Free(Strict):
    """What can be ordered now, in the lot's own unit."""

    free = fields.Decimal(required=True, as_string=True)
    unit = fields.String(required=True)


class ListingDetail(CardSchema):
    """One published listing: its card, the producer's own price of one unit with its check, and the stock."""

    state = fields.String(required=True)
    description = fields.String(required=True)
    claims = fields.List(fields.String(), required=True)
    unit_price = fields.Decimal(required=True, as_string=True)
    premium_per_unit = fields.Decimal(required=True, as_string=True)
    organic_per_unit = fields.Decimal(required=True, as_string=True)
    floor_price = fields.Decimal(required=True, allow_none=True, as_string=True)
    floor_words = fields.String(required=True, allow_none=True)
    market_price = fields.Decimal(required=True, allow_none=True, as_string=True)
    check_outcome = fields.String(required=True, allow_none=True)
    checked_on = fields.Date(required=True, allow_none=True)
    check_ids = fields.List(fields.UUID(), required=True)
    stock = fields.Nested(Free, required=True)


class ListingIn(Strict):
    """A new listing. `unit_price` is the producer's own price of one unit, without premium and charges."""

    product_id = fields.UUID(required=True)
    lot_id = fields.UUID(required=True)
    title = fields.String(required=True, validate=validate.Length(3, 120))
    description = fields.String(load_default="", validate=validate.Length(max=4000))
    unit = fields.String(required=True, validate=validate.OneOf(sorted(UNITS)))
    unit_price = fields.Decimal(required=True, places=None, validate=PRICE)
    currency = fields.String(required=True, validate=validate.Regexp("^[A-Z]{3}$"))
    order_step = fields.Decimal(load_default=Decimal(1), validate=PRICE)
    claims = fields.List(fields.String(validate=validate.Length(1, 60)), load_default=list, validate=validate.Length(max=12))
    incoterm = fields.String(load_default="", validate=validate.Length(max=20))
    language = fields.String(
        load_default="", validate=validate.OneOf(("", *LANGUAGES)), metadata={"description": "of title and description"}
    )


class ListingPatch(Strict):
    """What changes of a listing; a published one is checked again."""

    title = fields.String(validate=validate.Length(3, 120))
    description = fields.String(validate=validate.Length(max=4000))
    unit = fields.String(validate=validate.OneOf(sorted(UNITS)))
    unit_price = fields.Decimal(validate=PRICE)
    currency = fields.String(validate=validate.Regexp("^[A-Z]{3}$"))
    order_step = fields.Decimal(validate=PRICE)
    claims = fields.List(fields.String(validate=validate.Length(1, 60)), validate=validate.Length(max=12))
    incoterm = fields.String(validate=validate.Length(max=20))


class WithdrawIn(Strict):
    """Why an offer leaves the shop."""

    reason = fields.String(required=True, validate=validate.Length(3, 300))


class OwnListing(Strict):
    """A listing as its producer sees it, in any state."""

    id = fields.UUID(required=True)
    state = fields.String(required=True)
    title = fields.String(required=True)
    description = fields.String(required=True)
    product_id = fields.UUID(required=True)
    lot_id = fields.UUID(required=True)
    unit = fields.String(required=True)
    unit_price = fields.Decimal(required=True, as_string=True)
    currency = fields.String(required=True)
    order_step = fields.Decimal(required=True, as_string=True)
    claims = fields.List(fields.String(), required=True)
    incoterm = fields.String(required=True)
    premium_per_unit = fields.Decimal(required=True, as_string=True)
    floor_price = fields.Decimal(required=True, allow_none=True, as_string=True)
    floor_words = fields.String(required=True, allow_none=True)
    check_outcome = fields.String(required=True, allow_none=True)
    check_ids = fields.List(fields.UUID(), required=True)
    photo = fields.Nested(Photo, required=True, allow_none=True)
    stock_unit = fields.String(required=True)
    free = fields.Decimal(required=True, as_string=True)


class OwnListingPage(Strict):
    """Listings of this producer or co-op, newest first."""

    items = fields.List(fields.Nested(OwnListing), required=True)
    next = fields.String(required=True, allow_none=True)


class ProductIn(Strict):
    """A product, in the codes of the price tables."""

    category = fields.String(required=True, validate=validate.Regexp("^[a-z0-9]+(-[a-z0-9]+)*$"))
    kind = fields.String(required=True, validate=validate.Length(1, 60))
    variety = fields.String(load_default="", validate=validate.Length(max=60))
    form = fields.String(load_default="", validate=validate.Length(max=60))
    characteristic = fields.String(load_default="", validate=validate.Length(max=60))
    quality = fields.String(load_default="conventional", validate=validate.OneOf(["conventional", "organic"]))
    name = fields.String(required=True, validate=validate.Length(2, 120))


class ProductOut(ProductIn):
    """A product with its id."""

    id = fields.UUID(required=True)


class ProductList(Strict):
    """All products by category and name."""

    items = fields.List(fields.Nested(ProductOut), required=True)


class StockIn(Strict):
    """What a count found of a lot, in its own unit."""

    on_hand = fields.Decimal(required=True, validate=validate.Range(min=0))
