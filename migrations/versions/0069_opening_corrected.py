"""Corrections of opening balances: rows beside the one that opened the books."""

import sqlalchemy as sa
from alembic import op

revision = "0069_opening_corrected"
down_revision = "0068_counts_of_what_was_undone"

_NAME = "opening_balance"


def _once(condition: str) -> None:
    op.drop_index("opening_balance_one", _NAME)
    op.create_index("opening_balance_one", _NAME, ["coop_id"], unique=True, postgresql_where=sa.text(condition))


def upgrade() -> None:
    """Apply."""
    op.add_column(_NAME, sa.Column("corrects", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    _once("state <> 'declined' AND NOT corrects")
    waits = sa.text("state = 'proposed' AND corrects")
    op.create_index("opening_correction_one", _NAME, ["coop_id"], unique=True, postgresql_where=waits)


def downgrade() -> None:
    """Take back: what corrections booked stays in the books, only their papers go."""
    op.execute("DELETE FROM opening_balance WHERE corrects")
    op.drop_index("opening_correction_one", _NAME)
    _once("state <> 'declined'")
    op.drop_column(_NAME, "corrects")
