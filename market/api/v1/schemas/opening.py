"""What calls about opening balances take and give."""

from marshmallow import fields, validate

from market.api.openapi import MoneySchema, Strict
from market.api.v1.schemas.deciding import Decided
from market.kernel.text import SHORTEST_REASON
from market.ledger.opening import EXAMPLE, MOST_BYTES


class OpeningIn(Strict):
    """What the former books hand over at the end of a day, as a file; `source` says which books these are."""

    on = fields.Date(required=True)
    source = fields.String(required=True, validate=validate.Length(3, 300))
    name = fields.String(load_default="", validate=validate.Length(max=120), metadata={"description": "The name of the file."})
    file = fields.String(
        required=True,
        validate=validate.Length(1, MOST_BYTES),
        metadata={
            "example": EXAMPLE,
            "description": "CSV: amounts in major units, on the side on which the account grows; members by their number.",
        },
    )


class OpeningCorrectionIn(Strict):
    """What a balance should have been when it was handed over, by its account as a file names it, and what was wrong."""

    account = fields.String(required=True, validate=validate.Length(1, 120))
    amount = fields.Nested(MoneySchema, required=True)
    reason = fields.String(required=True, validate=validate.Length(SHORTEST_REASON, 500))


class OpeningSummaryOut(Decided):
    """Balances that were handed over, or `corrects` single ones: proposed, booked, declined or withdrawn.

    `source` is the reason where it corrects; `name` then says what the balance was and what it should have been.
    """

    id = fields.UUID(required=True)
    on = fields.Date(required=True, attribute="on_day")
    source = fields.String(required=True)
    name = fields.String(required=True)
    corrects = fields.Boolean(required=True)
    count = fields.Integer(required=True, attribute="balances", metadata={"description": "How many balances it has."})
    state = fields.String(required=True, validate=validate.OneOf(("proposed", "booked", "declined", "withdrawn")))


class OpeningsOut(Strict):
    """What was handed over, the newest first."""

    items = fields.List(fields.Nested(OpeningSummaryOut), required=True)


class OpeningLineOut(Strict):
    """A row of the file: the account by the code of the books, and why it could not be taken over today, if so."""

    number = fields.Integer(required=True)
    account = fields.String(required=True, attribute="code")
    amount = fields.Nested(MoneySchema, required=True, allow_none=True, attribute="money")
    problem = fields.String(required=True, allow_none=True)


class OpeningOut(OpeningSummaryOut):
    """Balances with each row of their file."""

    lines = fields.List(fields.Nested(OpeningLineOut), required=True)
