"""Stops of payouts: what others show and we do not know."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0038_payout_stop"
down_revision = "0037_bags_cheques"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "payout_stop",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("found_in", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_why", sa.Text(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lifted_why IS NULL)",
            name=op.f("payout_stop_lifted_check"),
        ),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("payout_stop_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("payout_stop_pkey")),
        sa.UniqueConstraint("coop_id", "evidence", name=op.f("payout_stop_coop_id_evidence_key")),
    )
    op.create_index(op.f("payout_stop_coop_id_idx"), "payout_stop", ["coop_id"])
    op.create_index("payout_stop_open", "payout_stop", ["coop_id"], postgresql_where=sa.text("lifted_at IS NULL"))
    enable_rls("payout_stop")


def downgrade() -> None:
    """Take back."""
    op.drop_table("payout_stop")
