"""What calls about advances to members and loans for harvests take and give."""

from decimal import Decimal

from marshmallow import fields, validate

from market.api.openapi import MoneySchema, Strict

_WORDS = validate.Length(3, 300)


def _percent(**more: object) -> fields.Decimal:
    return fields.Decimal(as_string=True, allow_nan=False, **more)  # type: ignore[arg-type]


class AdvanceIn(Strict):
    """An advance to a member; at most `cap_percent` of each later payment goes back, in the order of `priority`."""

    producer_id = fields.UUID(required=True)
    amount = fields.Nested(MoneySchema, required=True)
    reason = fields.String(required=True, validate=_WORDS)
    priority = fields.Integer(load_default=1, strict=True, validate=validate.Range(1, 9))
    cap_percent = _percent(load_default=Decimal(50))


class AdvanceOut(Strict):
    """An advance with what is left of it."""

    id = fields.UUID()
    producer_id = fields.UUID()
    money = fields.Nested(MoneySchema)
    left = fields.Nested(MoneySchema)
    priority = fields.Integer()
    cap_percent = _percent()
    reason = fields.String()
    state = fields.String()
    proposed_by = fields.String()
    proposed_at = fields.AwareDateTime()
    decided_by = fields.String(allow_none=True)


class AdvancesOut(Strict):
    """Advances, newest first."""

    items = fields.List(fields.Nested(AdvanceOut))


class LoanIn(Strict):
    """Pre-finance of a `buyer` or `lender` on the goods of a contract; interest is simple, per year of 365 days."""

    kind = fields.String(required=True, validate=validate.OneOf(("buyer", "lender")))
    lender = fields.String(required=True, validate=validate.Length(2, 120))
    contract = fields.String(required=True, validate=validate.Length(2, 120))
    goods = fields.Nested(MoneySchema, required=True)
    amount = fields.Nested(MoneySchema, required=True)
    cap_percent = _percent(required=True)
    rate_percent = _percent(required=True)
    due_on = fields.Date(required=True)
    terms = fields.String(required=True, validate=_WORDS)
    iban = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=42))
    bic = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=11))


class RepaymentIn(Strict):
    """What goes back to a lender."""

    principal = fields.Nested(MoneySchema, required=True)
    interest = fields.Nested(MoneySchema, required=True)


class RepaymentOut(Strict):
    """What went back to a lender, or is to."""

    id = fields.UUID()
    principal = fields.Nested(MoneySchema)
    interest = fields.Nested(MoneySchema)
    state = fields.String()
    proposed_by = fields.String()
    proposed_at = fields.AwareDateTime()
    decided_by = fields.String(allow_none=True)


class LoanOut(Strict):
    """A loan by the books: what came of it, what is owed, interest due and unpaid, what is on its way back."""

    id = fields.UUID()
    reference = fields.String()
    kind = fields.String()
    lender = fields.String()
    contract = fields.String()
    goods = fields.Nested(MoneySchema)
    cap_percent = _percent()
    money = fields.Nested(MoneySchema)
    rate_percent = _percent()
    due_on = fields.Date()
    terms = fields.String()
    state = fields.String()
    proposed_by = fields.String()
    decided_by = fields.String(allow_none=True)
    received = fields.Nested(MoneySchema)
    owed = fields.Nested(MoneySchema)
    interest = fields.Nested(MoneySchema)
    on_its_way = fields.Nested(MoneySchema)
    repayments = fields.List(fields.Nested(RepaymentOut))


class LoansOut(Strict):
    """Loans, the one that is due first first."""

    items = fields.List(fields.Nested(LoanOut))
