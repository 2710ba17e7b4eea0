"""Refusals of payments."""

from market.kernel.errors import Conflict, Invalid, Missing, Unavailable


class PaymentMissing(Missing):
    """There is no such payment, or it is not this person's."""

    code = "payments.missing"


class PaymentAlreadyOpen(Conflict):
    """Another payment for the same thing is open or has succeeded."""

    code = "payments.already_open"


class PaymentNotOpen(Conflict):
    """The payment has ended."""

    code = "payments.not_open"


class AuthorisationDecided(Conflict):
    """What is taken from a card was decided, and is decided once."""

    code = "payments.authorisation_decided"


class CaptureTooLarge(Conflict):
    """More would be taken than was authorised, or nothing at all."""

    code = "payments.capture_too_large"


class SeveralCoopsByTransfer(Invalid):
    """A bank transfer goes to one account, so it can pay one co-op."""

    code = "payments.several_coops_by_transfer"


class WrongCurrency(Invalid):
    """The money is in another currency than the payment."""

    code = "payments.wrong_currency"


class NothingToRefund(Conflict):
    """The payment was not paid."""

    code = "payments.nothing_to_refund"


class RefundTooLarge(Conflict):
    """More would go back than was paid and not yet given back, in total or of one component."""

    code = "payments.refund_too_large"


class RefundUnderWay(Conflict):
    """The refund may still arrive the way it was sent, or has arrived."""

    code = "payments.refund_under_way"


class EvidenceNeeded(Invalid):
    """A decision about money needs a reason in words."""

    code = "payments.evidence_needed"


class PaymentDisputed(Conflict):
    """The buyer's bank has taken the payment back already; a refund would give the money back twice."""

    code = "payments.disputed"


class DisputeClosed(Conflict):
    """The evidence of a dispute was sent, or the dispute is decided."""

    code = "payments.dispute_closed"


class TransferAlreadyUsed(Conflict):
    """The statement line was recorded before."""

    code = "payments.transfer_already_used"


class LaterTransfer(Conflict):
    """Another transfer of the payment came after this one, so that one's match is taken back first."""

    code = "payments.later_transfer"


class TransferGivenBack(Conflict):
    """Money of the payment goes back or went back, so what came in cannot be taken from it any more."""

    code = "payments.transfer_given_back"


class TransferEarned(Conflict):
    """What the transfer paid has been earned and is not held any more."""

    code = "payments.transfer_earned"


class ProcessorUnavailable(Unavailable):
    """The card processor does not answer."""

    code = "payments.processor_unavailable"


class CardsRefused(Conflict):
    """The card processor does not take this payment."""

    code = "payments.cards_refused"


class CashRefused(Conflict):
    """Cash that is not the price of the order, or without a receipt."""

    code = "payments.cash_refused"


class LineRefused(Conflict):
    """A line of the processor's statement cannot be booked like this."""

    code = "payments.line_refused"
