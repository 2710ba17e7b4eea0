"""What the public price check takes and gives."""

import re
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate
from webargs.fields import DelimitedList

from market.api.openapi import MoneySchema, Strict
from market.api.v1.schemas.countries import Country
from market.kernel.money import EXPONENTS
from market.pricing.rules import UNITS

_PLAIN = re.compile(r"(?!0+(\.0+)?$)[0-9]{1,12}(\.[0-9]{1,6})?")
_WORD = validate.Length(max=100)
CLAIMS = ("fairtrade", "fairtrade_usa", "spp", "wfto", "organic")


class PlainDecimal(fields.String):
    """A positive decimal as text, at most twelve digits before and six after the point: no exponents, no surprises."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:  # type: ignore[override]
        text = super()._deserialize(value, attr, data, **kwargs)
        if not _PLAIN.fullmatch(text):
            raise ValidationError("Write a number above zero with a point and at most six decimals, such as 3.97.")
        return Decimal(text)


def _decimal(example: str, **more: Any) -> PlainDecimal:
    return PlainDecimal(metadata={"pattern": f"^{_PLAIN.pattern}$", "example": example}, **more)


class PriceCheckQuery(Strict):
    """The offer to check: goods, price per unit without premium, day, claims."""

    product = fields.String(required=True, validate=validate.Length(min=1, max=100), metadata={"example": "coffee"})
    variety = fields.String(load_default="", validate=_WORD, metadata={"example": "arabica"})
    form = fields.String(load_default="", validate=_WORD, metadata={"example": "washed green"})
    quality = fields.String(load_default="conventional", validate=validate.OneOf(["conventional", "organic"]))
    origin = fields.String(load_default="", validate=Country(optional=True), metadata={"example": "PE"})
    incoterm = fields.String(load_default="", validate=_WORD, metadata={"example": "FOB"})
    price = _decimal("3.97", required=True)
    currency = fields.String(required=True, validate=validate.OneOf(sorted(EXPONENTS)), metadata={"example": "USD"})
    unit = fields.String(required=True, validate=validate.Regexp(r"^[A-Za-z0-9 _]{1,40}$"), metadata={"example": "kg"})
    quantity = _decimal("100", load_default=Decimal(1))
    claims = DelimitedList(fields.String(validate=validate.OneOf(CLAIMS)), load_default=list, metadata={"example": "fairtrade"})
    on = fields.Date(metadata={"example": "2026-11-25", "description": "Day of the contract; today when absent."})
    includes_premium = fields.Boolean(load_default=False)


class FloorOut(Strict):
    """The floor that asks most of the offer, in its own currency and unit."""

    kind = fields.String(required=True, validate=validate.OneOf(["statute", "scheme", "coop", "contract"]))
    label = fields.String(required=True)
    amount = fields.String(required=True)
    currency = fields.String(required=True)
    unit = fields.String(required=True)
    reference_id = fields.UUID(allow_none=True)


class ShortOut(Strict):
    """What a price lacks for one unit of its floor, exactly."""

    amount = fields.String(required=True)
    currency = fields.String(required=True)
    unit = fields.String(required=True)


class CheckOut(Strict):
    """One rule with its sentence, and the inputs that run it again."""

    rule = fields.String(required=True)
    version = fields.Integer(required=True)
    outcome = fields.String(required=True, validate=validate.OneOf(["ok", "warning", "not_checkable", "violation"]))
    reason = fields.String(required=True)
    words = fields.String(required=True)
    blocks = fields.List(fields.String(), required=True, metadata={"description": "Gates that this violation blocks."})
    amount_short = fields.Nested(
        MoneySchema,
        allow_none=True,
        metadata={"description": "For the quantity; 0 where less than half a minor unit is missing."},
    )
    short_per_unit = fields.Nested(ShortOut, allow_none=True)
    inputs = fields.Dict(required=True)


class StoredCheckOut(CheckOut):
    """A check as it was stored, and what the same inputs give today."""

    id = fields.UUID(required=True)
    listing_id = fields.UUID(required=True)
    gate = fields.String(required=True)
    evaluated_at = fields.AwareDateTime(required=True)
    evaluated_for = fields.Date(required=True)
    again = fields.Nested(CheckOut, required=True, metadata={"description": "The stored inputs run through the rule now."})
    holds = fields.Boolean(required=True, metadata={"description": "Whether both have the same outcome and shortfall."})


class PriceCheckOut(Strict):
    """The verdict on an offer."""

    outcome = fields.String(required=True, validate=validate.OneOf(["ok", "warning", "not_checkable", "violation"]))
    on = fields.Date(required=True)
    goods = fields.String(required=True)
    price = fields.String(required=True)
    unit = fields.String(required=True, metadata={"description": f"One of {', '.join(UNITS)}, or a declared packaging."})
    currency = fields.String(required=True)
    floor = fields.Nested(FloorOut, allow_none=True)
    passing_price = fields.String(allow_none=True, metadata={"description": "The lowest price per unit that passes."})
    premium_per_unit = fields.String(required=True)
    amount_short = fields.Nested(
        MoneySchema,
        allow_none=True,
        metadata={"description": "For the quantity; 0 where less than half a minor unit is missing."},
    )
    claims_carried = fields.List(fields.String(), required=True)
    checks = fields.List(fields.Nested(CheckOut), required=True)
