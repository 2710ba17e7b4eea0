"""The tables of `orders`."""

revision = "0011_orders"
down_revision = "0010_catalogue"


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Take back."""
