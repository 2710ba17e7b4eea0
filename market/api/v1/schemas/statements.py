"""Shapes of bank accounts, statement files, lines, matches and closes on the wire."""

from marshmallow import ValidationError, fields, validate, validates_schema

from market.api.openapi import MoneySchema, Strict
from market.api.v1.schemas.deciding import Decided, Proposed
from market.kernel.text import SHORTEST_REASON
from market.statements.service import BOOKABLE

SHOW = ("open", "suggested", "unmatched", "parked", "matched", "all")


class BankFiguresOut(Strict):
    """What must agree (mirror and closing) and what must be worked off."""

    mirror = fields.Nested(MoneySchema, required=True)
    closing = fields.Nested(MoneySchema, required=True, allow_none=True)
    closing_on = fields.Date(required=True, allow_none=True)
    suspense = fields.Nested(MoneySchema, required=True)
    in_transit = fields.Nested(MoneySchema, required=True)
    difference = fields.Nested(MoneySchema, required=True, allow_none=True)
    open_lines = fields.Integer(required=True)


class BankAccountOut(Strict):
    """A bank account of the co-op."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    iban = fields.String(required=True)
    currency = fields.String(required=True)
    figures = fields.Nested(BankFiguresOut, required=True)


class BankAccountsOut(Strict):
    """All bank accounts of the co-op."""

    items = fields.List(fields.Nested(BankAccountOut), required=True)


class BankAccountIn(Strict):
    """A bank account to be registered, or a mobile-money wallet.

    `iban` is the bank's own number where the country has no IBAN, or the wallet's number.
    """

    name = fields.String(required=True, validate=validate.Length(1, 80))
    iban = fields.String(required=True, validate=validate.Length(4, 60))
    wallet = fields.Boolean(load_default=False)
    currency = fields.String(required=True, validate=validate.Regexp("^[A-Z]{3}$"))
    opened_on = fields.Date(required=True)
    opening = fields.Nested(MoneySchema, load_default=None, allow_none=True)


class StatementUploadQuery(Strict):
    """How the file is called, and whether findings that need a person are accepted."""

    name = fields.String(load_default="statement.xml", validate=validate.Length(1, 200))
    confirm = fields.Boolean(load_default=False)


class StatementFindingOut(Strict):
    """Something in a file that a person should know; `hold` kept it from being imported at once."""

    code = fields.String(required=True)
    text = fields.String(required=True)
    hold = fields.Boolean(required=True)
    statement = fields.String(required=True)


class StatementFileElsewhereOut(Strict):
    """What became of the same file in another account of the co-op, under its own `id`."""

    id = fields.UUID(required=True)
    account_id = fields.UUID(required=True)
    account = fields.String(required=True)
    outcome = fields.String(required=True)
    new_lines = fields.Integer(required=True)


class StatementFileOut(Strict):
    """A statement file and what became of it in one account: imported, draft, refused, discarded; `known` when sent before."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    sha256 = fields.String(required=True)
    size_bytes = fields.Integer(required=True)
    outcome = fields.String(required=True)
    known = fields.Boolean(required=True)
    reason = fields.String(required=True, allow_none=True)
    findings = fields.List(fields.Nested(StatementFindingOut), required=True)
    new_lines = fields.Integer(required=True)
    known_lines = fields.Integer(required=True)
    provisional_lines = fields.Integer(required=True)
    uploaded_at = fields.AwareDateTime(required=True)
    others = fields.List(fields.Nested(StatementFileElsewhereOut), required=True)


class StatementLinesQuery(Strict):
    """Which lines, and where the page begins."""

    show = fields.String(load_default="open", validate=validate.OneOf(SHOW))
    cursor = fields.String(validate=validate.Length(max=200))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))


class MatchCandidateOut(Strict):
    """A suggestion: what a line may mean, by which rule, on what evidence."""

    id = fields.UUID(required=True)
    part = fields.Integer(required=True)
    target_kind = fields.String(required=True)
    target_id = fields.UUID(required=True, allow_none=True)
    money = fields.Nested(MoneySchema, required=True)
    fee = fields.Nested(MoneySchema, required=True)
    kind = fields.String(required=True)
    rule = fields.String(required=True)
    evidence = fields.Dict(required=True)


class LineMatchOut(MatchCandidateOut):
    """A match: what a line meant, by whom, and whether it was taken back."""

    account_code = fields.String(required=True, allow_none=True)
    automatic = fields.Boolean(required=True)
    reason = fields.String(required=True, allow_none=True)
    matched_by = fields.String(required=True)
    matched_at = fields.AwareDateTime(required=True)
    undone_by = fields.String(required=True, allow_none=True)
    undone_at = fields.AwareDateTime(required=True, allow_none=True)
    undone_reason = fields.String(required=True, allow_none=True)


class SplitPieceOut(Strict):
    """A part of a proposed split: a reference of ours, or what it is booked as and why."""

    money = fields.Nested(MoneySchema, required=True)
    reference = fields.String(required=True)
    account_code = fields.String(required=True)
    reason = fields.String(required=True)


class BookingProposalOut(Proposed):
    """A booking above what one person books alone, or a split in `pieces`; it waits for somebody who approves."""

    id = fields.UUID(required=True)
    account_code = fields.String(required=True, allow_none=True)
    money = fields.Nested(MoneySchema, required=True)
    reason = fields.String(required=True)
    pieces = fields.List(fields.Nested(SplitPieceOut), required=True)


class ProposalAnswerIn(Strict):
    """Whether a proposed booking is made; a decline says why."""

    accepted = fields.Boolean(required=True)
    answer = fields.String(load_default="", validate=validate.Length(max=300))


class StatementLineOut(Strict):
    """A statement line with its candidates and matches; `rest` is what is still unexplained."""

    id = fields.UUID(required=True)
    account_id = fields.UUID(required=True)
    booked_on = fields.Date(required=True)
    value_on = fields.Date(required=True, allow_none=True)
    money = fields.Nested(MoneySchema, required=True)
    rest = fields.Nested(MoneySchema, required=True)
    state = fields.String(required=True)
    counterparty_name = fields.String(required=True)
    counterparty_account = fields.String(required=True)
    text = fields.String(required=True)
    references = fields.List(fields.String(), required=True)
    bank_ref = fields.String(required=True)
    returned = fields.Boolean(required=True)
    return_reason = fields.String(required=True)
    parts = fields.Integer(required=True)
    question = fields.String(required=True, allow_none=True)
    suggestions = fields.List(fields.Nested(MatchCandidateOut), required=True)
    matches = fields.List(fields.Nested(LineMatchOut), required=True)
    proposal = fields.Nested(BookingProposalOut, required=True, allow_none=True)


class StatementLinesOut(Strict):
    """A page of lines; `next` is the cursor of the next one."""

    items = fields.List(fields.Nested(StatementLineOut), required=True)
    next = fields.String(required=True, allow_none=True)


class MatchingOut(Strict):
    """What a run of the rules did."""

    matched = fields.Integer(required=True)
    suggested = fields.Integer(required=True)
    left = fields.Integer(required=True)


class LineMatchIn(Strict):
    """Exactly one of: a suggestion to accept, a reference, or an account to book to with a reason."""

    suggestion_id = fields.UUID()
    reference = fields.String(validate=validate.Length(14, 40))
    account_code = fields.String(validate=validate.OneOf(tuple(BOOKABLE)))
    amount = fields.Nested(MoneySchema)
    reason = fields.String(load_default="", validate=validate.Length(max=300))

    @validates_schema
    def one_way(self, data: dict[str, object], **_: object) -> None:
        """Refuse none or several ways at once."""
        ways = {"suggestion_id", "reference", "account_code"} & data.keys()
        if len(ways) != 1:
            raise ValidationError("Give exactly one of suggestion_id, reference, account_code.")


class UndoReasonIn(Strict):
    """Why."""

    reason = fields.String(required=True, validate=validate.Length(3, 300))


class LineQuestionIn(Strict):
    """A question to a colleague; empty takes the line back."""

    question = fields.String(required=True, validate=validate.Length(max=500))


class PeriodDifferenceOut(Strict):
    """Something that is not zero, and its explanation."""

    key = fields.String(required=True)
    text = fields.String(required=True)
    minor = fields.Integer(required=True)
    currency = fields.String(required=True)
    explainable = fields.Boolean(required=True)
    explanation = fields.String(required=True)


class PeriodDifferencesQuery(Strict):
    """The last day of the period."""

    ends_on = fields.Date(required=True)


class PeriodDifferencesOut(Strict):
    """What keeps a period from being zero."""

    items = fields.List(fields.Nested(PeriodDifferenceOut), required=True)


class PeriodCloseIn(Strict):
    """A period to be closed, with an explanation of each difference by its key."""

    ends_on = fields.Date(required=True)
    explanations = fields.Dict(keys=fields.String(), values=fields.String(validate=validate.Length(max=500)), load_default=dict)


class TrialBalanceOut(Strict):
    """One account of the trial balance."""

    code = fields.String(required=True)
    minor = fields.Integer(required=True)
    currency = fields.String(required=True)


class ReopeningIn(Strict):
    """Why a closed period shall be opened again."""

    reason = fields.String(required=True, validate=validate.Length(min=SHORTEST_REASON, max=500))


class ReopeningOut(Decided):
    """That a closed period shall be opened again: proposed, opened, declined or withdrawn."""

    reason = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(("proposed", "opened", "declined", "withdrawn")))


class PeriodCloseOut(Strict):
    """A close with its protocol, and what was said last of opening its days again."""

    id = fields.UUID(required=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True)
    state = fields.String(required=True)
    items = fields.List(fields.Nested(PeriodDifferenceOut), required=True)
    trial_balance = fields.List(fields.Nested(TrialBalanceOut), required=True)
    prepared_by = fields.String(required=True)
    prepared_at = fields.AwareDateTime(required=True)
    closed_by = fields.String(required=True, allow_none=True)
    closed_at = fields.AwareDateTime(required=True, allow_none=True)
    reopening = fields.Nested(ReopeningOut, required=True, allow_none=True)


class PeriodClosesOut(Strict):
    """All closes of the co-op."""

    items = fields.List(fields.Nested(PeriodCloseOut), required=True)
