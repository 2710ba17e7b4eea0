"""What calls about people, sign-in and API keys take and give."""

from marshmallow import fields, validate

from market.accounts.rules import LOCALES, SCOPES
from market.api.openapi import Strict


class SignUpIn(Strict):
    """A new person; a letter with a link follows."""

    email = fields.Email(required=True)
    name = fields.String(required=True, validate=validate.Length(1, 200))
    password = fields.String(required=True, load_only=True, validate=validate.Length(10, 200))


class SignUpOut(Strict):
    """The same for a new and for a known address: nobody learns who has an account."""

    detail = fields.String(required=True)


class SignInIn(Strict):
    """Proof of identity."""

    email = fields.Email(required=True)
    password = fields.String(required=True, load_only=True, validate=validate.Length(1, 200))


class CoopRefOut(Strict):
    """A co-op that the person has to do with."""

    id = fields.UUID()
    slug = fields.String()
    name = fields.String()


class MeOut(Strict):
    """Who calls, for which co-op they work now, and what they may do there."""

    account_id = fields.UUID()
    email = fields.String()
    name = fields.String()
    locale = fields.String()
    roles = fields.List(fields.String())
    coop_id = fields.UUID(allow_none=True)
    producer_id = fields.UUID(allow_none=True)
    scopes = fields.List(fields.String(), allow_none=True, metadata={"description": "Null for a person, who is not limited."})
    coops = fields.List(fields.Nested(CoopRefOut))


class SessionOut(Strict):
    """A session: the cookie is set, and unsafe calls carry `csrf_token` in the header X-CSRFToken."""

    me = fields.Nested(MeOut)
    csrf_token = fields.String()


class ChooseCoopIn(Strict):
    """The co-op to work for in this session."""

    coop_id = fields.UUID(required=True)


class ProfileIn(Strict):
    """What a person says of themselves."""

    name = fields.String(required=True, validate=validate.Length(1, 200))
    locale = fields.String(required=True, validate=validate.OneOf(LOCALES))


class ApiKeyIn(Strict):
    """A key to be made; it acts for its maker, in the co-op they work for now."""

    label = fields.String(required=True, validate=validate.Length(1, 100))
    scopes = fields.List(fields.String(validate=validate.OneOf(sorted(SCOPES))), required=True, validate=validate.Length(1))
    expires_at = fields.AwareDateTime(required=True)


class ApiKeyOut(Strict):
    """A key without its secret."""

    id = fields.UUID()
    label = fields.String()
    prefix = fields.String()
    scopes = fields.List(fields.String())
    coop_id = fields.UUID(allow_none=True)
    created_at = fields.AwareDateTime()
    expires_at = fields.AwareDateTime()
    revoked_at = fields.AwareDateTime(allow_none=True)
    last_used_at = fields.AwareDateTime(allow_none=True)


class ApiKeysOut(Strict):
    """All keys of a person, newest first."""

    items = fields.List(fields.Nested(ApiKeyOut))


class NewApiKeyOut(Strict):
    """A new key; `key` is shown this once. Send it as `Authorization: Bearer`."""

    id = fields.UUID()
    key = fields.String()
    expires_at = fields.AwareDateTime()
