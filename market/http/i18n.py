"""Language, money and dates as a person reads them."""

from datetime import date, datetime
from decimal import Decimal

from babel.numbers import format_currency
from flask import Flask, request, session
from flask_babel import Babel, format_date, format_datetime, format_decimal, get_locale

from market.kernel.money import Money, exponent

LANGUAGES = ("en", "es", "fr")


def _choose() -> str:
    chosen = session.get("locale")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES) or "en"


def show_money(amount: Money) -> str:
    """Return `amount` in the reader's notation, with all minor digits that ISO 4217 gives the currency."""
    pattern = "¤#,##0" + ("." + "0" * exponent(amount.currency) if exponent(amount.currency) else "")
    return format_currency(amount.decimal, amount.currency, pattern + ";-" + pattern, locale=get_locale(), currency_digits=False)


def show_minor(minor: int, currency: str) -> str:
    """Return an amount of minor units in the reader's notation."""
    return show_money(Money(minor, currency))


def show_quantity(value: Decimal) -> str:
    """Return a quantity without trailing zeros."""
    return format_decimal(value.normalize())


def show_day(day: date) -> str:
    """Return a day in the reader's notation."""
    return format_date(day, "medium")


def show_instant(instant: datetime) -> str:
    """Return an instant in the reader's notation."""
    return format_datetime(instant, "medium")


def init_app(app: Flask) -> None:
    """Give templates the reader's language and notations."""
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "UTC")
    Babel(app, locale_selector=_choose)
    app.jinja_env.filters.update(money=show_money, quantity=show_quantity, day=show_day, instant=show_instant)
    app.jinja_env.globals.update(get_locale=get_locale, show_minor=show_minor, languages=LANGUAGES)
