"""Find orders and statement lines by their amount: plain columns, because row-level security lets no expression reach an index."""

import sqlalchemy as sa
from alembic import op

revision = "0024_desk_amounts"
down_revision = "0023_wake"
_FIND = """
CREATE FUNCTION orders_of_buyer(wanted tsquery) RETURNS SETOF uuid
STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT id FROM orders WHERE to_tsvector('simple'::regconfig, (name || ' '::text) || email) @@ wanted $$;
"""
_TOTAL = "goods_minor + premium_minor + charges_minor + tax_minor"


def upgrade() -> None:
    """Apply."""
    op.drop_index("statement_line_by_name", table_name="statement_line")
    op.drop_index("statement_line_by_amount", table_name="statement_line")
    op.create_index("statement_line_by_amount", "statement_line", ["coop_id", "amount_minor"], unique=False)
    op.drop_index("seller_order_by_amount", table_name="seller_order")
    op.add_column("seller_order", sa.Column("total_minor", sa.BigInteger(), sa.Computed(_TOTAL, persisted=True), nullable=False))
    op.create_index("seller_order_by_amount", "seller_order", ["coop_id", "total_minor"], unique=False)
    op.execute(_FIND)


def downgrade() -> None:
    """Take back."""
    op.execute("DROP FUNCTION orders_of_buyer")
    op.drop_column("seller_order", "total_minor")
    op.create_index("seller_order_by_amount", "seller_order", ["coop_id", sa.text(f"({_TOTAL})")], unique=False)
    op.drop_index("statement_line_by_amount", table_name="statement_line")
    op.create_index("statement_line_by_amount", "statement_line", ["coop_id", sa.text("abs(amount_minor)")], unique=False)
    op.create_index(
        "statement_line_by_name",
        "statement_line",
        [sa.text("to_tsvector('simple'::regconfig, counterparty_name)")],
        unique=False,
        postgresql_using="gin",
    )
