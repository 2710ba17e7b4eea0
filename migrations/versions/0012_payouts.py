"""The tables of `payouts`."""

revision = "0012_payouts"
down_revision = "0011_orders"


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Take back."""
