"""Opening balances that wait for a second person."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0061_opening_balances"
down_revision = "0060_days_of_the_books"

_DECIDED = "(state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)"
_NAME = "opening_balance"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        _NAME,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("balances", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'proposed'"), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('proposed', 'booked', 'declined')", name=op.f(f"{_NAME}_state_check")),
        sa.CheckConstraint("decided_by <> proposed_by", name=op.f(f"{_NAME}_four_eyes_check")),
        sa.CheckConstraint(_DECIDED, name=op.f(f"{_NAME}_decided_check")),
        sa.CheckConstraint("balances > 0", name=op.f(f"{_NAME}_balances_check")),
        sa.CheckConstraint("length(source) >= 3", name=op.f(f"{_NAME}_words_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f(f"{_NAME}_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"{_NAME}_pkey")),
    )
    op.create_index(op.f(f"{_NAME}_coop_id_idx"), _NAME, ["coop_id"])
    op.create_index("opening_balance_one", _NAME, ["coop_id"], unique=True, postgresql_where=sa.text("state <> 'declined'"))
    enable_rls(_NAME)


def downgrade() -> None:
    """Take back."""
    op.drop_table(_NAME)
