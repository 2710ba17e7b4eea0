"""Refusals of statements, each with its stable code."""

from market.kernel.errors import Conflict, Forbidden, Invalid, Missing


class AccountNotFound(Missing):
    """No such bank account in this scope."""

    code = "statements.account_not_found"


class AccountExists(Conflict):
    """The co-op keeps this bank account already."""

    code = "statements.account_exists"


class BadIban(Invalid):
    """The IBAN's form or check digits are wrong."""

    code = "statements.bad_iban"


class BadCurrency(Invalid):
    """No such currency is kept in books."""

    code = "statements.bad_currency"


class FileNotFound(Missing):
    """No such statement file in this scope."""

    code = "statements.file_not_found"


class FileTooLarge(Invalid):
    """A file is larger than any statement, as it is or compressed. Nothing of it is kept."""

    code = "statements.file_too_large"


class NoStatement(Invalid):
    """A file is no statement that can be read, and too large to be kept as what it is. `code` says why it cannot be read."""

    def __init__(self, detail: str, code: str) -> None:
        super().__init__(detail)
        self.code = code  # type: ignore[misc]


class BadMapping(Invalid):
    """A CSV cannot be read by this mapping."""

    code = "statements.bad_mapping"


class NotADraft(Conflict):
    """Only a file that waits for a person can be confirmed or discarded."""

    code = "statements.not_a_draft"


class LineNotFound(Missing):
    """No such line in this scope."""

    code = "statements.line_not_found"


class LineExplained(Conflict):
    """The line, or this much of it, is matched already."""

    code = "statements.line_explained"


class SuggestionGone(Conflict):
    """The suggestion was dismissed or its target has moved on."""

    code = "statements.suggestion_gone"


class WrongDirection(Invalid):
    """Money in cannot mean something that goes out, and the reverse."""

    code = "statements.wrong_direction"


class ReasonNeeded(Invalid):
    """A booking by hand needs a reason that a colleague will understand next year."""

    code = "statements.reason_needed"


class SecondPersonNeeded(Forbidden):
    """This step belongs to somebody else than who prepared it, or needs an approver."""

    code = "statements.second_person_needed"


class ProposalNotFound(Missing):
    """No such proposal in this scope."""

    code = "statements.proposal_not_found"


class ProposalClosed(Conflict):
    """The proposal was decided before, or the line has another one that waits."""

    code = "statements.proposal_closed"


class MatchNotFound(Missing):
    """No such match in this scope."""

    code = "statements.match_not_found"


class MatchUndone(Conflict):
    """The match was undone before."""

    code = "statements.match_undone"


class RuleNotFound(Missing):
    """No such rule of staff in this scope."""

    code = "statements.rule_not_found"


class RuleEnded(Conflict):
    """The rule was ended before."""

    code = "statements.rule_ended"


class PeriodIsClosed(Conflict):
    """The day lies in a closed period."""

    code = "statements.period_is_closed"


class DifferencesUnexplained(Conflict):
    """The period does not close over a difference that nobody explained."""

    code = "statements.differences_unexplained"


class CloseOutdated(Conflict):
    """The figures moved since the close was prepared."""

    code = "statements.close_outdated"


class ReopeningRefused(Conflict):
    """Only the last closed period opens again, once, and none while another is being closed."""

    code = "statements.reopening_refused"


class NothingProposed(Conflict):
    """Nobody has proposed to open the period again, or it was decided."""

    code = "statements.nothing_proposed"


class NotYours(Forbidden):
    """Only whoever proposed something withdraws it."""

    code = "statements.not_yours"


class PaidInParts(Conflict):
    """A line is less than the payout that it names: the bank may have paid it in several."""

    code = "statements.paid_in_parts"


class PaidAgain(Conflict):
    """Another line has shown the payout that this one names: the bank may have paid it twice."""

    code = "statements.paid_again"


class MatchBuiltOn(Conflict):
    """What the match booked to an account was used since, so that its mirror would leave too little there."""

    code = "statements.match_built_on"
