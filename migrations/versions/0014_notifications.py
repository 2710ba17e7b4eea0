"""The tables of `notifications`."""

revision = "0014_notifications"
down_revision = "0013_statements"


def upgrade() -> None:
    """Apply."""


def downgrade() -> None:
    """Take back."""
