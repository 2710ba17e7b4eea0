"""How much may be ordered and left unpaid, how long a co-op waits, and what one person books alone."""

import sqlalchemy as sa
from alembic import op

revision = "0019_order_terms"
down_revision = "0018_earnings"


def upgrade() -> None:
    """Apply."""
    op.add_column("orders", sa.Column("placed_from", sa.LargeBinary(), nullable=True))
    op.create_index(
        "orders_of_guest", "orders", ["email", "placed_at"], unique=False, postgresql_where=sa.text("account_id IS NULL")
    )
    op.create_index(
        "orders_placed_from",
        "orders",
        ["placed_from", "placed_at"],
        unique=False,
        postgresql_where=sa.text("placed_from IS NOT NULL"),
    )
    for name, default, kind in (
        ("transfer_hold_days", "5", sa.SmallInteger()),
        ("part_paid_days", "14", sa.SmallInteger()),
        ("book_alone_minor", "0", sa.BigInteger()),
    ):
        op.add_column("coop", sa.Column(name, kind, server_default=sa.text(default), nullable=False))
    op.create_check_constraint(
        op.f("coop_terms_check"),
        "coop",
        "transfer_hold_days BETWEEN 1 AND 31 AND part_paid_days BETWEEN 1 AND 90 AND book_alone_minor >= 0",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_constraint(op.f("coop_terms_check"), "coop")
    for name in ("transfer_hold_days", "part_paid_days", "book_alone_minor"):
        op.drop_column("coop", name)
    op.drop_index("orders_placed_from", "orders")
    op.drop_index("orders_of_guest", "orders")
    op.drop_column("orders", "placed_from")
