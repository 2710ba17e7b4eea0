"""Market and state prices as staff enter them, and which entry of a day counts (fair-prices.md 1.3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from market.kernel.words import say, sentences
from market.pricing.rules.units import NotComparable, Price, in_measure, plain


@dataclass(frozen=True, slots=True)
class MarketPrice:
    """A market or state price entered by staff: named parts that add up (`C 1.62 + differential 0.10`)."""

    market: str
    parts: tuple[tuple[str, Decimal], ...]
    currency: str
    unit: str
    quoted_on: date
    source_name: str = ""
    per: Decimal = Decimal(1)
    quote_id: UUID | None = None

    @property
    def price(self) -> Price:
        """The sum of the parts as a price."""
        return Price(sum((amount for _, amount in self.parts), Decimal(0)), self.currency, self.unit, self.per)

    @property
    def text(self) -> str:
        """The parts, their sum, the day and the source, in words."""
        parts = [say("%(label)s %(amount)s", label=label, amount=plain(amount, 2)) for label, amount in self.parts]
        whole = sentences(*parts, between=" + ")
        if len(parts) > 1:
            total = say("%(parts)s = %(total)s", parts=whole, total=self.price.text)
        else:
            total = say("%(label)s %(price)s", label=self.parts[0][0] if self.parts else "", price=self.price.text)
        if not self.source_name:
            return say("%(total)s (quoted %(day)s)", total=total, day=self.quoted_on)
        return say("%(total)s (quoted %(day)s, %(source)s)", total=total, day=self.quoted_on, source=self.source_name)


def trusted(quotes: Iterable[tuple[MarketPrice, bool]]) -> list[MarketPrice]:
    """Return the price of each market and day that counts, from (price, checked by a second person) in order of entry.

    The newest entry of a day counts, unless it is more than twice or less than half of the former price and nobody
    checked it: one slip of the hand must not take a product out of the shop (project choice, as E14).
    """
    last: dict[str, MarketPrice] = {}
    counting: dict[tuple[str, date], MarketPrice] = {}
    for quote, checked in sorted(quotes, key=lambda pair: pair[0].quoted_on):
        former = last.get(quote.market)
        if checked or former is None or _near(quote.price, former.price):
            last[quote.market] = counting[quote.market, quote.quoted_on] = quote
    return list(counting.values())


def _near(price: Price, former: Price) -> bool:
    try:
        now = in_measure(price, former)
    except NotComparable:
        return False
    return price.currency == former.currency and Fraction(former.amount) / 2 <= now <= Fraction(former.amount) * 2
