"""The premium: on top, separate, whole (R-02, R-05, R-07), and no fee out of it or out of the floor (R-16)."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from market.kernel.money import Money, total
from market.kernel.words import N_, Term, Unit, say, sentences
from market.pricing.rules.market_prices import MarketPrice
from market.pricing.rules.references import Reference
from market.pricing.rules.units import (
    NotComparable,
    Price,
    ceil_price,
    decimal_of,
    figure,
    in_measure,
    measures,
    per,
    plain,
    round_line,
    whole,
)
from market.pricing.rules.verdict import Finding, Outcome, rule

DEFAULT_PCT = Decimal(15)
"""Premium of goods without a row of their own: 15 % of the commercial or negotiated price, world-wide (R-07)."""

_BASES = {
    "pct_commercial": N_("the commercial price"),
    "pct_negotiated": N_("the negotiated price"),
    "pct_fob": N_("the FOB price"),
    "pct_index": N_("the index price"),
}


@dataclass(frozen=True, slots=True)
class PremiumLine:
    """A premium line of an invoice; a negative one is legal only as a credit note for a lower quantity."""

    label: str
    amount_minor: int
    is_credit_note: bool = False


@dataclass(frozen=True, slots=True)
class Deduction:
    """Something taken between the buyer's payment and the producer's receipt."""

    fee_type: str
    payer: str
    amount_minor: int


def premium_rate(row: Reference, price: Price, market: MarketPrice | None = None) -> Fraction | None:
    """Return the exact premium for one measure of `price`, in the row's currency; None when the row has none.

    Raises NotComparable when the units do not join or the index price is missing.
    """
    if row.premium is None:
        return None
    if row.premium_kind == "abs":
        return in_measure(row.priced(row.premium), price)
    if row.premium_kind == "pct_index":
        if market is None:
            raise NotComparable(
                "index_price_missing",
                say(
                    "The premium is %(premium)s %% of %(index_name)s, whose price is not known here.",
                    premium=plain(row.premium),
                    index_name=row.index_name,
                ),
            )
        return Fraction(row.premium) / 100 * in_measure(market.price, price)
    return Fraction(row.premium) / 100 * Fraction(price.amount)


def premium_due(row: Reference, price: Price, quantity: Decimal, market: MarketPrice | None = None) -> Money | None:
    """Return the premium that `quantity` at `price` owes the organisation, rounded once (R-02)."""
    rate = premium_rate(row, price, market)
    currency = row.currency if row.premium_kind in ("abs", "pct_index") and row.currency else price.currency
    return None if rate is None else round_line(rate * Fraction(quantity) / Fraction(price.per), currency)


@rule("R-02")
def premium_paid(
    *,
    price: Price,
    quantity: Decimal,
    row: Reference,
    lines: tuple[PremiumLine, ...],
    deductions: tuple[Deduction, ...] = (),
    market: MarketPrice | None = None,
) -> Finding:
    """Hold the premium lines against FP * q: whole, in the row's currency, nothing netted on it (R-02)."""
    try:
        due = premium_due(row, price, quantity, market)
    except NotComparable as refusal:
        return Finding(Outcome.NOT_CHECKABLE, refusal.reason, sentences(say("%(row)s.", row=row.title), refusal.words))
    if due is None:
        return Finding(Outcome.OK, "no_premium", sentences(say("%(row)s.", row=row.title), N_("The row asks for no premium.")))
    wrong = [line.label for line in lines if line.amount_minor < 0 and not line.is_credit_note]
    taken = total([Money(cut.amount_minor, due.currency) for cut in deductions], due.currency)
    paid = total([Money(line.amount_minor, due.currency) for line in lines], due.currency) - taken
    short = due - paid
    told = [
        say("%(row)s.", row=row.title),
        say(
            "The premium is %(rate)s: %(due)s for %(quantity)s %(unit)s.",
            rate=_rate_words(row),
            due=whole(due),
            quantity=plain(quantity),
            unit=Unit(price.unit),
        ),
    ]
    if taken:
        kinds = [Term(cut.fee_type.replace("_", " ")) for cut in deductions]
        told.append(say("%(taken)s was taken off it (%(kinds)s), which nobody may do.", taken=whole(taken), kinds=kinds))
    if wrong:
        told.append(say("The negative line '%(line)s' is not a credit note.", line=wrong[0]))
    words = sentences(*told)
    if short.minor > 0 or taken.minor > 0 or wrong:
        owed = Money(max(short.minor, 0), due.currency)
        words = sentences(words, say("%(paid)s arrives: %(owed)s is missing.", paid=whole(paid), owed=whole(owed)))
        return Finding(Outcome.VIOLATION, "premium_short", words, owed or None, facts={"premium_due": due})
    return Finding(
        Outcome.OK, "premium_whole", sentences(words, N_("It is paid in full, beside the price.")), facts={"premium_due": due}
    )


def _rate_words(row: Reference) -> str:
    amount = row.premium or Decimal(0)
    if row.premium_kind == "abs":
        return row.priced(amount).text
    return say("%(share)s %% of %(base)s", share=plain(amount), base=Term(_BASES[row.premium_kind]))


@rule("R-05")
def stated_price(*, price: Price, row: Reference, includes_premium: bool | None = None) -> Finding:
    """Split a stated price into goods and premium by what the contract says it includes (R-05)."""
    if includes_premium is None:
        return Finding(
            Outcome.NOT_CHECKABLE, "premium_flag_missing", N_("It is not said whether the price includes the premium.")
        )
    try:
        rate = premium_rate(row, price) or Fraction(0)
    except NotComparable as refusal:
        return Finding(Outcome.NOT_CHECKABLE, refusal.reason, refusal.words)
    if not includes_premium:
        facts = {"goods": price.amount, "premium": ceil_price(rate)}
        return Finding(
            Outcome.OK,
            "premium_on_top",
            say(
                "The stated %(price)s is for the goods; the premium of %(premium)s comes on top.",
                price=price.text,
                premium=figure(decimal_of(rate), price.currency),
            ),
            facts=facts,
        )
    goods = ceil_price(Fraction(price.amount) - rate)
    words = say(
        "The stated %(price)s includes the premium of %(premium)s: %(goods)s is for the goods.",
        price=price.text,
        premium=figure(decimal_of(rate), price.currency),
        goods=per(figure(goods, price.currency), price.measure),
    )
    if goods <= 0:
        return Finding(
            Outcome.VIOLATION, "nothing_left_for_goods", words, facts={"goods": goods, "premium": price.amount - goods}
        )
    return Finding(Outcome.OK, "premium_included", words, facts={"goods": goods, "premium": price.amount - goods})


@rule("R-07")
def default_premium(
    *, amount: Decimal, currency: str, base: str = "pct_commercial", pct: Decimal = DEFAULT_PCT, row: Reference | None = None
) -> Finding:
    """Return the premium of goods without a price of their own: a share of the commercial or negotiated price (R-07)."""
    due = round_line(Fraction(amount) * Fraction(pct) / 100, currency)
    exact = figure(decimal_of(Fraction(amount) * Fraction(pct) / 100), currency)
    opening = say("%(row)s.", row=row.title) if row else N_("No row fixes a premium.")
    return Finding(
        Outcome.OK,
        "default_premium",
        sentences(
            opening,
            say(
                "The premium is %(share)s %% of %(base)s: %(amount)s × %(share)s %% = %(exact)s, rounded %(due)s.",
                share=plain(pct),
                base=Term(_BASES[base]),
                amount=plain(amount, 2),
                exact=exact,
                due=whole(due),
            ),
        ),
        facts={"premium_due": due},
    )


@rule("R-16")
def fees(
    *,
    price: Price,
    quantity: Decimal,
    floor: Price,
    deductions: tuple[Deduction, ...] = (),
) -> Finding:
    """Hold what is left to the producer after every fee they pay against the floor (R-16).

    Fees of the buyer, the co-op or the platform are listed and take nothing; amounts are in the price's currency.
    """
    if price.currency != floor.currency:
        return Finding(
            Outcome.NOT_CHECKABLE,
            "fx_evidence_missing",
            say("The price is in %(currency)s, the floor in %(floor)s.", currency=price.currency, floor=floor.currency),
        )
    try:
        least = Fraction(floor.amount) * measures(quantity, price, floor)
    except NotComparable as refusal:
        return Finding(Outcome.NOT_CHECKABLE, refusal.reason, refusal.words)
    gross = Fraction(price.amount) * Fraction(quantity) / Fraction(price.per)
    taken = sum(cut.amount_minor for cut in deductions if cut.payer == "producer")
    fee = Money(taken, price.currency)
    short = round_line(least - (gross - Fraction(fee.decimal)), price.currency)
    words = say(
        "%(price)s for %(quantity)s %(unit)s is %(gross)s; the producer pays fees of %(fees)s;"
        " the floor of %(floor)s asks for %(least)s.",
        price=price.text,
        quantity=plain(quantity),
        unit=Unit(price.unit),
        gross=figure(decimal_of(gross), price.currency),
        fees=whole(fee),
        floor=floor.text,
        least=figure(decimal_of(least), floor.currency),
    )
    if short.minor > 0 and taken > 0:
        taken_out = say("%(short)s of the fees comes out of the floor; the buyer's side must bear it.", short=whole(short))
        told = sentences(words, taken_out)
        return Finding(Outcome.VIOLATION, "fee_from_floor", told, short)
    if short.minor > 0:
        return Finding(
            Outcome.VIOLATION, "below_floor", sentences(words, say("%(short)s is missing.", short=whole(short))), short
        )
    return Finding(Outcome.OK, "floor_untouched", sentences(words, N_("The floor is untouched.")))
