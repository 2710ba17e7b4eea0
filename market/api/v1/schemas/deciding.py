"""What calls that decide a proposal take, whatever was proposed."""

from marshmallow import fields

from market.api.openapi import Strict


class WordIn(Strict):
    """The second person's word on a proposal."""

    agreed = fields.Boolean(required=True)
