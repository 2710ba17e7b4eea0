"""What is owed: one row per source; amount, payee and source never change."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0009_payables"
down_revision = "0008_payments"

_FIXED = """
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF coop_id, payee_id, currency, amount_minor, kind, due_on, source_kind, source_id, part
  ON payable FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER kept BEFORE TRUNCATE ON payable FOR EACH STATEMENT EXECUTE FUNCTION market_refuse_change();
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "payable",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("source_kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("taken_by", sa.Uuid(), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('taken', 'scheduled', 'paid')) = (taken_by IS NOT NULL)", name=op.f("payable_taken_check")
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("payable_currency_check")),
        sa.CheckConstraint(
            "state IN ('open', 'taken', 'scheduled', 'paid', 'split', 'refunded')", name=op.f("payable_state_check")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("payable_amount_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("payable_coop_id_fkey")),
        sa.ForeignKeyConstraint(["payee_id"], ["producer.id"], name=op.f("payable_payee_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("payable_pkey")),
        sa.UniqueConstraint("coop_id", "source_kind", "source_id", "kind", "part", name="payable_source_key"),
    )
    op.create_index(op.f("payable_coop_id_idx"), "payable", ["coop_id"], unique=False)
    op.create_index("payable_open", "payable", ["coop_id", "due_on"], unique=False, postgresql_where=sa.text("state = 'open'"))
    op.create_index("payable_payee", "payable", ["payee_id", "currency", "state"], unique=False)
    op.create_index("payable_taken", "payable", ["taken_by"], unique=False, postgresql_where=sa.text("taken_by IS NOT NULL"))
    enable_rls("payable")
    op.execute(_FIXED)


def downgrade() -> None:
    """Take back."""
    op.drop_table("payable")
