"""Let a proposal be a split of a line into parts, not only one booking."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039_split_proposal"
down_revision = "0038_payout_stop"

_TABLE = "statement_proposal"


def upgrade() -> None:
    """Apply."""
    op.add_column(_TABLE, sa.Column("pieces", postgresql.JSONB(), nullable=True))
    op.alter_column(_TABLE, "account_code", nullable=True)
    op.create_check_constraint(op.f("statement_proposal_what_check"), _TABLE, "(account_code IS NULL) <> (pieces IS NULL)")


def downgrade() -> None:
    """Take back; refused by the database while a split stands in the table."""
    op.drop_constraint(op.f("statement_proposal_what_check"), _TABLE)
    op.alter_column(_TABLE, "account_code", nullable=False)
    op.drop_column(_TABLE, "pieces")
