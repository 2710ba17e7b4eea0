"""The co-op's own money beside trade: premium fund, pre-finance, conversions, cash rounding (money.md 2)."""
