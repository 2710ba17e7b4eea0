"""What calls about payables and payouts take and give."""

from marshmallow import fields, validate

from market.api.openapi import MoneySchema, Strict


class PayableTotalOut(Strict):
    """What one payee is owed in one currency."""

    payee_id = fields.UUID()
    count = fields.Integer()
    due_on = fields.Date()
    open = fields.Nested(MoneySchema)
    on_its_way = fields.Nested(MoneySchema)


class PayableTotalsOut(Strict):
    """What is owed, by payee."""

    items = fields.List(fields.Nested(PayableTotalOut))


class PayableOut(Strict):
    """One thing that is or was owed."""

    id = fields.UUID()
    money = fields.Nested(MoneySchema)
    kind = fields.String()
    due_on = fields.Date()
    source_kind = fields.String()
    source_id = fields.UUID()
    state = fields.String()


class PayoutOut(Strict):
    """A payout; `reference` is what the bank shows."""

    id = fields.UUID()
    run_id = fields.UUID()
    number = fields.String()
    payee_id = fields.UUID()
    holder = fields.String()
    rail = fields.String()
    gross = fields.Nested(MoneySchema)
    deducted = fields.Nested(MoneySchema)
    money = fields.Nested(MoneySchema)
    reference = fields.String()
    state = fields.String()
    attempts = fields.Integer()
    provider_ref = fields.String(allow_none=True)
    file_id = fields.UUID(allow_none=True)
    reason = fields.String(allow_none=True)
    settled_on = fields.Date(allow_none=True)


class PayoutsOut(Strict):
    """A page of payouts."""

    items = fields.List(fields.Nested(PayoutOut))
    next_cursor = fields.String(allow_none=True)


class MyMoneyOut(Strict):
    """What a producer is owed and was paid."""

    totals = fields.List(fields.Nested(PayableTotalOut))
    payables = fields.List(fields.Nested(PayableOut))
    payouts = fields.List(fields.Nested(PayoutOut))


class PayoutRunIn(Strict):
    """A run to be prepared."""

    due_by = fields.Date(required=True)


class PayoutApprovalIn(Strict):
    """The list that the approver has read."""

    list_sha256 = fields.String(required=True, validate=validate.Regexp(r"\A[0-9a-f]{64}\Z"))


class PayoutTotalOut(Strict):
    """Count and sum of one rail and currency."""

    rail = fields.String()
    count = fields.Integer()
    money = fields.Nested(MoneySchema)


class PayoutSkippedOut(Strict):
    """Somebody who could not be paid, and why."""

    payee_id = fields.UUID()
    money = fields.Nested(MoneySchema)
    reason = fields.String()


class PayoutRunOut(Strict):
    """A payout run."""

    id = fields.UUID()
    number = fields.String()
    state = fields.String()
    due_by = fields.Date()
    execute_on = fields.Date()
    totals = fields.List(fields.Nested(PayoutTotalOut))
    skipped = fields.List(fields.Nested(PayoutSkippedOut))
    list_sha256 = fields.String()
    prepared_by = fields.String()
    prepared_at = fields.AwareDateTime()
    approved_by = fields.String(allow_none=True)
    approved_at = fields.AwareDateTime(allow_none=True)


class PayoutRunsOut(Strict):
    """A page of runs."""

    items = fields.List(fields.Nested(PayoutRunOut))
    next_cursor = fields.String(allow_none=True)


class PayoutFileOut(Strict):
    """A bank file without its bytes."""

    id = fields.UUID()
    message_id = fields.String()
    name = fields.String()
    count = fields.Integer()
    money = fields.Nested(MoneySchema)
    sha256 = fields.String()
    written_at = fields.AwareDateTime()
    submitted_by = fields.String(allow_none=True)
    submitted_at = fields.AwareDateTime(allow_none=True)


class PayoutRunDetailOut(Strict):
    """A run, how its payouts stand, and its bank files."""

    run = fields.Nested(PayoutRunOut)
    states = fields.Dict(keys=fields.String(), values=fields.Integer())
    files = fields.List(fields.Nested(PayoutFileOut))


class PayoutReasonIn(Strict):
    """Why."""

    reason = fields.String(required=True, validate=validate.Length(3, 300))


class PayoutDecisionIn(Strict):
    """What a person saw, and what follows."""

    happened = fields.Boolean(required=True)
    evidence = fields.String(required=True, validate=validate.Length(max=500))


class CashReceiptIn(Strict):
    """A cash receipt as it stands on paper."""

    number = fields.String(required=True, validate=validate.Length(max=60))
    paid_on = fields.Date(required=True)
    amount = fields.Nested(MoneySchema, required=True)
    cashier = fields.String(required=True, validate=validate.Length(max=120))
    taken_by = fields.String(required=True, validate=validate.Length(max=120))
    signed = fields.String(required=True, validate=validate.OneOf(("signature", "thumb")))
    witness = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=120))
    mandate = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))
    bag_id = fields.UUID(load_default=None, allow_none=True, metadata={"description": "The cash bag; without one, the box."})


class CashBoxFillIn(Strict):
    """Money taken from the bank into the cash box."""

    amount = fields.Nested(MoneySchema, required=True)
    on = fields.Date(required=True)
    slip = fields.String(required=True, validate=validate.Length(1, 60))
