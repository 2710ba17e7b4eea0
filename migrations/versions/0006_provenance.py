"""The tables of `provenance`."""

revision = "0006_provenance"
down_revision = "0005_login"


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Take back."""
