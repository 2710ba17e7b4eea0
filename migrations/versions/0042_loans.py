"""Pre-finance of buyers and lenders with its repayments, each under four eyes."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0042_loans"
down_revision = "0041_match_posting"

_DECIDED = "(state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)"


def _proposals(name: str, states: str, *columns: Any) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Uuid(), nullable=False),
        *columns,
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
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
    op.execute("CREATE SEQUENCE loan_number")
    _proposals(
        "loan",
        "'proposed', 'accepted', 'declined', 'closed'",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lender", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("goods_minor", sa.BigInteger(), nullable=False),
        sa.Column("cap_percent", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("rate_percent", sa.Numeric(precision=6, scale=3), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('buyer', 'lender')", name=op.f("loan_kind_check")),
        sa.CheckConstraint("amount_minor > 0 AND amount_minor * 100 <= goods_minor * cap_percent", name=op.f("loan_cap_check")),
        sa.CheckConstraint("cap_percent BETWEEN 0 AND 100 AND rate_percent BETWEEN 0 AND 100", name=op.f("loan_percents_check")),
        sa.CheckConstraint("length(lender) >= 2 AND length(contract) >= 2 AND length(terms) >= 3", name=op.f("loan_words_check")),
        sa.UniqueConstraint("number", name=op.f("loan_number_key")),
    )
    _proposals(
        "loan_repayment",
        "'proposed', 'booked', 'declined', 'taken_back'",
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("principal_minor", sa.BigInteger(), nullable=False),
        sa.Column("interest_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "principal_minor >= 0 AND interest_minor >= 0 AND principal_minor + interest_minor > 0",
            name=op.f("loan_repayment_amount_check"),
        ),
        sa.ForeignKeyConstraint(["loan_id"], ["loan.id"], name=op.f("loan_repayment_loan_id_fkey")),
    )
    op.create_index(op.f("loan_repayment_loan_id_idx"), "loan_repayment", ["loan_id"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("loan_repayment")
    op.drop_table("loan")
    op.execute("DROP SEQUENCE loan_number")
