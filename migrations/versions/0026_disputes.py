"""Card disputes."""

import sqlalchemy as sa
from alembic import op

revision = "0026_disputes"
down_revision = "0025_invoices"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "payment_dispute",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("provider_ref", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("evidence_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("submitted_by", sa.Text(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("payment_dispute_amount_check")),
        sa.CheckConstraint(
            "(state IN ('warning_closed', 'won', 'lost', 'prevented')) = (closed_at IS NOT NULL)",
            name=op.f("payment_dispute_closed_check"),
        ),
        sa.CheckConstraint(
            "(submitted_at IS NULL) = (evidence IS NULL) AND (submitted_at IS NULL) = (submitted_by IS NULL)",
            name=op.f("payment_dispute_submitted_check"),
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("payment_dispute_payment_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("payment_dispute_pkey")),
        sa.UniqueConstraint("provider_ref", name=op.f("payment_dispute_provider_ref_key")),
    )
    op.create_index(op.f("payment_dispute_payment_id_idx"), "payment_dispute", ["payment_id"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("payment_dispute")
