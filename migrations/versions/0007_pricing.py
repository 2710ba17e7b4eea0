"""The tables of `pricing`."""

revision = "0007_pricing"
down_revision = "0006_provenance"


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Take back."""
