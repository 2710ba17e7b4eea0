"""Floors: the higher of market and minimum, the organic differential, statutes, the co-op's own (R-01, R-04, R-08, 1.3).

Three values, never a guess: a missing market price makes a price above the minimum not checkable, and a price below
the minimum a violation all the same, because no market price could save it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from market.kernel.money import Money
from market.kernel.words import say
from market.pricing.rules.references import Reference
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
    plain,
    round_line,
)
from market.pricing.rules.verdict import Finding, Outcome, rule

_CHAIN = ("farm gate", "washing station", "EXW", "FCA", "FAS", "FOB", "CFR", "CPT", "CIF", "CIP", "DAP", "DPU", "DDP")
_SAME_LEVEL = {"ship side": "FAS", "farm/ship side": "FAS", "loaded on ship": "FOB"}


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
        parts = " + ".join(f"{label} {plain(amount, 2)}" for label, amount in self.parts)
        total = f"{parts} = {self.price.text}" if len(self.parts) > 1 else f"{parts} {self.currency} per {self.price.measure}"
        return f"{total} (quoted {self.quoted_on}{', ' + self.source_name if self.source_name else ''})"


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
class _Compared:
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
    words = f"At {plain(fx.rate)} {fx.quote} for 1 {fx.base} ({fx.rate_date}, {fx.source_name})"
    return Fraction(fx.rate), words


def _compare(price: Price, quantity: Decimal, floor: Price, exact: Fraction, fx: FxEvidence | None) -> _Compared:
    """Compare in the floor's own currency and measure, exactly (R-11, R-12). Raises NotComparable."""
    rate, fx_words = _fx_rate(price, floor.currency, fx)
    mine = in_measure(price, floor) * rate
    short = exact - mine
    one = Price(Decimal(1), floor.currency, floor.unit, floor.per, floor.packaging)
    passing = ceil_price(exact * in_measure(one, price) / rate)
    amount = round_line(max(short, Fraction(0)) * measures(quantity, price, floor), floor.currency)
    words = conversion_words(price, floor)
    if fx_words:
        words = f"{words} {fx_words} that is {figure(decimal_of(mine), floor.currency)} per {floor.measure}.".strip()
    return _Compared(short, amount, passing, words)


def _level(mine: str, row: str) -> int:
    """Return how many steps further along the chain `mine` lies than the row's incoterm; 0 when equal or not said."""
    mine, row = _SAME_LEVEL.get(mine, mine), _SAME_LEVEL.get(row, row)
    if not row or not mine or mine == row:
        return 0
    if mine not in _CHAIN or row not in _CHAIN:
        return -1
    return _CHAIN.index(mine) - _CHAIN.index(row)


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
        seen = _compare(price, quantity, floor.price, floor.exact, fx)
    except NotComparable as refusal:
        return Finding(Outcome.NOT_CHECKABLE, refusal.reason, f"{story} {refusal.words}")
    floor = Floor(floor.kind, floor.label, floor.price, floor.exact, floor.reference_id, seen.passing)
    told = " ".join(part for part in (story, seen.words) if part)
    if seen.short > 0 and level >= 0:
        gap = f"{figure(decimal_of(seen.short), floor.price.currency)} per {floor.price.measure}"
        return Finding(
            Outcome.VIOLATION if floor.blocks else Outcome.WARNING,
            "below_floor",
            f"{told} The price of {price.text} is {gap} too low: {seen.amount_short.decimal:,f} {seen.amount_short.currency}"
            f" for {plain(quantity)} {price.unit}. A price of {figure(seen.passing, price.currency)} per {price.measure}"
            " or more passes.",
            seen.amount_short,
            floor,
        )
    if level:
        return Finding(
            Outcome.NOT_CHECKABLE,
            "incoterm_level",
            f"{told} The offer is at another delivery level than the row, and no cost documents join the two.",
            floor=floor,
        )
    if missing is not None:
        return Finding(Outcome.NOT_CHECKABLE, missing[0], f"{told} {missing[1]}", floor=floor)
    return Finding(Outcome.OK, "at_or_above_floor", f"{told} The price of {price.text} is not below it.", floor=floor)


def _base_floor(row: Reference, market: MarketPrice | None) -> tuple[Fraction | None, str, tuple[str, str] | None]:
    """Return max(FMP, M) in the row's measure as far as it is known, in words, and the input that is missing.

    Explicit cases on purpose: SQL's GREATEST(minimum, NULL) is the minimum, and would pass for ok (1.1).
    """
    minimum = row.minimum_price
    index = row.minimum_basis == "pct_index"
    wanted = row.index_name if index else row.relevant_market
    quoted = None if market is None else in_measure(market.price, row.measure)
    if market is not None and market.currency != row.currency:
        raise NotComparable(
            "market_currency",
            say(
                "The market price is in %(currency)s and the row in %(other)s.",
                currency=market.currency,
                other=row.currency,
            ),
        )
    name = wanted or "market"
    lacking = (
        f"{'index' if index else 'market'}_price_missing",
        f"The {name} price of the day is not known here, and it could be higher.",
    )
    if index:
        if quoted is None or minimum is None:
            return None, f"The minimum is {minimum} % of {name}.", lacking
        share = Fraction(minimum) / 100 * quoted
        return (
            share,
            f"{plain(minimum)} % of {name}: {market.text if market else ''} gives {row.priced(decimal_of(share)).text}.",
            None,
        )
    if minimum is None:
        return quoted, "The row has no fixed minimum; the market price counts.", lacking if quoted is None else None
    least = f"The minimum is {row.priced(minimum).text}."
    if quoted is None:
        return Fraction(minimum), least, lacking if row.relevant_market else None
    return max(Fraction(minimum), quoted), least, None


def _floor_of_row(
    price: Price,
    quantity: Decimal,
    row: Reference,
    market: MarketPrice | None,
    fx: FxEvidence | None,
    incoterm: str,
    addition: Decimal | None,
    needs_addition: bool,
) -> Finding:
    """Judge against one row of a scheme; `addition` is the organic differential, on top of both branches (R-04)."""
    opening = f"{row.title}."
    if row.special_terms:
        return Finding(
            Outcome.NOT_CHECKABLE, "special_terms", f"{opening} Its price follows special terms that no general formula covers."
        )
    try:
        base, words, missing = _base_floor(row, market)
    except NotComparable as refusal:
        return Finding(Outcome.NOT_CHECKABLE, refusal.reason, f"{opening} {refusal.words}")
    if base is None:
        return Finding(
            Outcome.NOT_CHECKABLE, (missing or ("no_floor", ""))[0], f"{opening} {words} {(missing or ('', ''))[1]}".strip()
        )
    story = [opening, words]
    if market is not None and row.minimum_basis != "pct_index":
        story.append(f"The market price is {market.text}.")
        if row.minimum_price is not None:
            story.append(f"The higher of the two is {row.priced(decimal_of(base)).text}.")
    exact = base + Fraction(addition or 0)
    if addition is not None:
        total = row.priced(decimal_of(exact)).text
        story.append(f"The organic differential of {figure(addition, row.currency or 'USD')} comes on top: {total}.")
    elif needs_addition:
        missing = ("organic_differential_missing", "The organic differential of this row is not known here, and it comes on top.")
    floor = Floor("scheme", row.title, row.priced(decimal_of(exact)), exact, row.id)
    level = _level(incoterm, row.incoterm)
    return hold_against(price, quantity, floor, missing=missing, fx=fx, level=level, story=" ".join(story))


def _newer_warning(said: Finding, price: Price, newer: Reference | None, addition: Decimal, fx: FxEvidence | None) -> Finding:
    """Turn anything but a violation into at best a warning when a newer row waits for confirmation (R-03, step 3)."""
    if newer is None or said.outcome is Outcome.VIOLATION:
        return said
    told = f"{said.words} A newer row is not confirmed yet ({newer.title})"
    short = None
    if newer.minimum_price is not None and newer.minimum_basis == "abs":
        try:
            exact = Fraction(newer.minimum_price) + Fraction(addition)
            short = _compare(price, Decimal(1), newer.priced(newer.minimum_price), exact, fx).short
            gap = f"{figure(decimal_of(max(short, Fraction(0))), newer.currency or 'USD')} per {newer.unit}"
            told += f": the price is {gap} below it" if short > 0 else ": the price is not below it"
        except NotComparable:
            short = None
    outcome = Outcome.NOT_CHECKABLE if said.outcome is Outcome.NOT_CHECKABLE else Outcome.WARNING
    facts = None if short is None else {"short_of_newer_row": f"{decimal_of(max(short, Fraction(0))):f}"}
    reason = said.reason if outcome is Outcome.NOT_CHECKABLE else "newer_row_unconfirmed"
    return Finding(outcome, reason, f"{told}.", said.amount_short, said.floor, facts)


@rule("R-01")
def scheme_floor(
    *,
    price: Price,
    quantity: Decimal,
    row: Reference,
    market: MarketPrice | None = None,
    fx: FxEvidence | None = None,
    incoterm: str = "",
    newer_unconfirmed: Reference | None = None,
) -> Finding:
    """Hold the price against the higher of the row's minimum and the relevant market price (R-01)."""
    said = _floor_of_row(price, quantity, row, market, fx, incoterm, None, False)
    return _newer_warning(said, price, newer_unconfirmed, Decimal(0), fx)


@rule("R-04")
def organic_floor(
    *,
    price: Price,
    quantity: Decimal,
    row: Reference,
    differential: Decimal | None = None,
    market: MarketPrice | None = None,
    fx: FxEvidence | None = None,
    incoterm: str = "",
    newer_unconfirmed: Reference | None = None,
) -> Finding:
    """Hold an organic price against max(conventional minimum, market) plus the differential (R-04).

    `row` is the conventional row with its differential, or an older organic row whose rule is `fixed_minimum`; then
    the market price must be one for organic goods.
    """
    fixed = row.organic_rule == "fixed_minimum"
    said = _floor_of_row(price, quantity, row, market, fx, incoterm, None if fixed else differential, not fixed)
    return _newer_warning(said, price, newer_unconfirmed, differential or Decimal(0), fx)


@rule("R-08")
def statutory_floor(
    *, price: Price, quantity: Decimal, row: Reference, on: date, fx: FxEvidence | None = None, incoterm: str = ""
) -> Finding:
    """Hold the price against a price fixed by law or a state board; an undated end makes the row stale (R-08, E17)."""
    if row.minimum_price is None:
        return Finding(Outcome.NOT_CHECKABLE, "no_floor", f"{row.title}. The row names no price.")
    floor = Floor("statute", row.title, row.priced(row.minimum_price), Fraction(row.minimum_price), row.id)
    story = f"{row.title}. The law sets {floor.price.text}."
    said = hold_against(price, quantity, floor, missing=None, fx=fx, level=_level(incoterm, row.incoterm), story=story)
    if row.valid_to is None or row.valid_to < on:
        ended = "has no end date" if row.valid_to is None else f"ended on {row.valid_to}"
        words = f"{said.words} The row {ended}, so it only informs."
        return Finding(Outcome.WARNING, "stale", words, said.amount_short)
    return said


@rule("R-08", name="R-08 difference")
def regulated_difference(*, quantity: Decimal, row: Reference, market: MarketPrice, paid: Decimal = Decimal(0)) -> Finding:
    """Hold what was paid to the organisation against (FMP - M) * q where a state fixes the market price (R-08).

    `market` is the state's reference price with the living income differential as a part of it; `quantity` is in the
    row's measure.
    """
    if row.minimum_price is None or market.currency != row.currency:
        return Finding(Outcome.NOT_CHECKABLE, "no_floor", f"{row.title}. It has no minimum in {market.currency}.")
    gap = max(Fraction(row.minimum_price) - in_measure(market.price, row.measure), Fraction(0))
    due = round_line(gap * Fraction(quantity), market.currency)
    short = due - Money.of(paid, market.currency)
    words = (
        f"{row.title}. The minimum is {row.priced(row.minimum_price).text}, the state's price {market.text}:"
        f" a difference of {figure(decimal_of(gap), market.currency)} per {row.measure.measure},"
        f" {due.decimal:,f} {due.currency} for {plain(quantity)} {row.measure.measure}."
    )
    facts = {"difference_due": due}
    if short.minor > 0:
        return Finding(
            Outcome.VIOLATION, "difference_unpaid", f"{words} {short.decimal:,f} of it is not paid.", short, facts=facts
        )
    return Finding(Outcome.OK, "difference_paid", words, facts=facts)


@rule("R-20")
def living_income(
    *, price: Price, quantity: Decimal, row: Reference, fx: FxEvidence | None = None, incoterm: str = ""
) -> Finding:
    """Set the price beside a living income reference: it informs and never blocks (R-20)."""
    if row.minimum_price is None:
        return Finding(Outcome.OK, "no_floor", f"{row.title}. The row names no price.")
    floor = Floor("living_income", row.title, row.priced(row.minimum_price), Fraction(row.minimum_price), row.id)
    story = f"{row.title}: {floor.price.text}, a reference that rests on assumed yields."
    said = hold_against(price, quantity, floor, missing=None, fx=fx, level=_level(incoterm, row.incoterm), story=story)
    if said.outcome is Outcome.NOT_CHECKABLE:
        return Finding(Outcome.OK, "not_compared", said.words)
    return said


def highest_blocking(floors: Iterable[Floor]) -> Floor | None:
    """Return the floor that asks most of the offer, among those that block (1.3).

    Each was compared in its own currency and measure; `passing` is what it asks in the offer's own.
    """
    asking = [floor for floor in floors if floor.blocks and floor.passing is not None]
    return max(asking, key=lambda floor: floor.passing or Decimal(0), default=None)
