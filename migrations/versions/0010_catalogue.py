"""The tables of `catalogue`."""

revision = "0010_catalogue"
down_revision = "0009_payables"


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Take back."""
