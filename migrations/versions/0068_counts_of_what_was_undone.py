"""How often a refund by bank and a payout were told as paid and were not: each time is another fact to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0068_counts_of_what_was_undone"
down_revision = "0067_periods_opened_again"


def upgrade() -> None:
    """Apply."""
    op.add_column("refund", sa.Column("times_taken_back", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("payout", sa.Column("times_unsettled", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    """Undo."""
    op.drop_column("payout", "times_unsettled")
    op.drop_column("refund", "times_taken_back")
