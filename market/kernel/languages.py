"""The languages of the market and their catalogues: which there are, how they call themselves, how a sentence is told.

A catalogue is one `translations/xx.po`, the only thing kept in git. It is compiled beside itself when it is first needed
and again when it has changed; nothing is read for English, and nothing before somebody asks for the language.
"""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from copy import copy
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_skeleton
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from market.kernel.money import Money, exponent
from market.kernel.words import Amount, Number, Said, Sentences, Term, Unit, say, sentences

NAMES = {"en": "English", "es": "Español", "fr": "Français", "pt": "Português", "sw": "Kiswahili", "ar": "العربية"}
LANGUAGES = tuple(NAMES)
"""Every language of pages, letters and papers; the source of all is English."""

PSEUDO = "en-XA"
"""English with accents, brackets and more room: whatever a page shows without them passes by the catalogues."""

FOLDER = Path(__file__).parents[1] / "translations"
_RIGHT_TO_LEFT = ("ar",)
_NO_COUNTRY = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
_PLACE = re.compile(r"%\((\w+)\)s")
_TELLING = 10
"""Letters of its own that a sentence needs before it is taken for one of ours."""
_TAX = "Tax (%(share)s %%)"
"""Shorter than that, and on every receipt of goods with tax."""
_LETTER_NEXT_TO_DIGIT = re.compile(r"(?<=[A-Z])(?=\d)|(?<=\d)(?=[A-Z])")
_BETWEEN = re.compile(r"(?<=[.!?]) (?=[A-Z])")
_FACT = re.compile(r"(?<![\"'=])%\(\w+\)s")


def best(language: str) -> str:
    """Return the language itself where we have it, the language of its region's name (`pt` for `pt-BR`), else English."""
    if language == PSEUDO:
        return PSEUDO
    short = re.split("[-_]", language, maxsplit=1)[0].lower()
    return short if short in NAMES else "en"


@cache
def locale(language: str) -> Locale:
    """Return how a language writes numbers and days; the pseudo-language is English that knows its own name."""
    if language != PSEUDO:
        return Locale(language)
    pseudo = Locale("en")
    pseudo._data  # noqa: B018 - loaded under its real name, before it takes the other
    pseudo.territory = "XA"
    return pseudo


@cache
def country_codes() -> frozenset[str]:
    """Return the codes of ISO 3166-1: the territories of CLDR that are addresses."""
    return frozenset(code for code in map(str, locale("en").territories) if len(code) == 2 and code.isalpha()) - _NO_COUNTRY


@cache
def catalogue(language: str) -> NullTranslations:
    """Return the messages of a language. English needs none."""
    if language == PSEUDO:
        return Pseudo()
    if language == "en":
        return NullTranslations()
    known = GNUTranslations(BytesIO(_compiled(FOLDER / f"{language}.po")))  # type: ignore[arg-type]
    if language in _RIGHT_TO_LEFT:
        # Facts in another script keep their own direction (Unicode's FSI and PDI), or their brackets and digits would wander.
        messages: dict[Any, str] = known._catalog  # type: ignore[attr-defined]  # the standard library has no door to it
        messages.update({key: _FACT.sub("\u2068\\g<0>\u2069", text) for key, text in messages.items()})
    return known


def _compiled(source: Path) -> bytes:
    made = source.with_suffix(".mo")
    try:
        if made.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            return made.read_bytes()
    except FileNotFoundError:
        pass
    buffer = BytesIO()
    with source.open("rb") as file:
        write_mo(buffer, read_po(file))
    half = made.with_suffix(f".{os.getpid()}")
    try:
        half.write_bytes(buffer.getvalue())
        half.replace(made)
    except OSError:  # a read-only installation: each process keeps its own
        half.unlink(missing_ok=True)
    return buffer.getvalue()


def tell(words: str, language: str) -> str:
    """Return a sentence of the domain in a language; a text that no catalogue knows stays as it is."""
    if language == "en":
        return str(words)
    if isinstance(words, Sentences):
        return words.template.join(tell(part, language) for part in words.facts["parts"])
    if isinstance(words, Said):
        known = catalogue(language)
        plural = words.plural
        template = known.ngettext(words.template, plural, words.number) if plural else known.gettext(words.template)
        return template % {name: fact(value, language) for name, value in words.facts.items()} if words.facts else template
    if isinstance(words, (Number, Amount, Term)):
        return fact(words, language)
    told = catalogue(language).gettext(words) if words else ""
    if told != words or (again := _recognised(words)) is None:
        return told
    return tell(again, language)


@lru_cache(maxsize=4096)
def _recognised(text: str) -> Said | None:
    """Return a stored English text with its facts, found by the template that it fits, whole or sentence by sentence.

    None when a part fits none: half a translation would be worse than none.
    """
    parts = _BETWEEN.split(text)
    if len(parts) > 1 and text not in catalogue(LANGUAGES[1])._catalog:  # type: ignore[attr-defined]
        known = [part if part in catalogue(LANGUAGES[1])._catalog else _recognised(part) for part in parts]  # type: ignore[attr-defined]
        if None not in known:
            return sentences(*(part for part in known if part is not None))
    for shape, template in _shapes():
        if found := shape.fullmatch(text):
            facts = found.groupdict()
            return say(template, **{name: _typed(value) for name, value in facts.items()})
    return None


def _typed(value: str) -> str | date:
    if re.fullmatch(r"-?\d+(\.\d+)? [A-Z]{3}", value):
        return Amount(value)
    if re.fullmatch(r"(?:19|20)\d\d-\d\d-\d\d", value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    if ", " in value:
        return sentences(*(Term(part) for part in value.split(", ")), between=", ")
    return Number(value) if re.fullmatch(r"\d[\d,]*(\.\d+)?", value) else Term(value)


@cache
def _shapes() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return what sentences with facts look like, those with most words of their own first."""
    messages = catalogue(LANGUAGES[1])._catalog  # type: ignore[attr-defined]
    long = (key for key in messages if isinstance(key, str) and "%(" in key and len(_PLACE.sub("", key)) >= _TELLING)
    templates = [*long, _TAX]
    templates.sort(key=lambda key: -len(_PLACE.sub("", key)))
    return tuple((_shape(template), template) for template in templates)


def _shape(template: str) -> re.Pattern[str]:
    out, at, seen = [], 0, set()
    for place in _PLACE.finditer(template):
        out.append(re.escape(template[at : place.start()].replace("%%", "%")))
        name = place[1]
        out.append(f"(?P={name})" if name in seen else f"(?P<{name}>.+?)")
        seen.add(name)
        at = place.end()
    out.append(re.escape(template[at:].replace("%%", "%")))
    return re.compile("".join(out))


def fact(value: Any, language: str) -> str:
    """Return a fact as a sentence in a language holds it."""
    if isinstance(value, Said):
        return tell(value, language)
    if isinstance(value, Number):
        return _number(value, language)
    if isinstance(value, Amount):
        figures, _, currency = value.partition(" ")
        return _money(Decimal(figures.replace(",", "")), currency, language)
    if isinstance(value, str):
        return catalogue(language).gettext(value) if isinstance(value, (Term, Unit)) and value else str(value)
    if isinstance(value, Money):
        return money(value, language)
    if isinstance(value, date):
        return format_skeleton("yMMMd", value, locale=locale(language))
    if isinstance(value, (int, Decimal)):
        return str(format_decimal(value, locale=locale(language), decimal_quantization=False))
    if isinstance(value, Sequence):
        return str(format_list([fact(part, language) for part in value], locale=locale(language)))
    return str(value)


def money(value: Money, language: str) -> str:
    """Return an amount with every minor digit that ISO 4217 gives its currency; CLDR only arranges them."""
    digits = exponent(value.currency)
    return amount(value.decimal, value.currency, language, digits, digits)


def _money(value: Decimal, currency: str, language: str) -> str:
    shown = max(0, -int(value.as_tuple().exponent))
    return amount(value, currency, language, shown, shown)


def amount(value: Decimal, currency: str, language: str, least: int, most: int) -> str:
    """Return an amount in the notation of a language with `least` to `most` digits after the point."""
    shown = str(_pattern(language, least, most).apply(value, locale(language), currency=currency, currency_digits=False))
    return _LETTER_NEXT_TO_DIGIT.sub("\u00a0", shown)  # CLDR's alphaNextToNumber, which Babel leaves out


def unit_price(price: Decimal, currency: str, language: str) -> str:
    """Return a price per unit: at least the digits of its currency, at most six, never rounded to look neat."""
    return amount(price, currency, language, exponent(currency), 6)


@lru_cache(maxsize=128)
def _pattern(language: str, least: int, most: int) -> Any:
    pattern = copy(locale(language).currency_formats["standard"])
    pattern.frac_prec = (least, most)
    return pattern


def unit(code: str, language: str, quantity: Decimal | int = 2) -> str:
    """Return a unit as it stands behind a number: pieces, litres, kg."""
    known, count = catalogue(language), 1 if quantity == 1 else 2
    words = {
        "piece": known.ngettext("piece", "pieces", count),
        "litre": known.ngettext("litre", "litres", count),
        "dozen": known.gettext("dozen"),
    }
    return words.get(code, code)


def number(value: Decimal | int, language: str) -> str:
    """Return a number without trailing zeros, with every digit that it has."""
    return str(format_decimal(Decimal(value).normalize(), locale=locale(language), decimal_quantization=False))


def typed(value: Decimal | int, language: str) -> str:
    """Return a number as it stands in a field, to be changed or sent as it is: with every digit, without groups of thousands."""
    plain = Decimal(value).normalize()
    return str(format_decimal(plain, locale=locale(language), decimal_quantization=False, group_separator=False))


def grouping(language: str) -> str:
    """Return the mark by which a language groups thousands."""
    return str(locale(language).number_symbols["latn"]["group"])


def country(code: str, language: str) -> str:
    """Return a country's name in a language, its code when it has none."""
    return str(locale(language).territories.get(code, code))


def _number(text: str, language: str) -> str:
    decimals = len(text.partition(".")[2])
    pattern = "#,##0." + "0" * decimals if decimals else "#,##0"
    return str(format_decimal(Decimal(text.replace(",", "")), format=pattern, locale=locale(language)))


_KEPT = re.compile(r"%\(\w+\)[sd]|%%|<[^>]+>|&\w+;|\{[^}]*\}")
_ACCENTED = str.maketrans("aceinouyACEINOUY", "áçéîñôûýÁÇÉÎÑÔÛÝ")


def pseudo(text: str) -> str:
    """Return `text` with accents, 40 % longer, in brackets; what stands for a fact or is markup stays."""
    if not text.strip():
        return text
    out, at = [], 0
    for kept in _KEPT.finditer(text):
        out += [text[at : kept.start()].translate(_ACCENTED), kept[0]]
        at = kept.end()
    out.append(text[at:].translate(_ACCENTED))
    return f"[{''.join(out)}{'~' * (len(text) * 2 // 5)}]"


class Pseudo(NullTranslations):
    """The pseudo-language: made from the English text, so it is complete by itself."""

    def gettext(self, message: str) -> str:
        """Return the marked text."""
        return pseudo(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return the marked form."""
        return pseudo(msgid1 if n == 1 else msgid2)
