"""The tables of `login`."""

revision = "0005_login"
down_revision = "0004_producers"


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Take back."""
