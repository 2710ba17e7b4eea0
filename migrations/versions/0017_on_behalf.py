"""For whom staff did what a producer does."""

import sqlalchemy as sa
from alembic import op

revision = "0017_on_behalf"
down_revision = "0016_statement_formats"


def upgrade() -> None:
    """Apply."""
    op.add_column("audit_entry", sa.Column("on_behalf_of", sa.Uuid(), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("audit_entry", "on_behalf_of")
