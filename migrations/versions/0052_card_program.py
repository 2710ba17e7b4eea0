"""Which program made a card: those of another are made anew when a worker starts."""

import sqlalchemy as sa
from alembic import op

revision = "0052_card_program"
down_revision = "0051_loan_files"


def upgrade() -> None:
    """Apply; no program has an empty name, so every card there is will be made anew."""
    op.add_column("listing_card", sa.Column("program", sa.Text(), nullable=False, server_default=""))
    op.alter_column("listing_card", "program", server_default=None)


def downgrade() -> None:
    """Take back."""
    op.drop_column("listing_card", "program")
