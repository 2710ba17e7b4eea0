"""Bank details of a payee, checked twice: when they are entered, and again when a run is approved.

The check digits and the national structure come from `schwifty`'s registry. A wrong digit costs the payee days, so
each refusal says which part is wrong. Nothing here proves that the account exists or belongs to the payee.
"""

from dataclasses import dataclass

from schwifty import BIC, IBAN
from schwifty import exceptions as wrong

from market.kernel.words import say
from market.payouts.errors import DetailsRefused


@dataclass(frozen=True, slots=True)
class BankAccount:
    """A checked account: compact IBAN, its country, the BIC if one was given, whether SEPA reaches it."""

    iban: str
    country: str
    bic: str | None
    in_sepa: bool


def check_bank_account(*, iban: str | None, bic: str | None) -> BankAccount:
    """Return the account in compact form. Raises DetailsRefused naming the part that is wrong (ISO 13616, ISO 9362)."""
    if not (iban or "").strip():
        raise DetailsRefused("The IBAN is missing. Ask the payee for it, or pay in cash.", pointer="/iban")
    checked = _iban(iban or "")
    code = _bic(bic) if (bic or "").strip() else None
    if code is not None and code.country_code != checked.country_code:
        raise DetailsRefused(
            say(
                "The BIC belongs to %(country)s, the IBAN to %(other)s. One of them is mistyped.",
                country=code.country_code,
                other=checked.country_code,
            ),
            pointer="/bic",
        )
    return BankAccount(
        iban=checked.compact,
        country=str(checked.country_code),
        bic=code.compact if code is not None else None,
        in_sepa=checked.in_sepa_zone,
    )


def masked(iban: str) -> str:
    """Return an IBAN for pages and mails: country and check digits, then the last four characters."""
    return f"{iban[:4]} … {iban[-4:]}" if len(iban) > 8 else "…"


def _iban(text: str) -> IBAN:
    try:
        return IBAN(text)
    except wrong.InvalidLength as error:
        raise DetailsRefused("The IBAN has the wrong number of characters for its country.", pointer="/iban") from error
    except wrong.InvalidChecksumDigits as error:
        raise DetailsRefused("The check digits of the IBAN do not fit: a character is mistyped.", pointer="/iban") from error
    except wrong.InvalidCountryCode as error:
        raise DetailsRefused("The IBAN must begin with the two letters of a country that uses IBANs.", pointer="/iban") from error
    except wrong.SchwiftyException as error:
        raise DetailsRefused("The IBAN does not have the form that its country uses.", pointer="/iban") from error


def _bic(text: str | None) -> BIC:
    try:
        return BIC(text or "")
    except wrong.SchwiftyException as error:
        raise DetailsRefused("A BIC has 8 or 11 letters and digits, like COBADEFF.", pointer="/bic") from error
