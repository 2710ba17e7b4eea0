"""Floors: the higher of market and minimum, the organic differential, statutes, the co-op's own (R-01, R-04, R-08, 1.3).

Three values, never a guess: a missing market price makes a price above the minimum not checkable, and a price below
the minimum a violation all the same, because no market price could save it.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction

from market.kernel.money import Money
from market.kernel.words import N_, Term, Unit, say, sentences
from market.pricing.rules.comparison import Floor, compare, hold_against, steps_beyond
from market.pricing.rules.market_prices import MarketPrice
from market.pricing.rules.references import Reference
from market.pricing.rules.units import (
    FxEvidence,
    NotComparable,
    Price,
    decimal_of,
    figure,
    in_measure,
    per,
    plain,
    round_line,
    whole,
)
from market.pricing.rules.verdict import Finding, Outcome, rule


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
        say("The %(market)s price of the day is not known here, and it could be higher.", market=Term(name)),
    )
    if index:
        if quoted is None or minimum is None:
            return None, say("The minimum is %(share)s %% of %(market)s.", share=plain(minimum or 0), market=name), lacking
        share = Fraction(minimum) / 100 * quoted
        return (
            share,
            say(
                "%(share)s %% of %(market)s: %(quote)s gives %(price)s.",
                share=plain(minimum),
                market=name,
                quote=market.text if market else "",
                price=row.priced(decimal_of(share)).text,
            ),
            None,
        )
    if minimum is None:
        return quoted, N_("The row has no fixed minimum; the market price counts."), lacking if quoted is None else None
    least = say("The minimum is %(price)s.", price=row.priced(minimum).text)
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
    opening = say("%(row)s.", row=row.title)
    if row.special_terms:
        return Finding(
            Outcome.NOT_CHECKABLE,
            "special_terms",
            sentences(opening, N_("Its price follows special terms that no general formula covers.")),
        )
    try:
        base, words, missing = _base_floor(row, market)
    except NotComparable as refusal:
        return Finding(Outcome.NOT_CHECKABLE, refusal.reason, sentences(opening, refusal.words))
    if base is None:
        return Finding(
            Outcome.NOT_CHECKABLE, (missing or ("no_floor", ""))[0], sentences(opening, words, (missing or ("", ""))[1])
        )
    story: list[str] = [opening, words]
    if market is not None and row.minimum_basis != "pct_index":
        story.append(say("The market price is %(price)s.", price=market.text))
        if row.minimum_price is not None:
            story.append(say("The higher of the two is %(price)s.", price=row.priced(decimal_of(base)).text))
    exact = base + Fraction(addition or 0)
    if addition is not None:
        total = row.priced(decimal_of(exact)).text
        story.append(
            say(
                "The organic differential of %(amount)s comes on top: %(total)s.",
                amount=figure(addition, row.currency or "USD"),
                total=total,
            )
        )
    elif needs_addition:
        missing = (
            "organic_differential_missing",
            N_("The organic differential of this row is not known here, and it comes on top."),
        )
    floor = Floor("scheme", row.title, row.priced(decimal_of(exact)), exact, row.id)
    level = steps_beyond(incoterm, row.incoterm)
    return hold_against(price, quantity, floor, missing=missing, fx=fx, level=level, story=sentences(*story))


def _newer_warning(said: Finding, price: Price, newer: Reference | None, addition: Decimal, fx: FxEvidence | None) -> Finding:
    """Turn anything but a violation into at best a warning when a newer row waits for confirmation (R-03, step 3)."""
    if newer is None or said.outcome is Outcome.VIOLATION:
        return said
    told = say("A newer row is not confirmed yet (%(row)s).", row=newer.title)
    short = None
    if newer.minimum_price is not None and newer.minimum_basis == "abs":
        try:
            exact = Fraction(newer.minimum_price) + Fraction(addition)
            short = compare(price, Decimal(1), newer.priced(newer.minimum_price), exact, fx).short
            gap = per(figure(decimal_of(max(short, Fraction(0))), newer.currency or "USD"), Unit(newer.unit or ""))
            if short > 0:
                told = say("A newer row is not confirmed yet (%(row)s): the price is %(gap)s below it.", row=newer.title, gap=gap)
            else:
                told = say("A newer row is not confirmed yet (%(row)s): the price is not below it.", row=newer.title)
        except NotComparable:
            short = None
    outcome = Outcome.NOT_CHECKABLE if said.outcome is Outcome.NOT_CHECKABLE else Outcome.WARNING
    facts = None if short is None else {"short_of_newer_row": f"{decimal_of(max(short, Fraction(0))):f}"}
    reason = said.reason if outcome is Outcome.NOT_CHECKABLE else "newer_row_unconfirmed"
    return Finding(outcome, reason, sentences(said.words, told), said.amount_short, said.floor, facts)


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
        return Finding(
            Outcome.NOT_CHECKABLE, "no_floor", sentences(say("%(row)s.", row=row.title), N_("The row names no price."))
        )
    floor = Floor("statute", row.title, row.priced(row.minimum_price), Fraction(row.minimum_price), row.id)
    story = sentences(say("%(row)s.", row=row.title), say("The law sets %(price)s.", price=floor.price.text))
    said = hold_against(price, quantity, floor, missing=None, fx=fx, level=steps_beyond(incoterm, row.incoterm), story=story)
    if row.valid_to is None or row.valid_to < on:
        ended = (
            N_("The row has no end date, so it only informs.")
            if row.valid_to is None
            else say("The row ended on %(day)s, so it only informs.", day=row.valid_to)
        )
        words = sentences(said.words, ended)
        return Finding(Outcome.WARNING, "stale", words, said.amount_short)
    return said


@rule("R-08", name="R-08 difference")
def regulated_difference(*, quantity: Decimal, row: Reference, market: MarketPrice, paid: Decimal = Decimal(0)) -> Finding:
    """Hold what was paid to the organisation against (FMP - M) * q where a state fixes the market price (R-08).

    `market` is the state's reference price with the living income differential as a part of it; `quantity` is in the
    row's measure.
    """
    if row.minimum_price is None or market.currency != row.currency:
        return Finding(
            Outcome.NOT_CHECKABLE,
            "no_floor",
            sentences(say("%(row)s.", row=row.title), say("It has no minimum in %(currency)s.", currency=market.currency)),
        )
    gap = max(Fraction(row.minimum_price) - in_measure(market.price, row.measure), Fraction(0))
    due = round_line(gap * Fraction(quantity), market.currency)
    short = due - Money.of(paid, market.currency)
    words = sentences(
        say("%(row)s.", row=row.title),
        say(
            "The minimum is %(minimum)s, the state's price %(market)s: a difference of %(gap)s,"
            " %(due)s for %(quantity)s %(measure)s.",
            minimum=row.priced(row.minimum_price).text,
            market=market.text,
            gap=per(figure(decimal_of(gap), market.currency), row.measure.measure),
            due=whole(due),
            quantity=plain(quantity),
            measure=row.measure.measure,
        ),
    )
    facts = {"difference_due": due}
    if short.minor > 0:
        return Finding(
            Outcome.VIOLATION,
            "difference_unpaid",
            sentences(words, say("%(short)s of it is not paid.", short=whole(short))),
            short,
            facts=facts,
        )
    return Finding(Outcome.OK, "difference_paid", words, facts=facts)


@rule("R-20")
def living_income(
    *, price: Price, quantity: Decimal, row: Reference, fx: FxEvidence | None = None, incoterm: str = ""
) -> Finding:
    """Set the price beside a living income reference: it informs and never blocks (R-20)."""
    if row.minimum_price is None:
        return Finding(Outcome.OK, "no_floor", sentences(say("%(row)s.", row=row.title), N_("The row names no price.")))
    floor = Floor("living_income", row.title, row.priced(row.minimum_price), Fraction(row.minimum_price), row.id)
    story = say("%(row)s: %(price)s, a reference that rests on assumed yields.", row=row.title, price=floor.price.text)
    said = hold_against(price, quantity, floor, missing=None, fx=fx, level=steps_beyond(incoterm, row.incoterm), story=story)
    if said.outcome is Outcome.NOT_CHECKABLE:
        return Finding(Outcome.OK, "not_compared", said.words)
    return said


def highest_blocking(floors: Iterable[Floor]) -> Floor | None:
    """Return the floor that asks most of the offer, among those that block (1.3).

    Each was compared in its own currency and measure; `passing` is what it asks in the offer's own.
    """
    asking = [floor for floor in floors if floor.blocks and floor.passing is not None]
    return max(asking, key=lambda floor: floor.passing or Decimal(0), default=None)
