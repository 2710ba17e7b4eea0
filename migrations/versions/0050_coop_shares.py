"""The co-op's own account at the card processor, and transfers of its share there."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0050_coop_shares"
down_revision = "0049_premium_invoice"

_DECIDED = "(state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)"


def _proposals(name: str, states: str, *columns: Any) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Uuid(), nullable=False),
        *columns,
        sa.Column("state", sa.Text(), server_default=sa.text("'proposed'"), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(f"state IN ({states})", name=op.f(f"{name}_state_check")),
        sa.CheckConstraint("decided_by <> proposed_by", name=op.f(f"{name}_four_eyes_check")),
        sa.CheckConstraint(_DECIDED, name=op.f(f"{name}_decided_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f(f"{name}_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"{name}_pkey")),
    )
    op.create_index(op.f(f"{name}_coop_id_idx"), name, ["coop_id"])
    enable_rls(name)


def upgrade() -> None:
    """Apply."""
    _proposals(
        "coop_recipient",
        "'proposed', 'confirmed', 'declined'",
        sa.Column("account", sa.Text(), nullable=False),
        sa.CheckConstraint("account ~ '^acct_'", name=op.f("coop_recipient_account_check")),
    )
    op.create_index(
        "coop_recipient_one", "coop_recipient", ["coop_id"], unique=True, postgresql_where=sa.text("state <> 'declined'")
    )
    _proposals(
        "coop_share",
        "'proposed', 'approved', 'declined', 'sent', 'refused', 'booked'",
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("first_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("coop_share_amount_check")),
        sa.ForeignKeyConstraint(["recipient_id"], ["coop_recipient.id"], name=op.f("coop_share_recipient_id_fkey")),
    )
    op.create_index("coop_share_waiting", "coop_share", ["decided_at"], postgresql_where=sa.text("state = 'approved'"))


def downgrade() -> None:
    """Take back."""
    op.drop_table("coop_share")
    op.drop_table("coop_recipient")
