"""Amounts and days as banks write them: exact, or the whole file is refused (money.md 7.2)."""

from __future__ import annotations

import calendar
import re
from datetime import date

from market.kernel.money import EXPONENTS
from market.statements.rules.shapes import MAX_MINOR, Unreadable

_WITHDRAWN = "ATS BEF DEM ESP FIM FRF GRD HRK IEP ITL LUF NLG PTE SIT SKK"
"""Currencies of the past with two decimals: files of old years are read, and refused for an account in another currency."""

_DIGITS = EXPONENTS | dict.fromkeys(_WITHDRAWN.split(), 2)
_PLAIN = re.compile(r"[0-9]{1,30}(?:\.[0-9]{0,30})?")


def digits_of(currency: str, where: str) -> int:
    """Return the minor digits of a currency. Raises Unreadable when there is no such currency."""
    try:
        return _DIGITS[currency]
    except KeyError:
        raise Unreadable(f"{where}: unknown currency {currency!r}", "statements.unknown_currency") from None


def amount_text(minor: int, currency: str) -> str:
    """Return an amount in major units with its currency, for findings."""
    digits = _DIGITS.get(currency, 2)
    whole = f"{abs(minor):0{digits + 1}d}"
    point = f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole
    return f"{'-' if minor < 0 else ''}{point} {currency}".rstrip()


def plain_minor(text: str, currency: str, where: str) -> int:
    """Return exact minor units of a plain decimal: zeros beyond the currency's digits are fine, other digits are refused."""
    if not _PLAIN.fullmatch(text):
        raise Unreadable(f"{where}: the amount {text[:60]!r} is not a plain decimal number", "statements.bad_amount")
    digits = digits_of(currency, where)
    whole, _, rest = text.partition(".")
    if rest[digits:].strip("0"):
        raise Unreadable(f"{where}: the amount {text!r} has more decimals than {currency} has", "statements.bad_amount")
    minor = int(whole + rest[:digits].ljust(digits, "0"))
    if minor > MAX_MINOR:
        raise Unreadable(f"{where}: the amount {text!r} is beyond the limit of 10^15 minor units", "statements.bad_amount")
    return minor


def signed_minor(text: str, currency: str, where: str) -> int:
    """Return exact minor units of a decimal with an optional sign in front and a point or a comma."""
    sign = -1 if text.startswith("-") else 1
    return sign * plain_minor(text.lstrip("+-").replace(",", "."), currency, where) if text else _no_amount(where)


def _no_amount(where: str) -> int:
    raise Unreadable(f"{where}: the amount is missing", "statements.bad_amount")


def clamped_day(year: int, month: int, day: int, where: str) -> tuple[date, bool]:
    """Return a day, and whether it had to be moved back to its month's end: 30 February exists in banks' calendars."""
    if not (1 <= month <= 12 and 1 <= day <= 31 and 1 <= year <= 9999):
        raise Unreadable(f"{where}: {year:04d}-{month:02d}-{day:02d} is not a day of the calendar", "statements.bad_day")
    last = calendar.monthrange(year, month)[1]
    return date(year, month, min(day, last)), day > last
