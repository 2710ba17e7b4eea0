"""Pure rules of fair prices, by their numbers in fair-prices.md: no database, no clock, no guess."""

from market.pricing.rules.comparison import Floor
from market.pricing.rules.costs import CoopFloor, CostBuildUp, Material, coop_floor
from market.pricing.rules.floors import (
    highest_blocking,
    living_income,
    organic_floor,
    regulated_difference,
    scheme_floor,
    statutory_floor,
)
from market.pricing.rules.judge import Book, Certificate, Offer, PriceVerdict, certified, certified_organic, judge
from market.pricing.rules.market_prices import MarketPrice
from market.pricing.rules.parts import Charges, Component, Discount, breakdown, reversed_by, sum_of
from market.pricing.rules.premiums import Deduction, PremiumLine, default_premium, fees, premium_due, premium_paid, stated_price
from market.pricing.rules.references import Goods, Reference, Resolution, resolve, which_row
from market.pricing.rules.units import UNITS, FxEvidence, NotComparable, Packaging, Price, ceil_price, plain, unit_code
from market.pricing.rules.verdict import GATES, Check, Outcome, replay, worst

__all__ = [
    "GATES", "UNITS", "Book", "Certificate", "Charges", "Check", "Component", "CoopFloor", "CostBuildUp", "Deduction", "Discount",
    "Floor", "FxEvidence", "Goods", "MarketPrice", "Material", "NotComparable", "Offer", "Outcome", "Packaging", "PremiumLine",
    "Price", "PriceVerdict", "Reference", "Resolution", "breakdown", "ceil_price", "certified", "certified_organic", "coop_floor",
    "default_premium", "fees", "highest_blocking", "judge", "living_income", "organic_floor", "plain", "premium_due",
    "premium_paid", "regulated_difference", "replay", "resolve", "reversed_by", "scheme_floor", "stated_price",
    "statutory_floor", "sum_of", "unit_code", "which_row", "worst",
]  # fmt: skip
