"""What calls about orders take and give."""

from marshmallow import fields, validate

from market.api.openapi import MoneySchema, Strict
from market.api.v1.schemas.countries import Country
from market.kernel.languages import LANGUAGES


class OrderLineIn(Strict):
    """A quantity of a listing; `seen_price` refuses the order when the price has changed since."""

    listing_id = fields.UUID(required=True)
    quantity = fields.Decimal(required=True, as_string=True, validate=validate.Range(min=0, min_inclusive=False, max=10**9))
    seen_price = fields.Decimal(load_default=None, allow_none=True, as_string=True)


class BuyerIn(Strict):
    """Who orders and where it goes."""

    name = fields.String(required=True, validate=validate.Length(1, 200))
    email = fields.Email(required=True)
    street = fields.String(required=True, validate=validate.Length(1, 200))
    building = fields.String(load_default="", validate=validate.Length(max=50))
    postcode = fields.String(
        load_default="",
        validate=validate.Length(max=20),
        metadata={"description": "As the country writes it; empty where it has none"},
    )
    town = fields.String(required=True, validate=validate.Length(1, 200))
    country = fields.String(required=True, validate=Country())
    locale = fields.String(load_default="en", validate=validate.OneOf(LANGUAGES))


class OrderIn(Strict):
    """An order over any number of producers in one currency."""

    lines = fields.List(fields.Nested(OrderLineIn), required=True, validate=validate.Length(1, 100))
    buyer = fields.Nested(BuyerIn, required=True)
    method = fields.String(required=True, validate=validate.OneOf(["card", "transfer"]))


class PartOut(Strict):
    """One component of a line's price."""

    kind = fields.String()
    label = fields.String()
    amount = fields.Nested(MoneySchema, attribute="money")
    returned = fields.Nested(MoneySchema)
    payee = fields.String()


class LineOut(Strict):
    """An ordered quantity with its frozen breakdown."""

    id = fields.UUID()
    listing_id = fields.UUID()
    lot_id = fields.UUID()
    title = fields.String()
    unit = fields.String()
    quantity = fields.Decimal(as_string=True)
    returned = fields.Decimal(as_string=True)
    unsent = fields.Decimal(as_string=True, metadata={"description": "Part of `returned`: not there when packed, never charged"})
    unit_price = fields.Decimal(as_string=True)
    total = fields.Nested(MoneySchema)
    checks = fields.List(fields.UUID(), attribute="check_ids")
    breakdown = fields.List(fields.Nested(PartOut), attribute="parts")


class SellerOrderOut(Strict):
    """One producer's part of an order."""

    id = fields.UUID()
    order_id = fields.UUID()
    number = fields.String()
    coop_id = fields.UUID()
    coop = fields.String()
    producer_id = fields.UUID()
    producer = fields.String()
    state = fields.String()
    problem = fields.String(allow_none=True)
    total = fields.Nested(MoneySchema)
    goods = fields.Nested(MoneySchema)
    refunded = fields.Nested(MoneySchema)
    placed_at = fields.AwareDateTime()
    packed_at = fields.AwareDateTime(allow_none=True)
    shipped_at = fields.AwareDateTime(allow_none=True)
    tracking = fields.String(allow_none=True)
    lines = fields.List(fields.Nested(LineOut))


class SellerOrdersOut(Strict):
    """A page of seller orders, newest first."""

    items = fields.List(fields.Nested(SellerOrderOut))
    next_cursor = fields.String(allow_none=True)


class TransferOut(Strict):
    """Where a bank transfer goes and under which reference."""

    amount = fields.Nested(MoneySchema)
    holder = fields.String()
    iban = fields.String()
    bic = fields.String(allow_none=True)
    reference = fields.String()


class OrderOut(Strict):
    """An order with its parts; `key` opens it without an account."""

    id = fields.UUID()
    number = fields.Integer()
    state = fields.String()
    method = fields.String()
    total = fields.Nested(MoneySchema)
    refunded = fields.Nested(MoneySchema)
    placed_at = fields.AwareDateTime()
    paid_at = fields.AwareDateTime(allow_none=True)
    expires_at = fields.AwareDateTime()
    parts = fields.List(fields.Nested(SellerOrderOut))


class OrderQuery(Strict):
    """The key of a guest's order."""

    key = fields.String(load_default=None)


class SellerOrderQuery(Strict):
    """Which seller orders to list."""

    state = fields.String(load_default=None)
    cursor = fields.String(load_default=None)


class PlacedOut(Strict):
    """What was placed and how it is paid."""

    id = fields.UUID()
    number = fields.Integer()
    key = fields.String()
    total = fields.Nested(MoneySchema)
    payment_id = fields.UUID()
    payment_url = fields.String(allow_none=True)
    transfer = fields.Nested(TransferOut, allow_none=True)


class ShipIn(Strict):
    """How it was sent."""

    tracking = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=120))


class PackLineIn(Strict):
    """How much of a line is really sent; 0 where nothing is there."""

    line_id = fields.UUID(required=True)
    quantity = fields.Decimal(required=True, as_string=True, validate=validate.Range(min=0))


class PackIn(Strict):
    """Every line of the part, with what is sent of it."""

    lines = fields.List(fields.Nested(PackLineIn), required=True, validate=validate.Length(min=1))


class RefundLineIn(Strict):
    """A quantity of a line to give back."""

    line_id = fields.UUID(required=True)
    quantity = fields.Decimal(required=True, as_string=True, validate=validate.Range(min=0, min_inclusive=False))


class RefundIn(Strict):
    """What is given back, why, and who bears it; without lines, everything that is left."""

    lines = fields.List(fields.Nested(RefundLineIn), load_default=None, allow_none=True)
    reason = fields.String(required=True, validate=validate.Length(1, 500))
    bearer = fields.String(required=True, validate=validate.OneOf(["coop", "producer", "carrier"]))


class RefundOut(Strict):
    """The refund that was decided."""

    refund_id = fields.UUID()


class ChangeLineIn(Strict):
    """How much of a line is wanted in all; 0 cancels it."""

    line_id = fields.UUID(required=True)
    quantity = fields.Decimal(required=True, as_string=True, validate=validate.Range(min=0, max=10**9))


class ChangeIn(Strict):
    """What a buyer wants of a part that is paid and not sent."""

    lines = fields.List(fields.Nested(ChangeLineIn), required=True, validate=validate.Length(1, 100))


class ChangedOut(Strict):
    """What came of it: a refund of what is less, a further order of what is more."""

    refund_id = fields.UUID(allow_none=True)
    more = fields.Nested(PlacedOut, allow_none=True)


class SubstituteIn(Strict):
    """Something else of the same producer, instead of a line."""

    line_id = fields.UUID(required=True)
    listing_id = fields.UUID(required=True)
    quantity = fields.Decimal(required=True, as_string=True, validate=validate.Range(min=0, min_inclusive=False, max=10**9))
    words = fields.String(load_default="", validate=validate.Length(max=500))


class SubstituteOut(Strict):
    """The question to the buyer, and the answer as far as there is one."""

    id = fields.UUID()
    seller_order_id = fields.UUID()
    line_id = fields.UUID()
    listing_id = fields.UUID()
    title = fields.String()
    unit = fields.String()
    quantity = fields.Decimal(as_string=True)
    unit_price = fields.Decimal(as_string=True)
    words = fields.String()
    state = fields.String()


class SubstitutesOut(Strict):
    """The questions about an order, oldest first."""

    items = fields.List(fields.Nested(SubstituteOut))


class AnswerIn(Strict):
    """The buyer's yes or no."""

    accept = fields.Boolean(required=True)
