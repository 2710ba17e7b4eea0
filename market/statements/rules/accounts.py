"""Is the account that a file names the one that was chosen: banks write the same number in several forms."""

import re

_SHORTEST = 6
"""Fewer digits than this name no account for certain."""


def same_account(named: str, number: str, currency: str) -> bool:
    """Return whether `named` in a file means our account `number` (an IBAN or a national number).

    A file that names none, as CSV does, is about the account that a person chose. Understood are the number itself, its
    last digits, bank code and number with a slash between them, dots and blanks, and the currency behind it.
    """
    plain = re.sub(r"[^0-9A-Z/]", "", named.upper())
    if plain.endswith(currency) and plain != number:
        plain = plain.removesuffix(currency)
    if plain in ("", number):
        return True
    bank, slash, rest = plain.rpartition("/")
    digits = rest.lstrip("0")
    if len(digits) < _SHORTEST and not (slash and len(digits) >= 3):
        return False
    body = number[4:] if number[:2].isalpha() else number
    if not slash:
        return number.endswith(digits)
    left = body.removesuffix(digits)
    return left != body and left.rstrip("0").startswith(bank.rstrip("0")) and len(bank) >= 3
