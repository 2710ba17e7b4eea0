"""Staff pages of price tables: import, review by a second person, market prices, the co-op's own floors."""

from market.console.prices import floors, market, rows, tables
from market.console.prices.base import blueprint

__all__ = ["blueprint", "floors", "market", "rows", "tables"]
