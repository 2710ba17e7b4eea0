"""Texts of co-ops, producers and listings in several languages, by the people themselves."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0029_own_texts"
down_revision = "0028_tax_identity"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "own_text",
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("original", sa.Boolean(), nullable=False),
        sa.Column("title", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("body", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("subject_kind IN ('coop', 'producer', 'listing')", name=op.f("own_text_subject_kind_check")),
        sa.CheckConstraint("NOT original OR (title = '' AND body = '')", name=op.f("own_text_original_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("own_text_coop_id_fkey")),
        sa.PrimaryKeyConstraint("subject_kind", "subject_id", "language", name=op.f("own_text_pkey")),
    )
    op.create_index(op.f("own_text_coop_id_idx"), "own_text", ["coop_id"])
    op.create_index(
        "own_text_original", "own_text", ["subject_kind", "subject_id"], unique=True, postgresql_where=sa.text("original")
    )
    enable_rls("own_text")


def downgrade() -> None:
    """Take back."""
    op.drop_table("own_text")
