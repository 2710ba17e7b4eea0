"""Premium that buyers pay on account, under four eyes."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0049_premium_invoice"
down_revision = "0048_swap_notes"

_DECIDED = "(state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)"


def upgrade() -> None:
    """Apply."""
    op.execute("CREATE SEQUENCE premium_number")
    op.create_table(
        "premium_invoice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("buyer", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'proposed'"), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('proposed', 'booked', 'declined', 'taken_back')", name=op.f("premium_invoice_state_check")),
        sa.CheckConstraint("decided_by <> proposed_by", name=op.f("premium_invoice_four_eyes_check")),
        sa.CheckConstraint(_DECIDED, name=op.f("premium_invoice_decided_check")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("premium_invoice_amount_check")),
        sa.CheckConstraint("length(buyer) >= 2 AND length(contract) >= 2", name=op.f("premium_invoice_words_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("premium_invoice_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("premium_invoice_pkey")),
        sa.UniqueConstraint("number", name=op.f("premium_invoice_number_key")),
    )
    op.create_index(op.f("premium_invoice_coop_id_idx"), "premium_invoice", ["coop_id"])
    enable_rls("premium_invoice")


def downgrade() -> None:
    """Take back."""
    op.drop_table("premium_invoice")
    op.execute("DROP SEQUENCE premium_number")
