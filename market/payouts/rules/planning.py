"""Who can be paid where, and how much of an old claim is netted (pure).

A claim (what a payee owes after a refund, E20) nets once per payout, up to half of it, and is shown on the statement:
nobody's whole harvest disappears in one old claim.
"""

from dataclasses import dataclass

from market.kernel.errors import DomainError
from market.kernel.words import say
from market.payouts.errors import DetailsRefused
from market.payouts.rules.accounts import check_bank_account
from market.payouts.rules.latin import to_latin

CLAIM_CAP_PERCENT = 50
SOURCES = {"sepa": "bank:1", "stripe": "stripe:1", "momo": "wallet:1", "cash": "cash:1", "cheque": "bank:1"}


@dataclass(frozen=True, slots=True)
class Details:
    """Where a payee is paid; frozen into the payout, so that a later change of the account changes no payout."""

    account_id: str
    rail: str
    currency: str
    holder: str
    iban: str = ""
    bic: str = ""
    stripe_account: str = ""
    msisdn: str = ""
    unlike: str = ""
    """The other name under which the wallet's provider knows the number, while nobody has agreed to it."""
    street: str = ""
    building: str = ""
    postcode: str = ""
    town: str = ""
    country: str = ""


def why_not(details: Details | None, currency: str) -> str | None:
    """Return why nobody can be paid there, in words for staff; None when the details are good."""
    if details is None:
        return say("No confirmed account for %(currency)s. Enter one, and let a second person confirm it.", currency=currency)
    try:
        if details.rail == "sepa":
            _check_sepa(details)
        if details.rail == "stripe" and not details.stripe_account.startswith("acct_"):
            raise DetailsRefused("A Stripe account begins with acct_.", pointer="/stripe_account")
        if details.unlike:
            raise DetailsRefused(
                say(
                    "The provider knows this number as %(name)s. Ask the payee, and let a second person agree.",
                    name=details.unlike,
                )
            )
    except DomainError as refusal:
        return refusal.detail
    return None


def _check_sepa(details: Details) -> None:
    if details.currency != "EUR":
        raise DetailsRefused(
            say("A SEPA transfer carries euros, not %(currency)s.", currency=details.currency), pointer="/currency"
        )
    account = check_bank_account(iban=details.iban, bic=details.bic)
    if not account.in_sepa:
        raise DetailsRefused(say("SEPA does not reach %(country)s.", country=account.country), pointer="/iban")
    name = to_latin(details.holder)
    if not 1 <= len(name) <= 70:
        raise DetailsRefused("The account holder's name must have 1 to 70 letters.", pointer="/holder")
    for text, longest in ((details.street, 70), (details.building, 16), (details.postcode, 16), (details.town, 35)):
        if len(to_latin(text)) > longest:
            raise DetailsRefused(
                say("'%(text)s' is longer than the %(longest)s letters that a bank carries.", text=text, longest=longest),
                pointer="/street",
            )
