"""Where a loan goes back to, and the bank files of repayments."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0051_loan_files"
down_revision = "0050_coop_shares"


def upgrade() -> None:
    """Apply."""
    op.add_column("loan", sa.Column("iban", sa.Text(), nullable=True))
    op.add_column("loan", sa.Column("bic", sa.Text(), nullable=True))
    op.create_table(
        "loan_file",
        sa.Column("repayment_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("sha256 = encode(sha256(body), 'hex')", name=op.f("loan_file_sha256_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("loan_file_coop_id_fkey")),
        sa.ForeignKeyConstraint(["repayment_id"], ["loan_repayment.id"], name=op.f("loan_file_repayment_id_fkey")),
        sa.PrimaryKeyConstraint("repayment_id", name=op.f("loan_file_pkey")),
        sa.UniqueConstraint("message_id", name=op.f("loan_file_message_id_key")),
    )
    op.create_index(op.f("loan_file_coop_id_idx"), "loan_file", ["coop_id"])
    enable_rls("loan_file")


def downgrade() -> None:
    """Take back."""
    op.drop_table("loan_file")
    op.drop_column("loan", "bic")
    op.drop_column("loan", "iban")
