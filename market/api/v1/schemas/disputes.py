"""What calls about card disputes take and give."""

from marshmallow import fields, validate

from market.api.openapi import MoneySchema, Strict


class DisputeBearingOut(Strict):
    """What each bears of a lost dispute about one seller order."""

    seller_order_id = fields.UUID()
    producer = fields.Nested(MoneySchema)
    fund = fields.Nested(MoneySchema)
    coop = fields.Nested(MoneySchema)
    reason = fields.String()


class DisputeOut(Strict):
    """A buyer's objection to a card payment; `state` in the card processor's words."""

    id = fields.UUID()
    payment_id = fields.UUID()
    provider_ref = fields.String()
    state = fields.String()
    reason = fields.String()
    money = fields.Nested(MoneySchema)
    opened_at = fields.AwareDateTime()
    evidence_due_at = fields.AwareDateTime(allow_none=True)
    submitted_at = fields.AwareDateTime(allow_none=True)
    closed_at = fields.AwareDateTime(allow_none=True)
    bearings = fields.List(fields.Nested(DisputeBearingOut))


class DisputesOut(Strict):
    """Disputes: what waits for an answer first, then the newest."""

    items = fields.List(fields.Nested(DisputeOut))


class EvidenceIn(Strict):
    """The co-op's side, in words that the buyer's bank reads; it is taken once."""

    evidence = fields.String(required=True, validate=validate.Length(20, 20000))


class BearerIn(Strict):
    """Who bears what a lost dispute took of one seller order."""

    seller_order_id = fields.UUID(required=True)
    goods = fields.String(required=True, validate=validate.OneOf(["coop", "producer"]))
    premium = fields.String(required=True, validate=validate.OneOf(["coop", "fund"]))
    reason = fields.String(required=True, validate=validate.Length(1, 500))
