"""The premium fund's plan and spendings, and conversions between currencies, each under four eyes; a unit of mutual credit."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0036_treasury"
down_revision = "0035_order_changes"

_DECIDED = "(state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)"


def _proposals(name: str, states: str, *columns: Any) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Uuid(), nullable=False),
        *columns,
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
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
    op.execute("INSERT INTO currency (code, exponent, community) VALUES ('XCC', 2, true) ON CONFLICT DO NOTHING")
    _proposals(
        "premium_item",
        "'proposed', 'approved', 'declined', 'closed'",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("premium_item_amount_check")),
        sa.CheckConstraint("length(minutes) >= 3 AND length(name) >= 2", name=op.f("premium_item_words_check")),
    )
    _proposals(
        "premium_spending",
        "'proposed', 'booked', 'declined'",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("premium_spending_amount_check")),
        sa.CheckConstraint("length(evidence) >= 3 AND length(payee) >= 2", name=op.f("premium_spending_words_check")),
        sa.ForeignKeyConstraint(["item_id"], ["premium_item.id"], name=op.f("premium_spending_item_id_fkey")),
    )
    op.create_index(op.f("premium_spending_item_id_idx"), "premium_spending", ["item_id"])
    _proposals(
        "fx_conversion",
        "'proposed', 'booked', 'declined', 'settled'",
        sa.Column("producer_id", sa.Uuid(), nullable=False),
        sa.Column("agreed_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("agreed_minor", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.Numeric(precision=20, scale=10), nullable=False),
        sa.Column("rate_on", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("given_minor", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("amount_minor > 0 AND agreed_minor > 0 AND rate > 0", name=op.f("fx_conversion_amount_check")),
        sa.CheckConstraint("currency <> agreed_currency", name=op.f("fx_conversion_currencies_check")),
        sa.CheckConstraint("length(source) >= 3", name=op.f("fx_conversion_source_check")),
        sa.CheckConstraint("(state = 'settled') = (given_minor IS NOT NULL)", name=op.f("fx_conversion_settled_check")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f("fx_conversion_producer_id_fkey")),
    )


def downgrade() -> None:
    """Take back."""
    for name in ("fx_conversion", "premium_spending", "premium_item"):
        op.drop_table(name)
    op.execute("DELETE FROM currency WHERE code = 'XCC'")
