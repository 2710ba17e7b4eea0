"""The tables of `payments`."""

revision = "0008_payments"
down_revision = "0007_pricing"


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Take back."""
