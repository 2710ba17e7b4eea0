"""What calls about how a co-op pays out take and give."""

from marshmallow import fields, validate

from market.api.openapi import MoneySchema, Strict
from market.payouts.rules.schedule import FORMATS, PURPOSES, Rhythm


class PayoutSettingsIn(Strict):
    """How a co-op pays out. Weekday 0 is Monday; `minimum_minor` is in the co-op's currency."""

    rhythm = fields.String(required=True, validate=validate.OneOf(tuple(each.value for each in Rhythm)))
    weekday = fields.Integer(load_default=0, strict=True)
    day_of_month = fields.Integer(load_default=1, strict=True)
    minimum_minor = fields.Integer(load_default=0, strict=True)
    file_format = fields.String(load_default=FORMATS[0], validate=validate.OneOf(FORMATS))
    batch_booking = fields.Boolean(load_default=False)
    purpose = fields.String(load_default="", validate=validate.OneOf(PURPOSES))
    cheque_stale_days = fields.Integer(load_default=180, strict=True)


class PayoutSettingsOut(Strict):
    """How a co-op pays out; `next_day` is when the clock drafts the next run."""

    rhythm = fields.String()
    weekday = fields.Integer()
    day_of_month = fields.Integer()
    minimum = fields.Nested(MoneySchema)
    file_format = fields.String()
    batch_booking = fields.Boolean()
    purpose = fields.String()
    cheque_stale_days = fields.Integer()
    next_day = fields.Date(allow_none=True)


class BagIn(Strict):
    """Cash handed to an officer."""

    officer = fields.String(required=True, validate=validate.Length(2, 120))
    amount = fields.Nested(MoneySchema, required=True)
    on = fields.Date(required=True)


class BagOut(Strict):
    """A cash bag; `left` must be in it by its receipts, `returned` and `missing` are known once it is counted."""

    id = fields.UUID()
    number = fields.Integer()
    officer = fields.String()
    issued = fields.Nested(MoneySchema)
    issued_on = fields.Date()
    paid = fields.Nested(MoneySchema)
    left = fields.Nested(MoneySchema)
    returned = fields.Nested(MoneySchema, allow_none=True)
    missing = fields.Nested(MoneySchema, allow_none=True)
    explanation = fields.String(allow_none=True)


class BagsOut(Strict):
    """The bags of a run."""

    items = fields.List(fields.Nested(BagOut))


class BagCountIn(Strict):
    """What came back in a bag."""

    returned = fields.Nested(MoneySchema, required=True)
    on = fields.Date(required=True)
    explanation = fields.String(load_default="", validate=validate.Length(max=500))


class BagMissingOut(Strict):
    """What is missing from a bag."""

    missing = fields.Nested(MoneySchema)


class ChequeIn(Strict):
    """A cheque that was made out."""

    number = fields.String(required=True, validate=validate.Length(1, 30))
    on = fields.Date(required=True)


class ChequeVoidIn(Strict):
    """Why a cheque is void."""

    reason = fields.String(required=True, validate=validate.Length(3, 300))


class ChequeOut(Strict):
    """A cheque: issued, cashed or voided."""

    payout_id = fields.UUID()
    number = fields.String()
    holder = fields.String()
    money = fields.Nested(MoneySchema)
    issued_on = fields.Date()
    state = fields.String()
    stale = fields.Boolean()


class ChequesOut(Strict):
    """Cheques, newest first."""

    items = fields.List(fields.Nested(ChequeOut))


class AskBackIn(Strict):
    """How much is asked back, and why."""

    amount = fields.Nested(MoneySchema, required=True)
    reason = fields.String(required=True, validate=validate.Length(3, 300))


class NameReasonIn(Strict):
    """Why an account has another name than the member."""

    reason = fields.String(required=True, validate=validate.Length(3, 300))


class SellerReportQuery(Strict):
    """Which year."""

    year = fields.Integer(required=True, validate=validate.Range(2020, 2100))
