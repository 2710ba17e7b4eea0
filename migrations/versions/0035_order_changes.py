"""Changes of paid orders: further orders, and something else sent instead."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0035_order_changes"
down_revision = "0034_follow_told"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "order_supplement",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("supplements_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("order_id <> supplements_id", name=op.f("order_supplement_other_check")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("order_supplement_order_id_fkey")),
        sa.ForeignKeyConstraint(["supplements_id"], ["orders.id"], name=op.f("order_supplement_supplements_id_fkey")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("order_supplement_pkey")),
    )
    op.create_index(op.f("order_supplement_supplements_id_idx"), "order_supplement", ["supplements_id"])
    op.add_column("order_line", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("order_line_replaces_id_fkey"), "order_line", "order_line", ["replaces_id"], ["id"])
    op.create_table(
        "substitution",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seller_order_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("substitution_quantity_check")),
        sa.CheckConstraint("state IN ('proposed', 'accepted', 'refused', 'withdrawn')", name=op.f("substitution_state_check")),
        sa.CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name=op.f("substitution_decided_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("substitution_coop_id_fkey")),
        sa.ForeignKeyConstraint(["seller_order_id"], ["seller_order.id"], name=op.f("substitution_seller_order_id_fkey")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("substitution_order_line_id_fkey")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("substitution_listing_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("substitution_pkey")),
    )
    op.create_index(op.f("substitution_coop_id_idx"), "substitution", ["coop_id"])
    op.create_index(op.f("substitution_seller_order_id_idx"), "substitution", ["seller_order_id"])
    op.create_index(
        "substitution_one_open", "substitution", ["order_line_id"], unique=True, postgresql_where=sa.text("state = 'proposed'")
    )
    enable_rls("substitution")


def downgrade() -> None:
    """Take back."""
    op.drop_table("substitution")
    op.drop_column("order_line", "replaces_id")
    op.drop_table("order_supplement")
