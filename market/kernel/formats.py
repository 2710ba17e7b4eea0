"""Money, days and instants as a language writes them, for papers and letters; pages have the reader's locale in `http`."""

from datetime import date, datetime

from babel.dates import format_date, format_datetime

from market.kernel import languages
from market.kernel.money import Money


def money_text(value: Money, language: str) -> str:
    """Return an amount in the notation of `language` with every minor digit of its currency."""
    return languages.money(value, language)


# English is read on both sides of an ocean, and 12/11 is another day on each: the month is a word, as on pages.
_LONG = {"en": "d MMMM y"}
_SHORT = {"en": "d MMM y"}


def day_text(day: date, language: str) -> str:
    """Return a day, written out."""
    locale = languages.locale(language)
    return str(format_date(day, _LONG.get(locale.language, "long"), locale=locale))


def short_day(day: date, language: str) -> str:
    """Return a day as a table holds it."""
    locale = languages.locale(language)
    return str(format_date(day, _SHORT.get(locale.language, "short"), locale=locale))


def format_quarter(number: int, language: str) -> str:
    """Return the short name of a quarter of the year (1 to 4)."""
    return str(languages.locale(language).quarters["format"]["abbreviated"][number])


def instant_text(instant: datetime, language: str) -> str:
    """Return an instant with its zone."""
    return f"{day_text(instant, language)}, {format_datetime(instant, 'HH:mm z', locale=languages.locale(language))}"
