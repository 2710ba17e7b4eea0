"""Money, days and instants as a language writes them, for papers and letters; pages have the reader's locale in `http`.

CLDR has its own idea of decimals for some currencies (money.md 3): the digits are ISO 4217's, CLDR only arranges them.
"""

from copy import copy
from datetime import date, datetime

from babel import Locale
from babel.dates import format_date, format_datetime

from market.kernel.money import Money, exponent


def money_text(value: Money, language: str) -> str:
    """Return an amount in the notation of `language` with every minor digit of its currency."""
    digits = exponent(value.currency)
    pattern = copy(Locale.parse(language).currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    return str(pattern.apply(value.decimal, language, currency=value.currency, currency_digits=False))


def day_text(day: date, language: str) -> str:
    """Return a day, written out."""
    return str(format_date(day, "long", locale=language))


def instant_text(instant: datetime, language: str) -> str:
    """Return an instant with its zone."""
    return str(format_datetime(instant, "d MMMM y, HH:mm z", locale=language))
