"""When goods arrive, what buyers say is wrong, and who follows a co-op."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0020_buyers"
down_revision = "0019_order_terms"


def upgrade() -> None:
    """Apply."""
    op.add_column("coop", sa.Column("delivery_from_days", sa.SmallInteger(), server_default=sa.text("5"), nullable=False))
    op.add_column("coop", sa.Column("delivery_to_days", sa.SmallInteger(), server_default=sa.text("14"), nullable=False))
    op.create_check_constraint(
        op.f("coop_delivery_check"), "coop", "0 <= delivery_from_days AND delivery_from_days <= delivery_to_days"
    )
    op.create_table(
        "follow",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("follow_account_id_fkey")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("follow_coop_id_fkey")),
        sa.PrimaryKeyConstraint("account_id", "coop_id", name=op.f("follow_pkey")),
    )
    op.create_index(op.f("follow_coop_id_idx"), "follow", ["coop_id"])
    op.create_table(
        "complaint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.Column("seller_order_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL)",
            name=op.f("complaint_answered_check"),
        ),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("complaint_coop_id_fkey")),
        sa.ForeignKeyConstraint(["seller_order_id"], ["seller_order.id"], name=op.f("complaint_seller_order_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("complaint_pkey")),
    )
    op.create_index(op.f("complaint_coop_id_idx"), "complaint", ["coop_id"])
    op.create_index(op.f("complaint_seller_order_id_idx"), "complaint", ["seller_order_id"])
    op.create_index(
        "complaint_one_open", "complaint", ["seller_order_id"], unique=True, postgresql_where=sa.text("answered_at IS NULL")
    )
    op.create_index("complaint_open", "complaint", ["coop_id", "opened_at"], postgresql_where=sa.text("answered_at IS NULL"))
    enable_rls("complaint", "follow")


def downgrade() -> None:
    """Take back."""
    op.drop_table("complaint")
    op.drop_table("follow")
    op.drop_column("coop", "delivery_to_days")
    op.drop_column("coop", "delivery_from_days")
