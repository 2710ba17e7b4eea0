"""Keep a booking that one person may not make alone as a proposal, until somebody who approves decides."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0030_booking_proposal"
down_revision = "0029_own_texts"

_TABLE = "statement_proposal"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("account_code", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('proposed', 'accepted', 'declined')", name=op.f("statement_proposal_state_check")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("statement_proposal_amount_check")),
        sa.CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name=op.f("statement_proposal_decided_check")),
        sa.CheckConstraint("state <> 'accepted' OR decided_by <> proposed_by", name=op.f("statement_proposal_four_eyes_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("statement_proposal_coop_id_fkey")),
        sa.ForeignKeyConstraint(["line_id"], ["statement_line.id"], name=op.f("statement_proposal_line_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("statement_proposal_pkey")),
    )
    op.create_index(op.f("statement_proposal_coop_id_idx"), _TABLE, ["coop_id"], unique=False)
    op.create_index("statement_proposal_open", _TABLE, ["line_id"], unique=True, postgresql_where=sa.text("state = 'proposed'"))
    enable_rls(_TABLE)
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {_TABLE} FROM market_app")
    op.execute(f"GRANT UPDATE (state, decided_by, decided_at, answer) ON {_TABLE} TO market_app")


def downgrade() -> None:
    """Take back."""
    op.drop_table(_TABLE)
