"""What calls about a community currency take and give; amounts are in its unit, `XCC`."""

from marshmallow import fields, validate

from market.api.openapi import MOST_MINOR, Strict
from market.treasury.community_models import UNIT


class CommunityMoney(Strict):
    """An amount in minor units of the community's unit; it is no currency of ISO 4217."""

    minor = fields.Integer(required=True, strict=True, validate=validate.Range(-MOST_MINOR, MOST_MINOR))
    currency = fields.String(required=True, validate=validate.Equal(UNIT))


class SchemeIn(Strict):
    """Where the legal check is kept and by whom it was made; above `authorise_above` a second person authorises a transfer."""

    legal_check = fields.String(required=True, validate=validate.Length(10, 300))
    authorise_above = fields.Nested(CommunityMoney, required=True)


class SchemeOut(Strict):
    """The co-op's community currency, proposed or open."""

    id = fields.UUID()
    state = fields.String()
    legal_check = fields.String()
    authorise_above = fields.Nested(CommunityMoney)
    proposed_by = fields.String()


class HolderIn(Strict):
    """An account for a member: how far it may fall below zero, to how much that may grow, how far it may rise."""

    producer_id = fields.UUID(required=True)
    limit_down = fields.Nested(CommunityMoney, required=True)
    growth_cap = fields.Nested(CommunityMoney, required=True)
    limit_up = fields.Nested(CommunityMoney, load_default=None, allow_none=True)


class HolderOut(Strict):
    """A holder with the balance of the books, and what can still be spent."""

    id = fields.UUID()
    producer_id = fields.UUID()
    name = fields.String()
    state = fields.String()
    balance = fields.Nested(CommunityMoney)
    spendable = fields.Nested(CommunityMoney)
    limit_down = fields.Nested(CommunityMoney)
    limit_up = fields.Nested(CommunityMoney, allow_none=True)
    growth_cap = fields.Nested(CommunityMoney)
    proposed_by = fields.String()


class CurrencyOut(Strict):
    """The scheme, None where there is none, and its holders by name."""

    scheme = fields.Nested(SchemeOut, allow_none=True)
    holders = fields.List(fields.Nested(HolderOut))


class PartnerOut(Strict):
    """Somebody who can be paid."""

    id = fields.UUID()
    name = fields.String()


class OwnAccountOut(Strict):
    """The caller's own account, None without one, and whom they can pay."""

    account = fields.Nested(HolderOut, allow_none=True)
    partners = fields.List(fields.Nested(PartnerOut))


class CommunityTransferIn(Strict):
    """What one holder pays another; without `payer_id` the caller pays from their own account."""

    payer_id = fields.UUID(load_default=None, allow_none=True)
    payee_id = fields.UUID(required=True)
    amount = fields.Nested(CommunityMoney, required=True)
    words = fields.String(required=True, validate=validate.Length(2, 200))


class CommunityTransferOut(Strict):
    """A transfer: `committed`, `pending` while it waits for a second person, or `denied`."""

    id = fields.UUID()
    payer = fields.String()
    payee = fields.String()
    money = fields.Nested(CommunityMoney)
    words = fields.String()
    state = fields.String()
    asked_by = fields.String()
    asked_at = fields.AwareDateTime()


class CommunityTransfersOut(Strict):
    """Transfers, newest first."""

    items = fields.List(fields.Nested(CommunityTransferOut))


class LeavingIn(Strict):
    """The minutes of the members' decision to take over what a holder owes."""

    minutes = fields.String(required=True, validate=validate.Length(3, 200))


class OrderPartOut(Strict):
    """What of an order is `paid` in the unit, and what could be: zero where that is nothing."""

    paid = fields.Nested(CommunityMoney)
    offered = fields.Nested(CommunityMoney)
