"""Commands about prices: check, keep checks, import, correct, approve and confirm rows, enter quotes, decide floors."""

from market.pricing.service.checking import (
    PriceLine,
    check_price,
    check_prices,
    is_kept,
    refuse,
    run_again,
    store_checks,
    storing,
)
from market.pricing.service.costs import FloorRefused, decide_floor
from market.pricing.service.imports import ImportResult, approve_import, import_prices, refuse_import
from market.pricing.service.quotes import QuoteRefused, check_quote, declare_packaging, enter_quote, enter_rate, name_term
from market.pricing.service.references import approve_reference, confirm_reference, correct_reference, reject_reference

__all__ = [
    "FloorRefused", "ImportResult", "PriceLine", "QuoteRefused", "approve_import", "approve_reference", "check_price",
    "check_prices", "check_quote", "confirm_reference", "correct_reference", "decide_floor", "declare_packaging",
    "enter_quote", "enter_rate", "import_prices", "is_kept", "name_term", "refuse", "refuse_import", "reject_reference",
    "run_again", "store_checks", "storing",
]  # fmt: skip
