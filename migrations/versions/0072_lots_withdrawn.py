"""Lots are withdrawn by staff: why, what was made of them, and whose orders it reached."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0072_lots_withdrawn"
down_revision = "0071_proposals_withdrawn"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "lot_withdrawal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.Column("withdrawn_by", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("advice IN ('keep', 'discard', 'return')", name=op.f("lot_withdrawal_advice_check")),
        sa.CheckConstraint("num_nulls(ended_reason, ended_by, ended_at) IN (0, 3)", name=op.f("lot_withdrawal_ended_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("lot_withdrawal_coop_id_fkey")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("lot_withdrawal_lot_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("lot_withdrawal_pkey")),
    )
    op.create_index(op.f("lot_withdrawal_coop_id_idx"), "lot_withdrawal", ["coop_id"])
    open_ones = sa.text("ended_at IS NULL")
    op.create_index("lot_withdrawal_open", "lot_withdrawal", ["lot_id"], unique=True, postgresql_where=open_ones)
    op.create_index("lot_withdrawal_in_force", "lot_withdrawal", ["coop_id"], postgresql_where=open_ones)
    op.create_table(
        "withdrawn_lot",
        sa.Column("withdrawal_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("withdrawn_lot_coop_id_fkey")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("withdrawn_lot_lot_id_fkey")),
        sa.ForeignKeyConstraint(["withdrawal_id"], ["lot_withdrawal.id"], name=op.f("withdrawn_lot_withdrawal_id_fkey")),
        sa.PrimaryKeyConstraint("withdrawal_id", "lot_id", name=op.f("withdrawn_lot_pkey")),
    )
    op.create_index(op.f("withdrawn_lot_coop_id_idx"), "withdrawn_lot", ["coop_id"])
    op.create_index(op.f("withdrawn_lot_lot_id_idx"), "withdrawn_lot", ["lot_id"])
    op.create_index("lot_newest", "lot", ["coop_id", "recorded_at", "id"])
    op.add_column("stock", sa.Column("withdrawn", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "withdrawn_line",
        sa.Column("withdrawal_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("seller_order_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("withdrawn_line_quantity_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("withdrawn_line_coop_id_fkey")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("withdrawn_line_order_id_fkey")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("withdrawn_line_order_line_id_fkey")),
        sa.ForeignKeyConstraint(["seller_order_id"], ["seller_order.id"], name=op.f("withdrawn_line_seller_order_id_fkey")),
        sa.ForeignKeyConstraint(["withdrawal_id"], ["lot_withdrawal.id"], name=op.f("withdrawn_line_withdrawal_id_fkey")),
        sa.PrimaryKeyConstraint("withdrawal_id", "order_line_id", name=op.f("withdrawn_line_pkey")),
    )
    op.create_index(op.f("withdrawn_line_coop_id_idx"), "withdrawn_line", ["coop_id"])
    op.create_index(op.f("withdrawn_line_order_line_id_idx"), "withdrawn_line", ["order_line_id"])
    enable_rls("lot_withdrawal", "withdrawn_lot", "withdrawn_line")


def downgrade() -> None:
    """Take back."""
    op.drop_table("withdrawn_line")
    op.drop_column("stock", "withdrawn")
    op.drop_index("lot_newest", "lot")
    op.drop_table("withdrawn_lot")
    op.drop_table("lot_withdrawal")
