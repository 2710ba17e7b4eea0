"""Find the payout that waits longest without sorting all that wait since the same moment, as those of one run do."""

from alembic import op

revision = "0023_wake"
down_revision = "0022_catalogue_version"

_INDEX = "DROP INDEX payout_wake; CREATE INDEX payout_wake ON payout (%s) WHERE wake_at IS NOT NULL"


def upgrade() -> None:
    """Apply."""
    op.execute(_INDEX % "wake_at, id")


def downgrade() -> None:
    """Take back."""
    op.execute(_INDEX % "wake_at")
