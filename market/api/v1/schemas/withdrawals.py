"""What the API takes and gives about withdrawals of lots."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from marshmallow import fields, validate

from market.api.openapi import MoneySchema, Strict
from market.provenance.service import ADVICE
from market.provenance.withdrawal_queries import WithdrawalView
from market.reports.queries.withdrawals import Reached

_REASON = {"description": "in plain words; buyers, producers and everybody on the lot's page read it"}


class WithdrawalIn(Strict):
    """Why a lot is withdrawn, and what those do who have goods of it."""

    reason = fields.String(required=True, validate=validate.Length(1, 1000), metadata=_REASON)
    advice = fields.String(required=True, validate=validate.OneOf(ADVICE))
    with_lots = fields.List(
        fields.UUID(), metadata={"description": "of what was made from it, what is withdrawn too; without, all of it"}
    )


class WithdrawalEndIn(Strict):
    """Why a withdrawal is taken back."""

    reason = fields.String(required=True, validate=validate.Length(1, 1000), metadata=_REASON)


class ReachedSchema(Strict):
    """A line of an order that a withdrawal reached; `sent`: it had left."""

    seller_order_id = fields.UUID(required=True)
    number = fields.String(required=True)
    buyer = fields.String(required=True)
    title = fields.String(required=True)
    unit = fields.String(required=True)
    quantity = fields.Decimal(as_string=True, required=True)
    sent = fields.Boolean(required=True)
    state = fields.String(required=True)


class WithdrawalOut(Strict):
    """A withdrawal: the lots that it withdraws, those made from them that stay on sale, and the lines that it reached so far."""

    id = fields.UUID(required=True)
    lot_id = fields.UUID(required=True)
    reason = fields.String(required=True)
    advice = fields.String(required=True)
    withdrawn_at = fields.AwareDateTime(required=True)
    ended_reason = fields.String(required=True, allow_none=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)
    lots = fields.List(fields.UUID(), required=True)
    kept = fields.List(fields.UUID(), required=True)
    reached = fields.List(fields.Nested(ReachedSchema), required=True)


class MadeLotSchema(Strict):
    """A lot that was made from another."""

    id = fields.UUID(required=True)
    slug = fields.String(required=True)
    name = fields.String(required=True)
    label = fields.String(required=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)


class AtStakeSchema(Strict):
    """What a withdrawal would stop now: offers, and orders that are unpaid, paid and not sent, sent; `back` goes to buyers."""

    offers = fields.Integer(required=True)
    unpaid = fields.Integer(required=True)
    unsent = fields.Integer(required=True)
    sent = fields.Integer(required=True)
    back = fields.List(fields.Nested(MoneySchema), required=True)


class LotStandingOut(Strict):
    """How a lot stands: its withdrawals, newest first, and what hangs on it."""

    withdrawals = fields.List(fields.Nested(WithdrawalOut), required=True)
    made_from_it = fields.List(fields.Nested(MadeLotSchema), required=True)
    at_stake = fields.Nested(AtStakeSchema, required=True)


def shown(view: WithdrawalView, lines: Sequence[Reached]) -> dict[str, Any]:
    """Return a withdrawal with the lines that it reached, as `WithdrawalOut` names them."""
    hidden = ("coop_id", "withdrawn_by", "ended_by")
    own = {name: value for name, value in asdict(view).items() if name not in hidden}
    return own | {"reached": [asdict(line) for line in lines]}
