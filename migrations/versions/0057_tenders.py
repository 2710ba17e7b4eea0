"""What of an order is paid in a community currency, and what of that went back."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0057_tenders"
down_revision = "0056_lines_by_sets"


def upgrade() -> None:
    """Apply."""
    name = "order_tender"
    op.create_table(
        name,
        sa.Column("seller_order_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("returned_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tendered_by", sa.Text(), nullable=False),
        sa.Column("tendered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f(f"{name}_amount_check")),
        sa.CheckConstraint("returned_minor BETWEEN 0 AND amount_minor", name=op.f(f"{name}_returned_check")),
        sa.ForeignKeyConstraint(["seller_order_id"], ["seller_order.id"], name=op.f(f"{name}_seller_order_id_fkey")),
        sa.ForeignKeyConstraint(["holder_id"], ["community_holder.id"], name=op.f(f"{name}_holder_id_fkey")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f(f"{name}_coop_id_fkey")),
        sa.PrimaryKeyConstraint("seller_order_id", name=op.f(f"{name}_pkey")),
    )
    op.create_index(op.f(f"{name}_coop_id_idx"), name, ["coop_id"])
    op.create_index(op.f(f"{name}_holder_id_idx"), name, ["holder_id"])
    enable_rls(name)
    op.execute(f"REVOKE UPDATE, DELETE ON {name} FROM market_app; GRANT UPDATE (returned_minor) ON {name} TO market_app")
    back = "order_tender_return"
    op.create_table(
        back,
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("seller_order_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f(f"{back}_amount_check")),
        sa.ForeignKeyConstraint(["refund_id"], ["refund.id"], name=op.f(f"{back}_refund_id_fkey")),
        sa.ForeignKeyConstraint(["seller_order_id"], [f"{name}.seller_order_id"], name=op.f(f"{back}_seller_order_id_fkey")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f(f"{back}_coop_id_fkey")),
        sa.PrimaryKeyConstraint("refund_id", name=op.f(f"{back}_pkey")),
    )
    op.create_index(op.f(f"{back}_coop_id_idx"), back, ["coop_id"])
    op.create_index(op.f(f"{back}_seller_order_id_idx"), back, ["seller_order_id"])
    enable_rls(back)
    op.execute(f"REVOKE UPDATE, DELETE ON {back} FROM market_app")


def downgrade() -> None:
    """Take back."""
    op.drop_table("order_tender_return")
    op.drop_table("order_tender")
