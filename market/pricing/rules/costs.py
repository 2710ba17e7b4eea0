"""Goods without a published minimum: the co-op's own floor, built up from dated, published costs (fair-prices.md 6)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from market.kernel.words import N_, Amount, Term, say, sentences
from market.pricing.rules.comparison import Floor, hold_against
from market.pricing.rules.units import Price, decimal_of, plain
from market.pricing.rules.verdict import Finding, Outcome, rule


@dataclass(frozen=True, slots=True)
class Material:
    """A material with its receipt price; `waste` is a share (0.05 is five per cent)."""

    name: str
    quantity: Decimal
    unit_cost: Decimal
    waste: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class CostBuildUp:
    """The published inputs of one decision: materials, timed hours, a sourced wage, overhead, reserve, step."""

    currency: str
    materials: tuple[Material, ...]
    hours_per_piece: Decimal
    living_wage_month: Decimal
    hours_month: Decimal
    overhead_per_piece: Decimal
    reserve_pct: Decimal
    price_step: Decimal
    statutory_min_hour: Decimal = Decimal(0)
    wage_place: str = ""
    wage_source: str = ""
    wage_on: date | None = None

    @property
    def wage_hour(self) -> Fraction:
        """The living wage by the hour, or the statutory minimum where that is higher."""
        return max(Fraction(self.living_wage_month) / Fraction(self.hours_month), Fraction(self.statutory_min_hour))

    @property
    def cost(self) -> Fraction:
        """Materials, labour and overhead of one piece, with the reserve, unrounded."""
        return (self.material_cost + self.labour_cost + Fraction(self.overhead_per_piece)) * (
            1 + Fraction(self.reserve_pct) / 100
        )

    @property
    def material_cost(self) -> Fraction:
        """The sum of quantity, unit cost and waste."""
        return sum((Fraction(m.quantity) * Fraction(m.unit_cost) * (1 + Fraction(m.waste)) for m in self.materials), Fraction(0))

    @property
    def labour_cost(self) -> Fraction:
        """Timed hours at the hourly wage."""
        return Fraction(self.hours_per_piece) * self.wage_hour

    @property
    def floor(self) -> Decimal:
        """The cost rounded up to the next price step."""
        step = Fraction(self.price_step)
        return Decimal(-(-self.cost // step)) * self.price_step

    @property
    def words(self) -> str:
        """The build-up as a sentence that can be followed on paper."""
        wage = decimal_of(self.wage_hour)
        return say(
            "Materials %(materials)s + labour %(hours)s h × %(wage)s = %(labour)s + overhead %(overhead)s,"
            " with a reserve of %(reserve)s %%: %(cost)s, up to the next %(step)s: %(floor)s per piece.",
            materials=plain(self.material_cost, 2),
            hours=plain(self.hours_per_piece),
            wage=plain(wage, 2),
            labour=plain(self.labour_cost, 2),
            overhead=plain(self.overhead_per_piece, 2),
            reserve=plain(self.reserve_pct),
            cost=Amount(f"{plain(self.cost, 2)} {self.currency}"),
            step=plain(self.price_step, 2),
            floor=Amount(f"{plain(self.floor, 2)} {self.currency}"),
        )


@dataclass(frozen=True, slots=True)
class CoopFloor:
    """A co-op's dated decision on the least price of its goods; `build_up` shows where it comes from."""

    id: UUID
    coop_id: UUID
    product: str
    amount: Decimal
    currency: str
    unit: str
    decided_by_body: str
    decided_on: date
    valid_from: date
    review_by: date
    variety: str = ""
    form: str = ""
    title: str = ""
    build_up: CostBuildUp | None = None

    @property
    def price(self) -> Price:
        """The floor as a price."""
        return Price(self.amount, self.currency, self.unit)

    @property
    def may_say_living_wage(self) -> bool:
        """Whether the words 'living wage' may stand beside it: only with a source for the wage."""
        return self.build_up is not None and bool(self.build_up.wage_source) and self.build_up.living_wage_month > 0


@rule("COOP")
def coop_floor(*, price: Price, quantity: Decimal, floor: CoopFloor, on: date) -> Finding:
    """Hold the price against the co-op's own floor; past its review day the floor stays and is called stale."""
    story = say(
        "Floor of the co-op for %(goods)s, decided by the %(body)s on %(day)s: %(price)s.",
        goods=floor.title or Term(floor.product.replace("_", " ")),
        body=floor.decided_by_body,
        day=floor.decided_on,
        price=floor.price.text,
    )
    if floor.build_up is not None:
        story = sentences(story, floor.build_up.words)
    limit = Floor("coop", N_("floor of the co-op"), floor.price, Fraction(floor.amount), floor.id)
    said = hold_against(price, quantity, limit, missing=None, fx=None, level=0, story=story)
    if said.outcome is Outcome.OK and on > floor.review_by:
        return Finding(
            Outcome.WARNING,
            "stale",
            sentences(said.words, say("It was to be reviewed by %(day)s.", day=floor.review_by)),
            floor=said.floor,
        )
    return said
