"""A listing as the catalogue shows it: the same facts as JSON for the API and as a fragment for the page.

Cards are rendered when a listing changes and stored, because rendering 24 of them at each visit costs more than
everything else together (docs/decisions, "Cards are rendered when a listing changes"). A card holds public data alone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from market.catalogue import fragments, rules
from market.catalogue.fragments import fragment
from market.catalogue.rules import listing_terms
from market.kernel import languages
from market.kernel.money import Money
from market.pricing import rules as prices
from market.pricing.rules import parts as sums
from market.pricing.rules import references

_DRAWN_BY = (__file__, *(module.__file__ or "" for module in (fragments, rules, languages, sums, references)))
PROGRAM = sha256(b"".join(Path(source).read_bytes() for source in _DRAWN_BY)).hexdigest()[:16]
"""Names the program that makes the cards: what decides over their looks, words and sums. Cards of another are made anew."""

BASE_UNITS = {"mass": "kg", "volume": "litre", "count": "piece"}


@dataclass(frozen=True, slots=True)
class Badge:
    """A certificate that covers the listing today."""

    scheme: str
    number: str


@dataclass(frozen=True, slots=True)
class CardFacts:
    """Everything that a card shows, already public. `unit_price` is the producer's price of one unit.

    `language` is that of the title (empty: nobody said), `titles` are the producer's own translations.
    """

    listing_id: UUID
    lot_id: UUID
    title: str
    unit: str
    order_step: Decimal
    unit_price: Decimal
    premium_per_unit: Decimal
    organic_per_unit: Decimal
    currency: str
    category: str
    product: str
    quality: str
    producer: str
    producer_slug: str
    region: str
    coop: str
    coop_slug: str
    country: str
    charges: prices.Charges
    photo: dict[str, Any] | None = None
    language: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    badges: Sequence[Badge] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Card:
    """What is stored: both forms, the price of one step for the filter, and the terms that find it."""

    json: str
    html: str
    price: Decimal
    terms: tuple[str, ...]


class Priced(Protocol):
    """What has a producer's price: the facts of a card, or a listing."""

    @property
    def unit_price(self) -> Decimal:
        """The producer's price of one unit."""

    @property
    def premium_per_unit(self) -> Decimal:
        """The premium on top."""

    @property
    def organic_per_unit(self) -> Decimal:
        """What of the price is the organic differential."""

    @property
    def currency(self) -> str:
        """The currency of all of them."""

    @property
    def unit(self) -> str:
        """The unit of all of them."""


def parts_of(offer: Priced, charges: prices.Charges, quantity: Decimal) -> list[prices.Component]:
    """Return who gets what of `quantity` of an offer, as one order line."""

    def price(amount: Decimal) -> prices.Price:
        return prices.Price(amount, offer.currency, offer.unit)

    return prices.breakdown(
        price=price(offer.unit_price),
        premium=price(offer.premium_per_unit),
        organic_differential=price(offer.organic_per_unit),
        quantity=quantity,
        charges=charges,
    )


def comparison(amount: Money, quantity: Decimal, unit: str) -> tuple[Money, str]:
    """Return the price of one kg, litre or piece when `quantity` of `unit` costs `amount`, rounded half up, and its unit."""
    dimension, factor = prices.UNITS[unit]
    exact = Fraction(amount.decimal) / (Fraction(quantity) * Fraction(factor))
    scaled = exact * 10**12
    return Money.of(Decimal(round(scaled)) / Decimal(10**12), amount.currency), BASE_UNITS[dimension]


def render(facts: CardFacts) -> Card:
    """Return the card of a published listing: what one step of it costs ordered alone, transport included, as its page says."""
    parts = parts_of(facts, facts.charges, facts.order_step)
    amount = prices.sum_of(parts)
    compared, base = comparison(amount, facts.order_step, facts.unit)
    body = _body(facts, parts, amount, compared, base)
    return Card(
        json=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        html=fragment(body, "en"),
        price=amount.decimal,
        terms=tuple(
            listing_terms(
                texts=(
                    facts.title,
                    *facts.titles.values(),
                    facts.product,
                    facts.producer,
                    facts.region,
                    facts.coop,
                    facts.category,
                    facts.quality,
                ),
                category=facts.category,
                coop=facts.coop_slug,
                certificates=[badge.scheme for badge in facts.badges],
                currency=facts.currency,
            )
        ),
    )


def _money(amount: Money) -> dict[str, object]:
    return {"minor": amount.minor, "currency": amount.currency}


def _body(facts: CardFacts, parts: Sequence[prices.Component], amount: Money, compared: Money, base: str) -> dict[str, Any]:
    return {
        "id": str(facts.listing_id),
        "lot_id": str(facts.lot_id),
        "title": facts.title,
        "language": facts.language or None,
        "titles": dict(facts.titles),
        "product": {"name": facts.product, "category": facts.category, "quality": facts.quality},
        "producer": {"slug": facts.producer_slug, "name": facts.producer, "region": facts.region},
        "coop": {"slug": facts.coop_slug, "name": facts.coop, "country": facts.country},
        "price": _money(amount),
        "per": {"quantity": f"{facts.order_step.normalize():f}", "unit": facts.unit},
        "comparison_price": _money(compared),
        "comparison_unit": base,
        "parts": [{"kind": part.kind, "minor": part.money.minor} for part in parts],
        "certificates": [{"scheme": badge.scheme, "number": badge.number} for badge in facts.badges],
        "photo": facts.photo,
    }
