"""The way back of an order whose payment belonged to somebody else: unpaid again, and credited in full if it ends so."""

import sqlalchemy as sa
from alembic import op

revision = "0063_payment_taken_back"
down_revision = "0062_books_in_one_statement"

_MOVES = """
CREATE OR REPLACE FUNCTION seller_order_moves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF OLD.state <> NEW.state AND NOT (NEW.state = ANY (CASE OLD.state
       WHEN 'placed' THEN ARRAY['authorised', 'paid', 'cancelled'] WHEN 'authorised' THEN ARRAY['paid', 'cancelled']
       WHEN 'paid' THEN ARRAY['shipped', 'refunded'{}]
       WHEN 'shipped' THEN ARRAY['confirmed', 'refunded'] WHEN 'confirmed' THEN ARRAY['settled', 'refunded'] ELSE ARRAY[]::text[] END))
  THEN RAISE EXCEPTION 'seller order %: % cannot become %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation'; END IF;
  RETURN NEW; END $$;
"""
_CAUSE = "num_nonnulls(refund_id, substitution_id){} = (kind = 'credit_note')::int"


def _cause(more: str) -> None:
    op.drop_constraint(op.f("invoice_cause_check"), "invoice", type_="check")
    op.create_check_constraint(op.f("invoice_cause_check"), "invoice", _CAUSE.format(more))


def upgrade() -> None:
    """Apply."""
    op.execute(_MOVES.format(", 'placed'"))
    times = sa.Column("times_taken_back", sa.SmallInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("orders", times)
    op.execute("GRANT UPDATE (expires_at, times_taken_back) ON orders TO market_app")
    op.add_column("invoice", sa.Column("ended", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    _cause(" + ended::int")
    op.create_index("invoice_ended_once", "invoice", ["invoice_id"], unique=True, postgresql_where=sa.text("ended"))


def downgrade() -> None:
    """Undo."""
    op.drop_index("invoice_ended_once", "invoice")
    _cause("")
    op.drop_column("invoice", "ended")
    op.execute("REVOKE UPDATE (expires_at) ON orders FROM market_app")
    op.drop_column("orders", "times_taken_back")
    op.execute(_MOVES.format(""))
