"""The tables of `payables`."""

revision = "0009_payables"
down_revision = "0008_payments"


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Take back."""
