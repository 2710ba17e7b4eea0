"""When a follower of a co-op last got a mail with its news."""

import sqlalchemy as sa
from alembic import op

revision = "0034_follow_told"
down_revision = "0033_payout_settings"


def upgrade() -> None:
    """Apply."""
    op.add_column("follow", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("follow", "told_at")
