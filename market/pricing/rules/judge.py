"""All rules for one offer on one day: the set of floors, the claims it may carry, the price that passes (1.1 to 1.3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from market.kernel.money import Money
from market.kernel.words import N_, Term, say, sentences
from market.pricing.rules.comparison import Floor
from market.pricing.rules.costs import CoopFloor, coop_floor
from market.pricing.rules.floors import (
    highest_blocking,
    living_income,
    organic_floor,
    scheme_floor,
    statutory_floor,
)
from market.pricing.rules.market_prices import MarketPrice
from market.pricing.rules.premiums import default_premium, premium_rate, stated_price
from market.pricing.rules.references import SCHEME_NAMES, Goods, Reference, Resolution, matches, resolve, which_row
from market.pricing.rules.units import FxEvidence, NotComparable, Price, ceil_price, decimal_of, in_measure
from market.pricing.rules.verdict import Check, Finding, Outcome, rule, worst

CONVENTIONAL = frozenset({"conventional", "both"})
ORGANIC = frozenset({"organic", "both"})
ORGANIC_CLAIM = "organic"
MAX_QUOTE_DAYS = 7
"""How long a market price may be trusted (project choice)."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What proves a claim: an active certificate over the product and the day (fair-prices.md 7)."""

    scheme: str
    kind: str
    number: str = ""
    product_scope: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    status: str = "active"

    def covers(self, product: str, on: date) -> bool:
        """Say whether it is active for the product on the day; a certificate without a scope covers all goods."""
        in_time = (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)
        return self.status == "active" and in_time and (not self.product_scope or product in self.product_scope)


@dataclass(frozen=True, slots=True)
class Offer:
    """A listing or order line as the rules see it. `certificates` is None where they were checked elsewhere."""

    goods: Goods
    price: Price
    quantity: Decimal
    on: date
    claims: tuple[str, ...] = ()
    coop_id: UUID | None = None
    certificates: tuple[Certificate, ...] | None = None
    certified_on: date | None = None
    """Harvest or shipment day, at which an organic certificate must be valid; `on` when not said."""
    until: date | None = None
    includes_premium: bool = False


@dataclass(frozen=True, slots=True)
class Book:
    """Everything the rules compare with, already loaded: rows, newest quotes by market, co-op floors."""

    references: Sequence[Reference] = ()
    markets: Sequence[MarketPrice] = ()
    coop_floors: Sequence[CoopFloor] = ()
    fx: Sequence[FxEvidence] = ()

    def market(self, name: str | None, on: date) -> MarketPrice | None:
        """Return the newest quote of a market on the day, unless it is too old to trust (7 days, project choice)."""
        found = [m for m in self.markets if m.market == name and 0 <= (on - m.quoted_on).days <= MAX_QUOTE_DAYS]
        return max(found, key=lambda m: m.quoted_on, default=None)

    def rate(self, base: str, quote: str | None) -> FxEvidence | None:
        """Return the evidence of a rate, if there is any."""
        return next((fx for fx in self.fx if (fx.base, fx.quote) == (base, quote)), None)


@dataclass(frozen=True, slots=True)
class PriceVerdict:
    """The combined result: outcome, checks with their words, the floor that counts, what may be claimed."""

    outcome: Outcome
    checks: tuple[Check, ...]
    goods_price: Price
    floor: Floor | None = None
    proposed_price: Decimal | None = None
    """The lowest unit price of six digits that every blocking floor lets pass, in the offer's unit."""
    premium: Price | None = None
    """The premium in the row's own unit and currency: what the breakdown takes, exactly."""
    premium_per_unit: Decimal = Decimal(0)
    organic_differential: Price | None = None
    claims_carried: tuple[str, ...] = ()
    """The claims that nothing speaks against: a claim that is not checkable may not be shown."""
    rows: tuple[Reference, ...] = field(default=())

    def blocking(self, gate: str = "G1") -> tuple[Check, ...]:
        """Return the checks that refuse the act at `gate`: G1 publish, G2 order."""
        return tuple(check for check in self.checks if check.blocks(gate))

    @property
    def amount_short(self) -> Money | None:
        """The largest shortfall of the blocking checks, if any; nothing where less than half a minor unit is missing."""
        short = [
            check.amount_short for check in self.checks if check.outcome is Outcome.VIOLATION and check.amount_short is not None
        ]
        return max(short, key=lambda money: money.minor, default=None)

    @property
    def words(self) -> str:
        """All sentences, worst first, one paragraph each."""
        order = list(Outcome)
        return sentences(
            *(check.words for check in sorted(self.checks, key=lambda check: order.index(check.outcome))), between="\n"
        )


def _certified(claim: str, certificates: tuple[Certificate, ...], product: str, on: date) -> Finding:
    kind = ORGANIC_CLAIM if claim == ORGANIC_CLAIM else "trade"
    fitting = [c for c in certificates if c.kind == kind and (claim == ORGANIC_CLAIM or c.scheme == claim)]
    name = SCHEME_NAMES.get(claim, claim)
    for certificate in fitting:
        if certificate.covers(product, on):
            number = certificate.number or Term(N_("on file"))
            said = (
                say(
                    "The %(scheme)s claim is carried by certificate %(number)s, valid to %(day)s.",
                    scheme=Term(name),
                    number=number,
                    day=certificate.valid_to,
                )
                if certificate.valid_to
                else say("The %(scheme)s claim is carried by certificate %(number)s.", scheme=Term(name), number=number)
            )
            return Finding(Outcome.OK, "certified", said)
    ended = [c.valid_to for c in fitting if c.valid_to and c.valid_to < on]
    none = say(
        "No valid %(scheme)s certificate covers %(goods)s on %(day)s.",
        scheme=Term(name),
        goods=Term(product.replace("_", " ")),
        day=on,
    )
    why = say("The last one ended on %(day)s.", day=max(ended)) if ended else ""
    return Finding(Outcome.VIOLATION, "no_certificate", sentences(none, why))


@rule("R-21")
def certified(*, claim: str, certificates: tuple[Certificate, ...], product: str, on: date) -> Finding:
    """Hold a scheme's claim against the certificates on file (R-21)."""
    return _certified(claim, certificates, product, on)


@rule("R-04", name="R-04 certificate")
def certified_organic(*, certificates: tuple[Certificate, ...], product: str, on: date) -> Finding:
    """Hold the organic claim against the organic certificates on the day of harvest or shipment (R-04)."""
    return _certified(ORGANIC_CLAIM, certificates, product, on)


_SHARES = frozenset({"pct_commercial", "pct_negotiated", "pct_fob"})


@dataclass(frozen=True, slots=True)
class _Applied:
    """What one scheme says about an offer."""

    checks: list[Check]
    row: Reference | None = None
    premium: Price | None = None
    differential: Price | None = None


def _claim_checks(offer: Offer) -> list[Check]:
    if offer.certificates is None:
        return []
    product, certificates = offer.goods.product, offer.certificates
    return [
        certified_organic(certificates=certificates, product=product, on=offer.certified_on or offer.on)
        if claim == ORGANIC_CLAIM
        else certified(claim=claim, certificates=certificates, product=product, on=offer.on)
        for claim in offer.claims
    ]


def _resolve(book: Book, offer: Offer, scheme: str, qualities: frozenset[str], kinds: frozenset[str] | None = None) -> Resolution:
    extra = {} if kinds is None else {"kinds": kinds}
    return resolve(
        book.references, goods=offer.goods, scheme=scheme, on=offer.on, qualities=qualities, until=offer.until, **extra
    )


def _organic_rows(book: Book, offer: Offer, scheme: str) -> tuple[Resolution, frozenset[str], Decimal | None]:
    """Return the row of the floor for organic goods, and the differential that comes on top of it (R-04).

    The conventional row with its differential counts; a printed organic minimum never does, except in older tables
    whose rule is `fixed_minimum`, and for goods that have a premium and no minimum.
    """
    found = _resolve(book, offer, scheme, CONVENTIONAL)
    apart = _resolve(book, offer, scheme, ORGANIC, frozenset({"DIFFERENTIAL"})).row
    conventional, printed = found.row, _resolve(book, offer, scheme, ORGANIC)
    if conventional is not None and conventional.organic_rule == "differential":
        own = conventional.organic_differential
        return found, CONVENTIONAL, own if own is not None or apart is None else apart.organic_differential
    if apart is not None and apart.organic_differential is not None and conventional is not None:
        return found, CONVENTIONAL, apart.organic_differential
    other = printed.row
    if other is not None and (other.organic_rule == "fixed_minimum" or _stands_alone(other)):
        return printed, ORGANIC, Decimal(0) if other.organic_rule == "fixed_minimum" else None
    return found, CONVENTIONAL, None


def _stands_alone(row: Reference) -> bool:
    """Say whether a row for organic goods is a floor by itself: for both qualities, without minimum, or of SPP.

    SPP's producers are organic by rule, so its one minimum is no printed sum of minimum and differential.
    """
    return row.quality == "both" or row.minimum_price is None or row.price_kind == "SPP_MIN"


def _apply_scheme(book: Book, offer: Offer, price: Price, scheme: str) -> _Applied:
    organic = offer.goods.quality == "organic"
    if organic:
        found, qualities, differential = _organic_rows(book, offer, scheme)
    else:
        found, qualities, differential = _resolve(book, offer, scheme, CONVENTIONAL), CONVENTIONAL, None
    checks = [which_row(rows=found.rows, goods=offer.goods, scheme=scheme, on=offer.on, qualities=qualities, until=offer.until)]
    row = found.row
    if row is None:
        return _Applied(checks)
    market = book.market(row.index_name if row.minimum_basis == "pct_index" else row.relevant_market, offer.on)
    common = {
        "price": price,
        "quantity": offer.quantity,
        "row": row,
        "market": market,
        "fx": book.rate(price.currency, row.currency),
        "incoterm": offer.goods.incoterm,
        "newer_unconfirmed": found.newer_unconfirmed,
    }
    plain_row = not organic or (qualities is ORGANIC and _stands_alone(row)) or row.quality == "both"
    if row.premium is not None and row.minimum_price is None and row.premium_kind in _SHARES:
        whole = Fraction(price.amount) * Fraction(offer.quantity) / Fraction(price.per)
        checks.append(
            default_premium(amount=decimal_of(whole), currency=price.currency, base=row.premium_kind, pct=row.premium, row=row)
        )
    elif plain_row:
        checks.append(scheme_floor(**common))  # type: ignore[arg-type]
    else:
        checks.append(organic_floor(**common, differential=differential))  # type: ignore[arg-type]
    fx = book.rate(price.currency, row.currency)
    on_top = row.priced(differential) if differential and not plain_row else None
    return _Applied(
        checks, row, _in_currency(_premium(row, price, market), price.currency, fx), _in_currency(on_top, price.currency, fx)
    )


def _premium(row: Reference, price: Price, market: MarketPrice | None) -> Price | None:
    if row.premium is not None and row.premium_kind == "abs":
        return row.priced(row.premium)
    try:
        rate = premium_rate(row, price, market)
    except NotComparable:
        return None
    return None if rate is None else Price(ceil_price(rate), price.currency, price.unit, price.per, price.packaging)


def _in_currency(amount: Price | None, currency: str, fx: FxEvidence | None) -> Price | None:
    """Return a premium or differential in the offer's currency; without evidence of a rate there is none (R-12)."""
    if amount is None or amount.currency == currency:
        return amount
    if fx is None:
        return None
    return Price(ceil_price(Fraction(amount.amount) / Fraction(fx.rate)), currency, amount.unit, amount.per, amount.packaging)


def _law_and_coop(book: Book, offer: Offer, price: Price) -> list[Check]:
    """Return the checks that apply whatever the offer claims: statutes, the co-op's floor, living incomes."""
    checks: list[Check] = []
    common = {"price": price, "quantity": offer.quantity, "incoterm": offer.goods.incoterm}
    qualities = CONVENTIONAL | {offer.goods.quality}
    law = _resolve(book, offer, "law", qualities, frozenset({"STATUTE"})).row or _ended_statute(book, offer)
    if law is not None:
        checks.append(statutory_floor(**common, row=law, on=offer.on, fx=book.rate(price.currency, law.currency)))  # type: ignore[arg-type]
    for floor in book.coop_floors:
        if floor.coop_id == offer.coop_id and floor.valid_from <= offer.on and _is_of(floor, offer.goods):
            checks.append(coop_floor(price=price, quantity=offer.quantity, floor=floor, on=offer.on))
    aim = _resolve(book, offer, "living_income", qualities, frozenset({"LIRP"})).row
    if aim is not None:
        checks.append(living_income(**common, row=aim, fx=book.rate(price.currency, aim.currency)))  # type: ignore[arg-type]
    return checks


def _ended_statute(book: Book, offer: Offer) -> Reference | None:
    past = [
        row
        for row in book.references
        if row.price_kind == "STATUTE" and row.decides and row.valid_to and row.valid_to < offer.on and matches(row, offer.goods)
    ]
    return max(past, key=lambda row: row.valid_to or date.min, default=None)


def _is_of(floor: CoopFloor, goods: Goods) -> bool:
    return floor.product == goods.product and floor.variety in ("", goods.variety) and floor.form in ("", goods.form)


def judge(book: Book, offer: Offer) -> PriceVerdict:
    """Hold one offer against every floor that applies on its day, and say what it may claim (1.1 to 1.3, R-21)."""
    price = offer.price
    schemes = [claim for claim in offer.claims if claim != ORGANIC_CLAIM]
    checks = _claim_checks(offer)
    if offer.includes_premium:
        split = [_apply_scheme(book, offer, price, scheme).row for scheme in schemes]
        for row in (row for row in split if row is not None and row.premium_kind == "abs"):
            said = stated_price(price=price, row=row, includes_premium=True)
            checks.append(said)
            price = Price((said.facts or {}).get("goods", price.amount), price.currency, price.unit, price.per, price.packaging)
    applied = {scheme: _apply_scheme(book, offer, price, scheme) for scheme in schemes}
    checks += [check for part in applied.values() for check in part.checks]
    checks += _law_and_coop(book, offer, price)
    floor = highest_blocking(check.floor for check in checks if isinstance(check.floor, Floor))
    premium = _highest([part.premium for part in applied.values()], price)
    refused = {claim for claim in offer.claims if _speaks_against(claim, applied.get(claim), checks)}
    return PriceVerdict(
        outcome=worst(check.outcome for check in checks),
        checks=tuple(checks),
        goods_price=price,
        floor=floor,
        proposed_price=floor.passing if floor else None,
        premium=premium,
        premium_per_unit=ceil_price(in_measure(premium, price)) if premium else Decimal(0),
        organic_differential=_highest([part.differential for part in applied.values()], price),
        claims_carried=tuple(claim for claim in offer.claims if claim not in refused),
        rows=tuple(part.row for part in applied.values() if part.row is not None),
    )


def _speaks_against(claim: str, part: _Applied | None, checks: Iterable[Check]) -> bool:
    bad = (Outcome.VIOLATION, Outcome.NOT_CHECKABLE)
    own = [
        c
        for c in checks
        if c.arguments.get("claim") == claim or (claim == ORGANIC_CLAIM and c.reason == "no_certificate" and c.rule == "R-04")
    ]
    return any(check.outcome in bad for check in [*(part.checks if part else ()), *own])


def _highest(prices: Iterable[Price | None], like: Price) -> Price | None:
    """Return the highest of several prices that can be put in the measure of `like`."""
    known: list[tuple[Fraction, Price]] = []
    for price in prices:
        if price is None:
            continue
        try:
            known.append((in_measure(price, like), price))
        except NotComparable:
            continue
    return max(known, key=lambda pair: pair[0], default=(Fraction(0), None))[1]
