"""What calls that decide a proposal take, and what is told of one, whatever was proposed."""

from marshmallow import fields

from market.api.openapi import Strict


class WordIn(Strict):
    """The second person's word on a proposal."""

    agreed = fields.Boolean(required=True)


class Proposed(Strict):
    """Who proposed something that another person decides, and when."""

    proposed_by = fields.String(required=True)
    proposed_at = fields.AwareDateTime(required=True)


class Decided(Proposed):
    """Who proposed something, and who decided about it; null until somebody has."""

    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
