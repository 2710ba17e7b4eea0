"""The card of a listing as a page shows it, made from the card's JSON in the language of the reader.

English is made when the listing changes and stored; other languages are made from the stored JSON when they are asked for.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from babel.numbers import format_percent
from markupsafe import escape

from market.kernel import languages
from market.kernel.money import Money
from market.kernel.words import N_
from market.pricing.rules.references import SCHEME_NAMES

PART_NAMES = {
    "producer_goods": N_("Producer"),
    "organic_differential": N_("Organic differential"),
    "premium": N_("Fair-trade premium"),
    "coop_service": N_("Co-op"),
    "inland_transport": N_("Transport"),
    "payment_fee": N_("Payment"),
    "tax": N_("Tax"),
}
SOLD_OUT = N_("Sold out")


def measure(quantity: Decimal, unit: str, language: str) -> str:
    """Return `250 g`, or `kg` when it is one."""
    word = languages.unit(unit, language, quantity)
    return word if quantity == 1 else f"{languages.number(quantity, language)} {word}"


def fragment(body: Mapping[str, Any], language: str, query: str = "") -> str:
    """Return the inside of a card for a page in a language; `query` (`?lang=sw`) hands the language on with its link."""
    say = languages.catalogue(language).gettext
    quantity, unit = Decimal(body["per"]["quantity"]), body["per"]["unit"]
    base, per_base = body["comparison_unit"], ""
    if (quantity, unit) != (Decimal(1), base):
        shown = _money(body["comparison_price"], language)
        per_base = f'<p class="soft"><small><bdi>{shown}</bdi> / <bdi>{languages.unit(base, language, 1)}</bdi></small></p>'
    schemes = (escape(say(SCHEME_NAMES.get(one["scheme"], one["scheme"]))) for one in body["certificates"])
    badges = "".join(f'<span class="badge good">{scheme}</span>' for scheme in schemes)
    country = languages.country(body["coop"]["country"], language)
    return (
        f'{_photo(body, language)}<div class="body"><h3><a href="/listings/{body["id"]}{query}"{_title(body, language)}</a></h3>'
        f'<p class="soft"><bdi>{escape(body["producer"]["name"])}</bdi> · <bdi>{escape(body["coop"]["name"])}</bdi>,'
        f" {escape(country)}</p>"
        f'<p class="price"><bdi>{_money(body["price"], language)}</bdi>'
        f" <small>/ <bdi>{escape(measure(quantity, unit, language))}</bdi></small></p>"
        f"{per_base}{_bar(body['parts'], language)}"
        f'<p class="row">{badges}'
        f'<span class="badge warn when-sold-out">{escape(say(SOLD_OUT))}</span></p></div>'
    )


def _title(body: Mapping[str, Any], language: str) -> str:
    """Return the title in the reader's language where its author gave one, else the original with its language marked."""
    known, own = body.get("titles", {}).get(language), body.get("language") or ""
    marked = "" if known or own == language else f' lang="{own}" dir="auto"'
    return f"{marked}>{escape(known or body['title'])}"


def _money(amount: Mapping[str, Any], language: str) -> str:
    return languages.money(Money(amount["minor"], amount["currency"]), language)


def _bar(parts: Sequence[Mapping[str, Any]], language: str) -> str:
    """Return "who gets what" as a small picture with its words; shapes, because the content policy allows no inline style."""
    say = languages.catalogue(language).gettext
    shown = [part for part in parts if part["minor"] > 0]
    whole = sum(part["minor"] for part in shown) or 1
    shapes, words, left = [], [], Decimal(0)
    for part in shown:
        kind, share = part["kind"], (Decimal(part["minor"]) * 100 / whole).quantize(Decimal("0.1"))
        shapes.append(f'<rect class="p-{kind}" x="{left}" width="{share}" height="6"/>')
        words.append(f"{say(PART_NAMES.get(kind, kind))} {_percent(round(share), language)}")
        left += share
    said = escape(", ".join(words))
    return (
        f'<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="{said}">{"".join(shapes)}</svg>'
    )


@cache
def _percent(whole: int, language: str) -> str:
    return str(format_percent(Decimal(whole) / 100, "#,##0%", locale=languages.locale(language)))


def _photo(body: Mapping[str, Any], language: str) -> str:
    photo = body["photo"]
    if not photo:
        letter = escape(body["product"]["category"][:1].upper())
        return f'<svg viewBox="0 0 40 30" aria-hidden="true"><text x="20" y="19" text-anchor="middle">{letter}</text></svg>'
    small, own = photo["sizes"][0], body.get("language") or ""
    marked = "" if own == language else f' lang="{own}"'
    return (
        f'<img src="/media/{small["key"]}" width="{small["width"]}" height="{small["height"]}"'
        f' alt="{escape(photo["alt"])}"{marked} loading="lazy">'
    )
