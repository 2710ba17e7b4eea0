"""Staff pages of payouts: what is owed, runs under four eyes, bank files, cash receipts, and what went wrong."""

from market.console.payouts import cash, overview, payout, runs
from market.console.payouts.base import blueprint

__all__ = ["blueprint", "cash", "overview", "payout", "runs"]
