"""Who bears a lost card dispute."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import append_only, enable_rls

revision = "0032_bearing"
down_revision = "0031_rails"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "dispute_bearing",
        sa.Column("dispute_id", sa.Uuid(), nullable=False),
        sa.Column("seller_order_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("producer_minor", sa.BigInteger(), nullable=False),
        sa.Column("fund_minor", sa.BigInteger(), nullable=False),
        sa.Column("coop_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "producer_minor >= 0 AND fund_minor >= 0 AND coop_minor >= 0", name=op.f("dispute_bearing_amounts_check")
        ),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("dispute_bearing_coop_id_fkey")),
        sa.ForeignKeyConstraint(["dispute_id"], ["payment_dispute.id"], name=op.f("dispute_bearing_dispute_id_fkey")),
        sa.ForeignKeyConstraint(["seller_order_id"], ["seller_order.id"], name=op.f("dispute_bearing_seller_order_id_fkey")),
        sa.PrimaryKeyConstraint("dispute_id", "seller_order_id", name=op.f("dispute_bearing_pkey")),
    )
    op.create_index(op.f("dispute_bearing_coop_id_idx"), "dispute_bearing", ["coop_id"])
    op.create_index(op.f("dispute_bearing_seller_order_id_idx"), "dispute_bearing", ["seller_order_id"])
    enable_rls("dispute_bearing")
    append_only("dispute_bearing")


def downgrade() -> None:
    """Take back."""
    op.drop_table("dispute_bearing")
