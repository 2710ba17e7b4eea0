"""What pricing announces."""

ROWS_CHANGED = "pricing.rows_changed"  # kind: the product whose rows count from now on or no longer do
