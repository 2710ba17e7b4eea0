"""A price held against one floor: compared exactly, in the floor's own currency, measure and delivery level (R-11, R-12)."""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from market.kernel.money import Money
from market.kernel.words import N_, Unit, say, sentences
from market.pricing.rules.units import (
    FxEvidence,
    NotComparable,
    Price,
    ceil_price,
    conversion_words,
    decimal_of,
    figure,
    in_measure,
    measures,
    per,
    plain,
    round_line,
    whole,
)
from market.pricing.rules.verdict import Finding, Outcome

_CHAIN = ("farm gate", "washing station", "EXW", "FCA", "FAS", "FOB", "CFR", "CPT", "CIF", "CIP", "DAP", "DPU", "DDP")
_SAME_LEVEL = {"ship side": "FAS", "farm/ship side": "FAS", "loaded on ship": "FOB"}


@dataclass(frozen=True, slots=True)
class Floor:
    """A floor of one kind in its own currency and measure; `exact` is its amount without rounding."""

    kind: str
    label: str
    price: Price
    exact: Fraction
    reference_id: UUID | None = None
    passing: Decimal | None = None

    @property
    def blocks(self) -> bool:
        """Whether a price below it is refused; derived floors and living incomes only inform (1.3)."""
        return self.kind in ("statute", "scheme", "coop", "contract")


@dataclass(frozen=True, slots=True)
class Compared:
    """What a price lacks against a floor, and the least price in its own currency and measure that would pass."""

    short: Fraction
    """What is missing per measure of the floor; zero or less when the price holds."""
    amount_short: Money
    passing: Decimal
    words: str


def _fx_rate(price: Price, currency: str, fx: FxEvidence | None) -> tuple[Fraction, str]:
    if price.currency == currency:
        return Fraction(1), ""
    if fx is None or (fx.base, fx.quote) != (price.currency, currency) or not fx.source_name:
        raise NotComparable(
            "fx_evidence_missing",
            say(
                "The price is in %(currency)s and the floor in %(floor)s;"
                " without a dated rate and its source they cannot be compared.",
                currency=price.currency,
                floor=currency,
            ),
        )
    words = say(
        "At %(rate)s %(quote)s for 1 %(base)s (%(day)s, %(source)s)",
        rate=plain(fx.rate),
        quote=fx.quote,
        base=fx.base,
        day=fx.rate_date,
        source=fx.source_name,
    )
    return Fraction(fx.rate), words


def compare(price: Price, quantity: Decimal, floor: Price, exact: Fraction, fx: FxEvidence | None) -> Compared:
    """Compare in the floor's own currency and measure, exactly (R-11, R-12). Raises NotComparable."""
    rate, fx_words = _fx_rate(price, floor.currency, fx)
    mine = in_measure(price, floor) * rate
    short = exact - mine
    one = Price(Decimal(1), floor.currency, floor.unit, floor.per, floor.packaging)
    passing = ceil_price(exact * in_measure(one, price) / rate)
    amount = round_line(max(short, Fraction(0)) * measures(quantity, price, floor), floor.currency)
    words = conversion_words(price, floor)
    if fx_words:
        converted = per(figure(decimal_of(mine), floor.currency), floor.measure)
        words = sentences(words, say("%(rate)s that is %(price)s.", rate=fx_words, price=converted))
    return Compared(short, amount, passing, words)


def level_of(text: str) -> str | None:
    """Return an incoterm or another step of the chain as the rules write it, whatever letters are capitals; None if unknown."""
    return next((one for one in ("", *_CHAIN, *_SAME_LEVEL) if one.casefold() == text.casefold()), None)


def steps_beyond(mine: str, row: str) -> int:
    """Return how many steps further along the chain `mine` lies than `row`; 0 when equal or not said, -1 when unknown."""
    mine, row = _SAME_LEVEL.get(mine, mine), _SAME_LEVEL.get(row, row)
    if not row or not mine or mine == row:
        return 0
    if mine not in _CHAIN or row not in _CHAIN:
        return -1
    return _CHAIN.index(mine) - _CHAIN.index(row)


def _too_low(price: Price, quantity: Decimal, seen: Compared, lacks: Price) -> str:
    """Say by how much a price is too low: for the quantity, too, unless that rounds to nothing."""
    said = {"price": price.text, "gap": lacks.text, "passing": per(figure(seen.passing, price.currency), price.measure)}
    if not seen.amount_short:
        return say("The price of %(price)s is %(gap)s too low. A price of %(passing)s or more passes.", **said)
    return say(
        "The price of %(price)s is %(gap)s too low: %(short)s for %(quantity)s %(unit)s. A price of %(passing)s or more passes.",
        short=whole(seen.amount_short),
        quantity=plain(quantity),
        unit=Unit(price.unit),
        **said,
    )


def hold_against(
    price: Price,
    quantity: Decimal,
    floor: Floor,
    *,
    missing: tuple[str, str] | None,
    fx: FxEvidence | None,
    level: int,
    story: str,
) -> Finding:
    """Return what comparing with one floor shows: violation, not checkable with the missing input, or ok."""
    try:
        seen = compare(price, quantity, floor.price, floor.exact, fx)
    except NotComparable as refusal:
        return Finding(Outcome.NOT_CHECKABLE, refusal.reason, sentences(story, refusal.words))
    floor = Floor(floor.kind, floor.label, floor.price, floor.exact, floor.reference_id, seen.passing)
    told = sentences(story, seen.words)
    if seen.short > 0 and level >= 0:
        lacks = replace(floor.price, amount=decimal_of(seen.short))
        return Finding(
            Outcome.VIOLATION if floor.blocks else Outcome.WARNING,
            "below_floor",
            sentences(told, _too_low(price, quantity, seen, lacks)),
            seen.amount_short,
            floor,
            {"short_per_unit": lacks},
        )
    if level:
        return Finding(
            Outcome.NOT_CHECKABLE,
            "incoterm_level",
            sentences(told, N_("The offer is at another delivery level than the row, and no cost documents join the two.")),
            floor=floor,
        )
    if missing is not None:
        return Finding(Outcome.NOT_CHECKABLE, missing[0], sentences(told, missing[1]), floor=floor)
    return Finding(
        Outcome.OK,
        "at_or_above_floor",
        sentences(told, say("The price of %(price)s is not below it.", price=price.text)),
        floor=floor,
    )
