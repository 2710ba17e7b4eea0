"""The tables of `statements`."""

revision = "0013_statements"
down_revision = "0012_payouts"


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Take back."""
