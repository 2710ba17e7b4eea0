"""Refusals of payouts. Each says what to do next; `code` is stable and part of the API."""

from market.kernel.errors import Conflict, Forbidden, Invalid, Missing


class PayoutNotFound(Missing):
    """No such payout for this person."""

    code = "payouts.payout_missing"


class RunNotFound(Missing):
    """No such run for this person."""

    code = "payouts.run_missing"


class FileNotFound(Missing):
    """No such bank file for this person."""

    code = "payouts.file_missing"


class NothingToPay(Conflict):
    """Nothing is due, or nobody who waits can be paid."""

    code = "payouts.nothing_to_pay"


class DayRefused(Invalid):
    """A run cannot be carried out on such a day."""

    code = "payouts.day_refused"


class ClaimRefused(Conflict):
    """A claim that cannot be given up like this."""

    code = "payouts.claim_refused"


class ReversalRefused(Conflict):
    """More is asked back of a transfer than the payee owes, or nobody says why."""

    code = "payouts.reversal_refused"


class StepRefused(Conflict):
    """The state of the thing does not allow the step."""

    code = "payouts.step_refused"


class SamePerson(Forbidden):
    """Four eyes: the second pair is missing."""

    code = "payouts.same_person"


class RunChanged(Conflict):
    """The list is not the one that was shown, or an account changed."""

    code = "payouts.run_changed"


class SettingsRefused(Invalid):
    """A co-op cannot pay out like this."""

    code = "payouts.settings_refused"


class DetailsRefused(Invalid):
    """A bank account cannot be paid to."""

    code = "payouts.details_refused"


class FileRefused(Invalid):
    """Something cannot stand in a bank file."""

    code = "payouts.file_refused"


class ReceiptRefused(Invalid):
    """A cash receipt proves nothing."""

    code = "payouts.receipt_refused"


class BagNotFound(Missing):
    """No such cash bag for this person."""

    code = "payouts.bag_missing"


class BagRefused(Invalid):
    """A cash bag cannot be handed out or counted like this."""

    code = "payouts.bag_refused"


class ChequeRefused(Invalid):
    """A cheque cannot be recorded or voided like this."""

    code = "payouts.cheque_refused"


class AmountDiffers(Conflict):
    """A line shows another amount than the payout."""

    code = "payouts.amount_differs"


class EvidenceNeeded(Invalid):
    """A person decides about an unknown payout without saying what they saw."""

    code = "payouts.evidence_needed"


class PayoutsStopped(Conflict):
    """Nothing goes out: a rail or bank shows a payout that is not known here."""

    code = "payouts.stopped"


class PaidOtherwise(Conflict):
    """What a returned payout had paid was paid again by a payout that no line of a bank can be said to have doubled."""

    code = "payouts.paid_otherwise"


class ClaimSettled(Conflict):
    """A claim that a returned payout had netted, and that stood again, has been paid or given up since."""

    code = "payouts.claim_settled"
