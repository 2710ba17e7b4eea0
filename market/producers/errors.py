"""Refusals about co-ops, producers, members, payee accounts and certificates."""

from market.kernel.errors import Conflict, Forbidden, Invalid, Missing


class CoopMissing(Missing):
    """No such co-op."""

    code = "producers.coop_missing"


class ProducerMissing(Missing):
    """No such producer for this actor."""

    code = "producers.producer_missing"


class BadCoop(Invalid):
    """Something in the description of a co-op cannot be right."""

    code = "producers.bad_coop"


class BadProducer(Invalid):
    """Something in the description of a producer cannot be right."""

    code = "producers.bad_producer"


class BadIdentity(Invalid):
    """Something in what the tax office is told of a seller cannot be right."""

    code = "producers.bad_identity"


class BadText(Invalid):
    """A translation cannot be kept as it was given."""

    code = "producers.bad_text"


class SlugTaken(Conflict):
    """Another co-op or producer has this address on the site."""

    code = "producers.slug_taken"


class NotYoursToChange(Forbidden):
    """The actor may see this and not change it."""

    code = "producers.not_yours_to_change"


class AccountTaken(Conflict):
    """The person is a producer of this co-op already."""

    code = "producers.account_taken"


class MembershipEnded(Conflict):
    """The producer has left the co-op."""

    code = "producers.membership_ended"


class BadPayeeAccount(Invalid):
    """The account details cannot be paid to."""

    code = "producers.bad_payee_account"


class PayeeAccountMissing(Missing):
    """No such payee account for this actor."""

    code = "producers.payee_account_missing"


class SecondPersonNeeded(Forbidden):
    """Whoever entered an account cannot confirm it."""

    code = "producers.second_person_needed"


class PayeeAccountClosed(Conflict):
    """The account was confirmed or replaced already."""

    code = "producers.payee_account_closed"


class BadCertificate(Invalid):
    """Something in a certificate cannot be right."""

    code = "producers.bad_certificate"


class CertificateMissing(Missing):
    """No such certificate for this actor."""

    code = "producers.certificate_missing"


class CertificateTaken(Conflict):
    """The co-op has entered a certificate of this scheme and number already."""

    code = "producers.certificate_taken"


class CertificateStateWrong(Conflict):
    """The certificate's state does not lead to the wanted one."""

    code = "producers.certificate_state_wrong"
