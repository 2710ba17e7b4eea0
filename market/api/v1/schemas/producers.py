"""What calls about co-ops, producers, members, accounts to pay to and certificates take and give."""

from decimal import Decimal

from marshmallow import fields, validate

from market.accounts.rules import COOP_ROLES, LOCALES
from market.api.openapi import Strict
from market.api.v1.schemas.countries import Country
from market.kernel.languages import LANGUAGES
from market.producers.rules import CERTIFICATE_KINDS, RAILS, SELLER_KINDS

_COUNTRY = Country()
_TEXT = validate.Length(max=200)


def _decimal(**more: object) -> fields.Decimal:
    return fields.Decimal(as_string=True, allow_nan=False, **more)  # type: ignore[arg-type]


class CoopTermsIn(Strict):
    """What a co-op says of itself and charges the buyer."""

    name = fields.String(required=True, validate=validate.Length(2, 120))
    country = fields.String(required=True, validate=_COUNTRY)
    region = fields.String(load_default="", validate=_TEXT)
    time_zone = fields.String(load_default="UTC", validate=validate.Length(max=60))
    language = fields.String(load_default="en", validate=validate.OneOf(LOCALES))
    story = fields.String(load_default="", validate=validate.Length(max=5000))
    service_pct = _decimal(load_default=Decimal(0))
    payment_pct = _decimal(load_default=Decimal(0))
    tax_pct = _decimal(load_default=Decimal(0))
    transport_minor_per_line = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 10**12))
    delivery_from_days = fields.Integer(load_default=5, strict=True, validate=validate.Range(0, 365))
    delivery_to_days = fields.Integer(load_default=14, strict=True, validate=validate.Range(0, 365))
    account_holder = fields.String(load_default="", validate=validate.Length(max=70))
    iban = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=42))
    bic = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=11))
    street = fields.String(load_default="", validate=_TEXT)
    building = fields.String(load_default="", validate=_TEXT)
    town = fields.String(load_default="", validate=_TEXT)
    postcode = fields.String(load_default="", validate=_TEXT)
    latitude = _decimal(load_default=None, allow_none=True, validate=validate.Range(-90, 90))
    longitude = _decimal(load_default=None, allow_none=True, validate=validate.Range(-180, 180))
    transfer_hold_days = fields.Integer(load_default=5, strict=True, validate=validate.Range(1, 31))
    part_paid_days = fields.Integer(load_default=14, strict=True, validate=validate.Range(1, 90))
    book_alone_minor = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 10**12))
    charge_when_packed = fields.Boolean(load_default=False)


class TextSchema(Strict):
    """A translation: a title where the subject has one, and the text."""

    title = fields.String(load_default="", validate=validate.Length(max=120))
    body = fields.String(load_default="", validate=validate.Length(max=5000))


class TextsSchema(Strict):
    """In which language an original is written (empty: not said), and its translations; they replace what was."""

    language = fields.String(required=True, validate=validate.OneOf(("", *LANGUAGES)))
    translations = fields.Dict(
        keys=fields.String(validate=validate.OneOf(LANGUAGES)), values=fields.Nested(TextSchema), required=True
    )


class CoopIn(CoopTermsIn):
    """A co-op to be opened; its currency stays for good."""

    currency = fields.String(required=True, validate=validate.Length(equal=3))
    slug = fields.String(load_default="", validate=validate.Length(max=60))


class CoopOut(Strict):
    """A co-op as everybody sees it; percentages are of the buyer's side of a price."""

    id = fields.UUID()
    slug = fields.String()
    name = fields.String()
    country = fields.String()
    region = fields.String()
    currency = fields.String()
    time_zone = fields.String()
    language = fields.String()
    story = fields.String()
    service_pct = _decimal()
    payment_pct = _decimal()
    tax_pct = _decimal()
    transport_minor_per_line = fields.Integer()
    delivery_from_days = fields.Integer()
    delivery_to_days = fields.Integer()
    town = fields.String()
    latitude = _decimal(allow_none=True)
    longitude = _decimal(allow_none=True)


class CoopsOut(Strict):
    """All co-ops by name."""

    items = fields.List(fields.Nested(CoopOut))


class RoleIn(Strict):
    """A role for a person of a co-op; somebody without an account is invited by mail."""

    email = fields.Email(required=True)
    name = fields.String(load_default="", validate=_TEXT)
    role = fields.String(required=True, validate=validate.OneOf(sorted(COOP_ROLES)))
    locale = fields.String(load_default="en", validate=validate.OneOf(LOCALES))


class RoleOut(Strict):
    """Somebody's role."""

    id = fields.UUID()
    account_id = fields.UUID()
    role = fields.String()
    coop_id = fields.UUID(allow_none=True)
    granted_at = fields.AwareDateTime()
    email = fields.String()
    name = fields.String()


class RolesOut(Strict):
    """Who holds which role."""

    items = fields.List(fields.Nested(RoleOut))


class ProducerQuery(Strict):
    """Which producers, and from where on."""

    coop_id = fields.UUID(load_default=None)
    cursor = fields.String(load_default=None)


class PageQuery(Strict):
    """From where on."""

    cursor = fields.String(load_default=None)


class ProducerEditIn(Strict):
    """What a producer shows of themselves."""

    name = fields.String(required=True, validate=validate.Length(2, 120))
    region = fields.String(load_default="", validate=_TEXT)
    story = fields.String(load_default="", validate=validate.Length(max=5000))
    language = fields.String(load_default="en", validate=validate.OneOf(LOCALES))
    sms_phone = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=20))


class IdentityIn(Strict):
    """Who a seller is for the tax office (DAC7); what is not known is left out or empty."""

    kind = fields.String(load_default="person", validate=validate.OneOf(SELLER_KINDS))
    legal_name = fields.String(load_default="", validate=_TEXT)
    street = fields.String(load_default="", validate=_TEXT)
    building = fields.String(load_default="", validate=_TEXT)
    town = fields.String(load_default="", validate=_TEXT)
    postcode = fields.String(load_default="", validate=_TEXT)
    country = fields.String(load_default="", validate=validate.Length(max=2))
    tax_number = fields.String(load_default="", validate=_TEXT)
    tax_country = fields.String(load_default="", validate=validate.Length(max=2))
    vat_number = fields.String(load_default="", validate=_TEXT)
    birth_place = fields.String(load_default="", validate=_TEXT)
    registration_number = fields.String(load_default="", validate=_TEXT)
    born_on = fields.Date(load_default=None, allow_none=True)


class IdentityOut(IdentityIn):
    """The same with the names of what a report of the seller still lacks."""

    missing = fields.List(fields.String())


class ProducerIn(ProducerEditIn):
    """A new member; with an e-mail address they are invited to an account of their own."""

    joined_on = fields.Date(load_default=None)
    email = fields.Email(load_default=None)


class ProducerOut(Strict):
    """A producer as everybody sees them."""

    id = fields.UUID()
    coop_id = fields.UUID()
    slug = fields.String()
    name = fields.String()
    region = fields.String()
    story = fields.String()
    language = fields.String()


class ProducersOut(Strict):
    """A page of producers."""

    items = fields.List(fields.Nested(ProducerOut))
    next_cursor = fields.String(allow_none=True)


class MemberOut(Strict):
    """A membership as the co-op sees it."""

    id = fields.UUID()
    number = fields.Integer()
    joined_on = fields.Date()
    left_on = fields.Date(allow_none=True)
    producer = fields.Nested(ProducerOut)
    sms_phone = fields.String(attribute="producer.sms_phone", allow_none=True)
    account_id = fields.UUID(attribute="producer.account_id", allow_none=True)


class MembersOut(Strict):
    """A page of members by number."""

    items = fields.List(fields.Nested(MemberOut))
    next_cursor = fields.String(allow_none=True)


class LeaveIn(Strict):
    """The last day of a membership."""

    left_on = fields.Date(required=True)


class InviteIn(Strict):
    """The e-mail address of the person who is this producer."""

    email = fields.Email(required=True)


class PayToIn(Strict):
    """Where a producer wants to be paid in one currency."""

    rail = fields.String(required=True, validate=validate.OneOf(RAILS))
    currency = fields.String(required=True, validate=validate.Length(equal=3))
    holder = fields.String(required=True, validate=validate.Length(1, 70))
    iban = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=42))
    bic = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=11))
    stripe_account = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=70))
    msisdn = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=24))
    street = fields.String(load_default="", validate=_TEXT)
    building = fields.String(load_default="", validate=_TEXT)
    town = fields.String(load_default="", validate=_TEXT)
    postcode = fields.String(load_default="", validate=_TEXT)
    country = fields.String(required=True, validate=_COUNTRY)


class PayeeAccountOut(Strict):
    """An account to pay to; `state` is waiting, live or replaced."""

    id = fields.UUID()
    producer_id = fields.UUID()
    rail = fields.String()
    currency = fields.String()
    holder = fields.String()
    iban = fields.String(allow_none=True)
    bic = fields.String(allow_none=True)
    stripe_account = fields.String(allow_none=True)
    street = fields.String()
    building = fields.String()
    town = fields.String()
    postcode = fields.String()
    country = fields.String()
    state = fields.String()
    entered_by = fields.String()
    entered_at = fields.AwareDateTime()
    confirmed_by = fields.String(allow_none=True)
    confirmed_at = fields.AwareDateTime(allow_none=True)


class PayeeAccountsOut(Strict):
    """Accounts to pay to, newest first."""

    items = fields.List(fields.Nested(PayeeAccountOut))


class CertificateIn(Strict):
    """A certificate as it stands on the paper; without a producer it is the whole co-op's."""

    scheme = fields.String(required=True, validate=validate.Length(1, 200))
    kind = fields.String(required=True, validate=validate.OneOf(CERTIFICATE_KINDS))
    number = fields.String(required=True, validate=validate.Length(1, 200))
    issuer = fields.String(required=True, validate=validate.Length(1, 200))
    product_scope = fields.List(
        fields.String(validate=validate.Length(1, 100)), load_default=list, validate=validate.Length(max=50)
    )
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(required=True)
    producer_id = fields.UUID(load_default=None, allow_none=True)


class CertificateStatusIn(Strict):
    """What a certificate becomes, and why."""

    status = fields.String(required=True, validate=validate.OneOf(["active", "suspended", "withdrawn"]))
    reason = fields.String(load_default="", validate=validate.Length(max=500))


class CertificateOut(Strict):
    """A certificate with its state."""

    id = fields.UUID()
    coop_id = fields.UUID()
    producer_id = fields.UUID(allow_none=True)
    scheme = fields.String()
    kind = fields.String()
    number = fields.String()
    issuer = fields.String()
    product_scope = fields.List(fields.String())
    valid_from = fields.Date()
    valid_to = fields.Date()
    status = fields.String()
    checked_at = fields.AwareDateTime(allow_none=True)


class CertificatesOut(Strict):
    """All certificates of a co-op, those that end first first."""

    items = fields.List(fields.Nested(CertificateOut))


class CreatedOut(Strict):
    """What was made."""

    id = fields.UUID()
