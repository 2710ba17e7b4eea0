"""Language, money and dates as a person reads them.

Babel knows how a language writes numbers; how many digits a currency has is ISO 4217's affair, where CLDR differs
for the currencies of vanilla, coffee and saffron (stack.md section 4), so the digits come from `kernel.money`.
"""

import re
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal
from functools import cache, lru_cache
from gettext import NullTranslations
from typing import Any
from urllib.parse import urlencode

from babel import Locale
from babel.dates import format_skeleton
from babel.numbers import format_percent
from flask import Flask, Response, current_app, request, session
from flask_babel import Babel, Domain, format_date, format_datetime, get_locale
from markupsafe import Markup

from market.kernel import languages
from market.kernel.languages import LANGUAGES, NAMES, PSEUDO
from market.kernel.money import Money, exponent

COOKIE = "locale"
"""Where the session of somebody signed in keeps their language."""
_FOR_PROGRAMS = ("/api/", "/hooks/")
_DAY = re.compile(r"\b(?:19|20)\d\d-\d\d-\d\d\b")


class Catalogues(Domain):  # type: ignore[misc]
    """The messages of the reader's language, from the catalogues that letters and papers use too."""

    def get_translations(self) -> Any:
        """Return the messages of this request."""
        return _messages(language())


class _Named:
    """A catalogue under the names by which Babel asks."""

    def __init__(self, known: NullTranslations) -> None:
        self.ugettext, self.ungettext = known.gettext, known.ngettext


@cache
def _messages(chosen: str) -> Any:
    return _Named(languages.catalogue(chosen))


def language() -> str:
    """Return the language of this answer, as the catalogues and `<html lang>` call it."""
    locale = get_locale()
    if locale is None:
        return "en"
    return PSEUDO if locale.territory == "XA" else str(locale.language)


def letter_language() -> str:
    """Return the language in which this visitor would like letters."""
    return asked() or request.accept_languages.best_match(LANGUAGES) or "en"


def remember(chosen: str) -> None:
    """Keep a person's language in their session, so that no page has to look it up."""
    session[COOKIE] = chosen


def asked() -> str | None:
    """Return the language that the address asks for: `?lang=sw`. It needs no cookie and can be handed on."""
    wanted = request.args.get("lang", "")
    known = wanted in NAMES or (wanted == PSEUDO and current_app.config["PSEUDO_LANGUAGE"])
    return wanted if known else None


def _choose() -> Locale:
    """Choose by the address, then the person, then the browser. Programs get English unless they ask."""
    chosen = asked()
    if chosen is None and not request.path.startswith(_FOR_PROGRAMS):
        person = session.get(COOKIE) if current_app.config["SESSION_COOKIE_NAME"] in request.cookies else None
        chosen = person if person in NAMES else request.accept_languages.best_match(LANGUAGES)
    return languages.locale(chosen or "en")


def told(words: str) -> str:
    """Return a sentence of the domain in the reader's language; for programs as the domain says it, days as in the books."""
    said = languages.tell(words, language())
    if request and request.path.startswith(_FOR_PROGRAMS):
        return said
    return (_with_days(said) if _english() else said).replace(" %", "\u00a0%")


def told_check(check: Any) -> str:
    """Return the sentence of a price check in the reader's language; a stored one is made again from its inputs."""
    return told(check.words if language() == "en" else getattr(check, "said", check.words))


def _with_days(words: str) -> str:
    """Return an English sentence of the domain, which has its days as the books have them, with days for readers."""
    return _DAY.sub(lambda found: _readable(found[0]), words)


def _readable(day: str) -> str:
    try:
        return show_day(date.fromisoformat(day))
    except ValueError:  # a number that only looks like a day
        return day


def _keep_language(endpoint: str, values: dict[str, Any]) -> None:
    """Hand the language of the address on to every link that a page makes."""
    if request and endpoint != "static" and (chosen := _handed_on()) is not None:
        values.setdefault("lang", chosen)


def _handed_on() -> str | None:
    """Return the language of the address where links hand it on: on pages, not in what programs read."""
    chosen = asked()
    return None if chosen is None or request.path.startswith(_FOR_PROGRAMS) else chosen


def with_language(path: str) -> str:
    """Return the address of a page that has no query, with the language of this one's address as every link hands it on."""
    chosen = _handed_on()
    return path if chosen is None else f"{path}?lang={chosen}"


def language_field() -> Markup:
    """Return what a form that is sent by GET needs to hand the language of the address on."""
    chosen = asked()
    return Markup('<input type="hidden" name="lang" value="{}">').format(chosen) if chosen else Markup("")


def language_links() -> list[dict[str, Any]]:
    """Return the same page in each language: code, the language's own name, address, whether it is this one."""
    arguments = {name: values for name, values in request.args.lists() if name not in ("lang", "cursor")}
    path = request.path if request.method == "GET" else "/"
    here = language()
    return [
        {"code": code, "name": name, "href": f"{path}?{_query(arguments | {'lang': [code]})}", "current": code == here}
        for code, name in NAMES.items()
    ]


def _query(arguments: dict[str, list[str]]) -> str:
    return urlencode(arguments, doseq=True)


def _vary(response: Response) -> Response:
    """Say that a page is another one for another language; programs choose theirs by the address alone."""
    if response.mimetype == "text/html":
        response.vary.update(("Accept-Language", "Cookie"))
    return response


def show_money(amount: Money) -> str:
    """Return `amount` in the reader's notation, with all minor digits that ISO 4217 gives the currency."""
    return languages.money(amount, language())


def show_minor(minor: int, currency: str) -> str:
    """Return an amount of minor units in the reader's notation."""
    return show_money(Money(minor, currency))


def show_unit_price(price: Decimal, currency: str) -> str:
    """Return a price per unit: at least the digits of its currency, at most six, never rounded to look neat."""
    return languages.unit_price(price, currency, language())


def show_least_price(price: Decimal, currency: str) -> str:
    """Return a floor as it can be paid: rounded up to the digits of its currency, to two more below one unit of it."""
    digits = exponent(currency) + (2 if price < 1 else 0)
    return show_unit_price(price.quantize(Decimal(1).scaleb(-digits), ROUND_CEILING), currency)


def show_quantity(value: Decimal | int) -> str:
    """Return a quantity without trailing zeros, with every digit that it has."""
    return languages.number(value, language())


def show_typed(value: Decimal | int) -> str:
    """Return a number as it stands in a field: `forms.number` reads it back as the same."""
    return languages.typed(value, language())


def show_stock(value: Decimal) -> str:
    """Return a quantity that lies somewhere, to three digits and never more than there is: other units leave long tails."""
    return show_quantity(value.quantize(Decimal("0.001"), rounding=ROUND_DOWN))


def show_unit(unit: str, quantity: Decimal | int = 2) -> str:
    """Return a unit as it stands behind a number: pieces, litres, kg."""
    return languages.unit(unit, language(), quantity)


def show_percent(share: Decimal | float) -> str:
    """Return a share (0.125) as whole per cent, with one digit where it would round to nothing."""
    small = 0 < abs(float(share)) < 0.01
    return str(format_percent(share, "#,##0.0%" if small else "#,##0%", locale=_locale()))


def show_day(day: date) -> str:
    """Return a day in the reader's notation."""
    if _english():
        return str(format_date(day, "d MMM y", rebase=False))
    return str(format_skeleton("yMMMd", day, locale=_locale()))


def show_month(day: date) -> str:
    """Return the month of a day in the reader's notation."""
    return str(format_date(day, "LLLL y", rebase=False))


def show_instant(instant: datetime) -> str:
    """Return an instant in the reader's notation, naming the zone: readers sit in several."""
    if _english():
        return str(format_datetime(instant, "d MMM y, HH:mm z"))
    day = format_skeleton("yMMMd", instant, locale=_locale())
    return f"{day}, {format_datetime(instant, 'HH:mm z')}"


@lru_cache(maxsize=32)
def _countries(chosen: str) -> tuple[tuple[str, str], ...]:
    named = ((code, name) for code, name in languages.locale(chosen).territories.items() if code in languages.country_codes())
    return tuple(sorted(named, key=lambda pair: pair[1]))


def countries() -> tuple[tuple[str, str], ...]:
    """Return the codes of ISO 3166-1 with their names in the reader's language, by name."""
    return _countries(language())


def country_name(code: str) -> str:
    """Return a country's name in the reader's language, its code when it has none."""
    return languages.country(code, language())


def _english() -> bool:
    return _locale().language == "en"


def _locale() -> Locale:
    return get_locale() or Locale("en")


def init_app(app: Flask) -> None:
    """Give templates the reader's language and notations."""
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "UTC")
    app.config.setdefault("PSEUDO_LANGUAGE", app.extensions["settings"].env != "production")
    Babel(app, locale_selector=_choose)
    app.extensions["babel"].instance.domain_instance = Catalogues()
    app.url_default_functions.setdefault(None, []).append(_keep_language)
    # As Babel's own, without asking for each message which catalogues there are.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda message: _messages(language()).ugettext(message),
        ngettext=lambda one, many, count: _messages(language()).ungettext(one, many, count),
        newstyle=True,
    )
    app.after_request(_vary)
    app.jinja_env.filters.update(
        money=show_money,
        unit_price=show_unit_price,
        quantity=show_quantity,
        typed=show_typed,
        stock=show_stock,
        unit_word=show_unit,
        percent=show_percent,
        day=show_day,
        month_name=show_month,
        instant=show_instant,
        told=told,
        check_words=told_check,
        least_price=show_least_price,
    )
    app.jinja_env.globals.update(
        get_locale=get_locale,
        show_minor=show_minor,
        countries=countries,
        country_name=country_name,
        languages=tuple(NAMES.items()),
        language_field=language_field,
        language_links=language_links,
        page_language=language,
    )
