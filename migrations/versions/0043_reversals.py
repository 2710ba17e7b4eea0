"""Parts of card transfers that co-ops ask back."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0043_reversals"
down_revision = "0042_loans"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "transfer_reversal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'asked'"), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('asked', 'accepted', 'refused', 'unsure')", name=op.f("transfer_reversal_state_check")),
        sa.CheckConstraint("amount_minor > 0 AND length(reason) >= 3", name=op.f("transfer_reversal_asked_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("transfer_reversal_coop_id_fkey")),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name=op.f("transfer_reversal_payout_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("transfer_reversal_pkey")),
    )
    op.create_index(op.f("transfer_reversal_coop_id_idx"), "transfer_reversal", ["coop_id"])
    op.create_index(op.f("transfer_reversal_payout_id_idx"), "transfer_reversal", ["payout_id"])
    op.create_index("transfer_reversal_waiting", "transfer_reversal", ["asked_at"], postgresql_where=sa.text("state = 'asked'"))
    enable_rls("transfer_reversal")


def downgrade() -> None:
    """Take back."""
    op.drop_table("transfer_reversal")
