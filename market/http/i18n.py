"""Language, money and dates as a person reads them.

Babel knows how a language writes numbers; how many digits a currency has is ISO 4217's affair, where CLDR differs
for the currencies of vanilla, coffee and saffron (stack.md section 4), so the digits come from `kernel.money`.
"""

import copy
import re
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import NumberPattern, format_decimal, format_percent
from flask import Flask, request, session
from flask_babel import Babel, format_date, format_datetime, get_locale, ngettext
from flask_babel import gettext as _

from market.kernel.money import Money, exponent

LANGUAGES = ("en", "es", "fr")
"""Languages in which letters are written."""

PAGES = ("en",)
"""Languages in which pages are written: a page never says it is in a language that it is not in."""

UNIT_PRICE_DIGITS = 6
_LETTER_NEXT_TO_DIGIT = re.compile(r"(?<=[A-Z])(?=\d)|(?<=\d)(?=[A-Z])")


def letter_language() -> str:
    """Return the language in which this visitor would like letters."""
    return request.accept_languages.best_match(LANGUAGES) or "en"


def _choose() -> str:
    chosen = session.get("locale")
    if chosen in PAGES:
        return str(chosen)
    return request.accept_languages.best_match(PAGES) or "en"


def show_money(amount: Money) -> str:
    """Return `amount` in the reader's notation, with all minor digits that ISO 4217 gives the currency."""
    digits = exponent(amount.currency)
    return _currency(amount.decimal, amount.currency, digits, digits)


def show_minor(minor: int, currency: str) -> str:
    """Return an amount of minor units in the reader's notation."""
    return show_money(Money(minor, currency))


def show_unit_price(price: Decimal, currency: str) -> str:
    """Return a price per unit: at least the digits of its currency, at most six, never rounded to look neat."""
    return _currency(price, currency, exponent(currency), UNIT_PRICE_DIGITS)


def show_quantity(value: Decimal | int) -> str:
    """Return a quantity without trailing zeros, with every digit that it has."""
    return str(format_decimal(Decimal(value).normalize(), locale=_locale(), decimal_quantization=False))


def show_stock(value: Decimal) -> str:
    """Return a quantity that lies somewhere, to three digits and never more than there is: other units leave long tails."""
    return show_quantity(value.quantize(Decimal("0.001"), rounding=ROUND_DOWN))


def show_unit(unit: str, quantity: Decimal | int = 2) -> str:
    """Return a unit as it stands behind a number: pieces, litres, kg."""
    number = 1 if quantity == 1 else 2
    words = {
        "piece": ngettext("piece", "pieces", number),
        "litre": ngettext("litre", "litres", number),
        "dozen": _("dozen"),
    }
    return str(words.get(unit, unit))


def show_percent(share: Decimal | float) -> str:
    """Return a share (0.125) as whole per cent, with one digit where it would round to nothing."""
    small = 0 < abs(float(share)) < 0.01
    return str(format_percent(share, "#,##0.0%" if small else "#,##0%", locale=_locale()))


def show_day(day: date) -> str:
    """Return a day in the reader's notation."""
    return str(format_date(day, "d MMM y", rebase=False))


def show_instant(instant: datetime) -> str:
    """Return an instant in the reader's notation, naming the zone: readers sit in several."""
    return str(format_datetime(instant, "d MMM y, HH:mm z"))


def country_name(code: str) -> str:
    """Return a country's name in the reader's language, its code when it has none."""
    return str(_locale().territories.get(code, code))


def _locale() -> Locale:
    return get_locale() or Locale("en")


def _currency(value: Decimal, currency: str, least: int, most: int) -> str:
    locale = _locale()
    shown = str(_pattern(str(locale), least, most).apply(value, locale, currency=currency, currency_digits=False))
    return _LETTER_NEXT_TO_DIGIT.sub("\u00a0", shown)  # CLDR's alphaNextToNumber, which Babel leaves out


@lru_cache(maxsize=64)
def _pattern(locale: str, least: int, most: int) -> NumberPattern:
    pattern: NumberPattern = copy.copy(Locale.parse(locale).currency_formats["standard"])
    pattern.frac_prec = (least, most)
    return pattern


def init_app(app: Flask) -> None:
    """Give templates the reader's language and notations."""
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "UTC")
    Babel(app, locale_selector=_choose)
    app.jinja_env.filters.update(
        money=show_money,
        unit_price=show_unit_price,
        quantity=show_quantity,
        stock=show_stock,
        unit_word=show_unit,
        percent=show_percent,
        day=show_day,
        instant=show_instant,
    )
    app.jinja_env.globals.update(get_locale=get_locale, show_minor=show_minor, country_name=country_name, languages=LANGUAGES)
