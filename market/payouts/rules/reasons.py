"""Why a bank gives a payout back: the codes of ISO 20022 that a co-op sees most, in words (money.md 8.1)."""

from market.kernel.words import N_

IN_WORDS = {
    "AC01": N_("wrong account number"),
    "AC04": N_("account closed"),
    "AC06": N_("account blocked"),
    "AM05": N_("sent twice"),
    "BE04": N_("address missing"),
    "MS03": N_("no reason given"),
    "RR04": N_("regulatory reason"),
}
ACCOUNT_IS_WRONG = ("AC01", "AC04", "AC06")
"""Codes that say that the account itself is wrong: paying there again would only come back."""


def in_words(reason: str) -> str:
    """Return a bank's reason, which begins with its code, in words; nothing when we have none for it."""
    return IN_WORDS.get(reason[:4], "")


def blames_account(reason: str) -> bool:
    """Return whether a bank's reason says that the account itself is wrong."""
    return reason.startswith(ACCOUNT_IS_WRONG)
