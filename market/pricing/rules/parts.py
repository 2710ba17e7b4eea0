"""Who gets what of a price: an order line in parts that sum to it exactly (fair-prices.md 5, R-16, law 4)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from market.kernel.money import Money, allocate, total
from market.kernel.words import N_, Unit, say
from market.pricing.errors import FloorTouched
from market.pricing.rules.units import Price, measures, plain, round_line

RULE_VERSION = 1
KINDS = (
    "producer_goods", "organic_differential", "premium", "coop_service", "processing", "inland_transport", "export",
    "freight", "platform_fee", "payment_fee", "deposit", "discount", "tax",
)  # fmt: skip
PRODUCERS_PART = frozenset({"producer_goods", "organic_differential"})


@dataclass(frozen=True, slots=True)
class Charges:
    """What comes on top of goods and premium, on the buyer's side: the co-op's published rates."""

    service_pct: Decimal = Decimal(0)
    transport_minor: int = 0
    payment_pct: Decimal = Decimal(0)
    tax_pct: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Discount:
    """A reduction that names who bears it; `amount_minor` is positive here and negative in the breakdown."""

    label: str
    amount_minor: int
    bearer: str


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a line's price. `payee` is a role; the order fills in who holds it."""

    seq: int
    kind: str
    label: str
    money: Money
    payer: str
    payee: str
    bearer: str | None = None
    tax_rate: Decimal = Decimal(0)
    tax_minor: int = 0
    rule_version: int = RULE_VERSION

    @property
    def amount_minor(self) -> int:
        """The amount in minor units, negative for a discount."""
        return self.money.minor


def breakdown(
    *,
    price: Price,
    quantity: Decimal,
    charges: Charges,
    premium: Price | None = None,
    organic_differential: Price | None = None,
    floor: Price | None = None,
    discounts: Sequence[Discount] = (),
) -> list[Component]:
    """Return the parts of `quantity` at `price`; their sum is what the buyer pays for the line.

    `price` is the producer's price without premium. `premium`, `organic_differential` and `floor` may be per another
    unit (the row's own): they are converted exactly and rounded half up once, on the line. Service, transport and
    payment fee are rounded once together and split by the largest remainder; tax is on all of these, before
    discounts, and each part shows its share of it. Raises FloorTouched when goods stay under round(floor * q) or a
    discount would be borne by the producer below it.
    """
    return list(_breakdown(price, quantity, charges, premium, organic_differential, floor, tuple(discounts)))


@lru_cache(maxsize=500)  # pure, and a window asks for the same few quantities of the same offers; an entry takes 3 KB
def _breakdown(
    price: Price,
    quantity: Decimal,
    charges: Charges,
    premium: Price | None,
    organic_differential: Price | None,
    floor: Price | None,
    discounts: tuple[Discount, ...],
) -> tuple[Component, ...]:
    currency = price.currency
    goods = round_line(Fraction(price.amount) * Fraction(quantity) / Fraction(price.per), currency)
    organic = min(_share(organic_differential, price, quantity), goods, key=lambda money: money.minor)
    extra = _share(premium, price, quantity)
    _hold_floor(goods, floor, price, quantity, discounts)
    own = [
        ("producer_goods", N_("Goods"), goods.minor - organic.minor, "producer"),
        ("organic_differential", N_("Organic differential"), organic.minor, "producer"),
        ("premium", N_("Fair-trade premium"), extra.minor, "premium_fund"),
    ]
    named = [row for row in own + _charges(charges, goods + extra) if row[2] or row[0] == "producer_goods"]
    taxes = _taxes([minor for _, _, minor, _ in named], charges.tax_pct, currency)
    rate = charges.tax_pct if taxes else Decimal(0)
    parts = [
        Component(seq, kind, label, Money(minor, currency), "buyer", payee, None, rate, tax)
        for seq, ((kind, label, minor, payee), tax) in enumerate(zip(named, taxes or [0] * len(named), strict=True), start=1)
    ]
    if taxes:
        label = say("Tax (%(share)s %%)", share=plain(rate))
        parts.append(Component(len(parts) + 1, "tax", label, Money(sum(taxes), currency), "buyer", "tax_office"))
    for seq, cut in enumerate(discounts, start=len(parts) + 1):
        parts.append(Component(seq, "discount", cut.label, Money(-cut.amount_minor, currency), cut.bearer, "buyer", cut.bearer))
    return tuple(parts)


def _share(rate: Price | None, price: Price, quantity: Decimal) -> Money:
    if rate is None:
        return Money.zero(price.currency)
    if rate.currency != price.currency:
        raise ValueError(f"a part in {rate.currency} cannot stand in a line in {price.currency}")
    return round_line(Fraction(rate.amount) * measures(quantity, price, rate), price.currency)


def _charges(charges: Charges, base: Money) -> list[tuple[str, str, int, str]]:
    """Return service, transport and payment fee: exact shares, rounded once together, split by largest remainder.

    The shares are whole numbers over one denominator, since fractions take longer than all the rest of a breakdown.
    """
    service, service_of = charges.service_pct.as_integer_ratio()
    fee, fee_of = charges.payment_pct.as_integer_ratio()
    service_of, fee_of = service_of * 100, fee_of * 100
    before_fee = base.minor * (service_of + service) + charges.transport_minor * service_of
    exact = [base.minor * service * fee_of, charges.transport_minor * service_of * fee_of, before_fee * fee]
    if not any(exact):
        return []
    amounts = allocate(Money(_half_up(sum(exact), service_of * fee_of), base.currency), exact)
    names = (
        ("coop_service", say("Service of the co-op (%(share)s %%)", share=plain(charges.service_pct)), "coop"),
        ("inland_transport", N_("Transport"), "carrier"),
        ("payment_fee", say("Payment (%(share)s %%)", share=plain(charges.payment_pct)), "payment_provider"),
    )
    return [(kind, label, amount.minor, payee) for (kind, label, payee), amount in zip(names, amounts, strict=True)]


def _taxes(amounts: list[int], rate: Decimal, currency: str) -> list[int]:
    """Return the tax in each amount, rounded once on their sum; nothing when there is none."""
    per, of = rate.as_integer_ratio()
    tax = Money(_half_up(sum(amounts) * per, of * 100), currency)
    return [share.minor for share in allocate(tax, amounts)] if tax else []


def _half_up(part: int, whole: int) -> int:
    return (2 * part + whole) // (2 * whole)


def _hold_floor(goods: Money, floor: Price | None, price: Price, quantity: Decimal, discounts: Sequence[Discount]) -> None:
    least = _share(floor, price, quantity) if floor is not None else Money.zero(price.currency)
    borne = sum(cut.amount_minor for cut in discounts if cut.bearer == "producer")
    if any(cut.amount_minor < 0 for cut in discounts):
        raise ValueError("a discount is given as a positive amount")
    if borne and goods.minor - borne < least.minor:
        raise FloorTouched(
            say(
                "A discount of %(money)s cannot be borne by the producer: the floor asks for %(least)s.",
                money=Money(borne, price.currency),
                least=least,
            ),
            rule="R-16",
            amount_short=Money(least.minor - goods.minor + borne, price.currency),
        )
    if goods.minor < least.minor:
        raise FloorTouched(
            say(
                "The producer's part of %(goods)s is below the floor of %(least)s for %(quantity)s %(unit)s.",
                goods=goods,
                least=least,
                quantity=plain(quantity),
                unit=Unit(price.unit),
            ),
            rule="R-16",
            amount_short=least - goods,
        )


def sum_of(parts: Sequence[Component]) -> Money:
    """Return the line total: the exact sum of the parts, negatives included."""
    return total([part.money for part in parts], parts[0].money.currency)


def reversed_by(parts: Sequence[Component], *, returned: Decimal, ordered: Decimal) -> list[Component]:
    """Return the negative parts for `returned` of `ordered` so far, goods and premium apart (5 f).

    Cumulative: a second refund reverses what this gives for the new total minus what was reversed before, so nothing
    is lost by rounding and all parts come to zero when everything is returned.
    """
    if not 0 < returned <= ordered:
        raise ValueError(f"cannot return {returned} of {ordered}")
    share = Fraction(returned) / Fraction(ordered)
    out = []
    for part in parts:
        money = round_line(Fraction(part.money.decimal) * share, part.money.currency)
        tax = round_line(Fraction(Money(part.tax_minor, part.money.currency).decimal) * share, part.money.currency)
        out.append(replace(part, money=-money, tax_minor=-tax.minor, payer=part.payee, payee=part.payer))
    return out
