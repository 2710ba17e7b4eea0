"""Which of a co-op's accounts a statement is about: banks write the same number in several forms."""

import re
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

_SHORTEST = 6
"""Fewer digits than this name no account for certain."""


class Kept(NamedTuple):
    """An account that a co-op keeps here, as far as a bank's file can name it."""

    id: UUID
    number: str
    currency: str


def accounts_named(named: str, currency: str, chosen: Kept, others: Sequence[Kept]) -> list[UUID]:
    """Return which accounts a statement may be about that a file says is of the account `named`, kept in `currency`.

    One is certain; none, or several, are for a person to say. A number written as it is kept here is certain; else the account
    that a person chose comes before the others. A file that names none is about the chosen one.
    """
    signs = _signs(named)
    candidates = [each for each in (chosen, *others) if each.currency == currency and (signs or each == chosen)]
    exact = [each.id for each in candidates if each.number in (signs, signs.removesuffix(currency))]
    fitting = [each.id for each in candidates if same_account(named, each.number, currency)]
    return exact or [each for each in fitting if each == chosen.id] or fitting


def same_account(named: str, number: str, currency: str) -> bool:
    """Return whether `named` in a file means our account `number` (an IBAN or a national number).

    A file that names none, as CSV does, is about the account that a person chose. Understood are the number itself, its
    last digits, bank code and number with a slash between them, dots and blanks, and the currency behind it.
    """
    plain = _signs(named)
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


def _signs(named: str) -> str:
    """Return a number without dots and blanks; the slash behind a bank's code stays."""
    return re.sub(r"[^0-9A-Z/]", "", named.upper())
