"""Units with exact values, and prices per unit compared without a rounded quotient (fair-prices.md 8, R-11).

All arithmetic runs on fractions, because 1.80 USD/lb has no finite decimal per kilogram: the comparison multiplies
across with the exact factor, and only what a person types or reads is a decimal.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from market.kernel.money import Money, exponent
from market.kernel.words import Amount, Number, Said, Term, Unit, say

PLACES = 6
"""Digits of a unit price: the scale of numeric(18,6)."""

UNITS: dict[str, tuple[str, Decimal]] = {
    "kg": ("mass", Decimal("1")),
    "g": ("mass", Decimal("0.001")),
    "lb": ("mass", Decimal("0.45359237")),
    "oz": ("mass", Decimal("0.028349523125")),
    "MT": ("mass", Decimal("1000")),
    "short_ton": ("mass", Decimal("907.18474")),
    "long_ton": ("mass", Decimal("1016.0469088")),
    "troy_oz": ("mass", Decimal("0.0311034768")),
    "q_metric": ("mass", Decimal("100")),
    "litre": ("volume", Decimal("1")),
    "us_gallon": ("volume", Decimal("3.785411784")),
    "imperial_gallon": ("volume", Decimal("4.54609")),
    "piece": ("count", Decimal("1")),
    "dozen": ("count", Decimal("12")),
}
_FACTORS = {unit: Fraction(value) for unit, (_, value) in UNITS.items()}
NOT_UNITS = frozenset({"box", "carton", "bag", "sack", "bale", "bunch", "quintal", "arroba"})


class NotComparable(ValueError):
    """Two prices that no exact factor joins. `reason` is the stable code of the check (R-11)."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words


@dataclass(frozen=True, slots=True)
class Packaging:
    """A box, bag or bunch: a unit only once somebody declared what it holds (R-11)."""

    code: str
    net_quantity: Decimal | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """`amount` of `currency` for `per` of `unit`, or of `packaging` where the unit is one."""

    amount: Decimal
    currency: str
    unit: str
    per: Decimal = Decimal(1)
    packaging: Packaging | None = None

    @property
    def text(self) -> Said:
        """The price as a person reads it: `1.80 USD per lb`."""
        return per(figure(self.amount, self.currency), self.measure)

    @property
    def measure(self) -> str:
        """What the amount is for: `lb`, `100 kg`."""
        return Unit(self.unit) if self.per == 1 else say("%(number)s %(unit)s", number=plain(self.per), unit=Unit(self.unit))


@dataclass(frozen=True, slots=True)
class FxEvidence:
    """One dated rate with its source: `rate` units of `quote` for one of `base` (R-12)."""

    base: str
    quote: str
    rate: Decimal
    rate_date: str
    source_name: str


def per(amount: str, measure: str) -> Said:
    """Return an amount per measure in words: `1.80 USD per lb`."""
    return say("%(amount)s per %(measure)s", amount=amount, measure=measure)


def plain(value: Decimal | Fraction | int, digits: int = 0) -> Number:
    """Return a number as people write it: groups of three, at least `digits` decimals, no empty zeros after them."""
    text = f"{decimal_of(value) if isinstance(value, Fraction) else value:,f}"
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0").ljust(digits, "0")
    return Number(f"{whole}.{decimals}" if decimals else whole)


def figure(value: Decimal | Fraction, currency: str) -> Amount:
    """Return an amount of money with its currency: `1.80 USD`, `3.9683 USD`, `1,602 XOF`."""
    return Amount(f"{plain(value, exponent(currency))} {currency}")


def whole(money: Money) -> Amount:
    """Return money with all its minor digits, in groups of three: `1,250.00 USD`."""
    return Amount(f"{money.decimal:,f} {money.currency}")


def decimal_of(value: Fraction) -> Decimal:
    """Return `value` exactly where it has a finite decimal, else with twelve digits."""
    rest = value.denominator
    twos = fives = 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives) if rest == 1 and max(twos, fives) <= 24 else 12
    return Decimal(f"{_half_up(value * 10**places)}e-{places}")


def _half_up(value: Fraction) -> int:
    sign = -1 if value < 0 else 1
    return sign * ((2 * abs(value).numerator + value.denominator) // (2 * value.denominator))


def round_line(value: Fraction, currency: str) -> Money:
    """Round the exact amount of a whole line half up to minor units: once per line, and nowhere else."""
    return Money(_half_up(value * 10 ** exponent(currency)), currency)


def ceil_price(value: Fraction, places: int = PLACES) -> Decimal:
    """Return the lowest unit price of `places` digits that is not below `value`: what a form proposes."""
    return Decimal(f"{-((-value * 10**places) // 1)}e-{places}")


def factor(unit: str, packaging: Packaging | None = None) -> Fraction:
    """Return how many base units (kg, litre, piece) one `unit` is, exactly.

    Raises NotComparable: `packaging_unknown` for a box nobody declared, `unit_unknown` for anything else.
    """
    if unit in UNITS:
        return _FACTORS[unit]
    if packaging is None and unit.split("_")[0] not in NOT_UNITS:
        raise NotComparable("unit_unknown", say("'%(unit)s' is not a unit with a fixed value.", unit=unit))
    if packaging is None or packaging.net_quantity is None or packaging.unit is None:
        raise NotComparable(
            "packaging_unknown",
            say(
                "Nobody declared the net weight of one %(unit)s, so its price cannot be converted.",
                unit=Term(unit.replace("_", " ")),
            ),
        )
    return Fraction(packaging.net_quantity) * factor(packaging.unit)


def _dimension(price: Price) -> str:
    factor(price.unit, price.packaging)
    return UNITS[price.unit if price.unit in UNITS or price.packaging is None else str(price.packaging.unit)][0]


def same_dimension(price: Price, other: Price) -> None:
    """Raise NotComparable unless both units measure the same thing (mass to volume needs a declared density)."""
    one, two = _dimension(price), _dimension(other)
    if one != two:
        raise NotComparable(
            "unit_kind",
            say(
                "A price per %(unit)s (%(one)s) cannot be compared with one per %(other)s (%(two)s).",
                unit=price.unit,
                one=one,
                other=other.unit,
                two=two,
            ),
        )


def same_measure(price: Price, other: Price) -> bool:
    """Say whether two prices are for the same amount of the same unit, so that amounts compare directly."""
    return (price.unit, price.per, price.packaging) == (other.unit, other.per, other.packaging)


def per_base(price: Price) -> Fraction:
    """Return the exact amount for one base unit (kg, litre, piece)."""
    return Fraction(price.amount) / (Fraction(price.per) * factor(price.unit, price.packaging))


def in_measure(price: Price, like: Price) -> Fraction:
    """Return the exact amount of `price` for the measure of `like`. Raises NotComparable."""
    if same_measure(price, like):
        return Fraction(price.amount)
    same_dimension(price, like)
    return per_base(price) * Fraction(like.per) * factor(like.unit, like.packaging)


def measures(quantity: Decimal, unit: Price, like: Price) -> Fraction:
    """Return how many measures of `like` are in `quantity` of the unit of `unit`. Raises NotComparable."""
    if unit.unit == like.unit and unit.packaging == like.packaging:
        return Fraction(quantity) / Fraction(like.per)
    same_dimension(unit, like)
    return Fraction(quantity) * factor(unit.unit, unit.packaging) / (Fraction(like.per) * factor(like.unit, like.packaging))


def conversion_words(price: Price, like: Price) -> str:
    """Return the conversion of `price` to the measure of `like` as a sentence, or nothing when there is none.

    It multiplies: the side with the finite factor is shown, so that anybody can follow it on paper.
    """
    if same_measure(price, like):
        return ""
    ratio = Fraction(like.per) * factor(like.unit, like.packaging) / (Fraction(price.per) * factor(price.unit, price.packaging))
    result = decimal_of(in_measure(price, like))
    if _finite(ratio):
        return say(
            "%(price)s is %(amount)s × %(ratio)s (%(small)s in one %(large)s) = %(result)s.",
            price=price.text,
            amount=plain(price.amount),
            ratio=plain(ratio),
            small=price.measure,
            large=like.measure,
            result=per(figure(result, price.currency), like.measure),
        )
    about = "=" if _finite(in_measure(price, like)) else "≈"
    return say(
        "%(price)s is %(amount)s ÷ %(ratio)s (%(small)s in one %(large)s) %(equals)s %(result)s.",
        price=price.text,
        amount=plain(price.amount),
        ratio=plain(1 / ratio),
        small=like.measure,
        large=price.measure,
        equals=about,
        result=per(figure(result, price.currency), like.measure),
    )


def _finite(value: Fraction) -> bool:
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


_UNIT_WORDS = {
    "kilogram": "kg", "kilo": "kg", "kgs": "kg", "gram": "g", "pound": "lb", "lbs": "lb", "ounce": "oz", "tonne": "MT",
    "mt": "MT", "metric_tonne": "MT", "metric_ton": "MT",
    "t": "MT", "liter": "litre", "l": "litre", "pieces": "piece", "pc": "piece",
}  # fmt: skip


def unit_code(text: str) -> str:
    """Return the code of a unit written as in a table: `Kilogram` is kg, `box 43 lb` is box_43_lb."""
    word = re.sub(r"[\s-]+", "_", text.strip())
    return word if word in UNITS else _UNIT_WORDS.get(word.lower(), word.lower())
