"""Money kept on a card until the goods are packed: the authorisation, the states, and what was not sent."""

import sqlalchemy as sa
from alembic import op

revision = "0053_authorisations"
down_revision = "0052_card_program"

_LIVE = "state IN ({}'awaiting_transfer', 'created', 'part_paid', 'processing', 'requires_action', 'succeeded')"
_RULES = """
-- What is taken from a card is decided once.
CREATE FUNCTION card_authorisation_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF OLD.decision IS NOT NULL AND (NEW.decision, NEW.captured_minor, NEW.amount_minor, NEW.decided_by, NEW.decided_at)
     IS DISTINCT FROM (OLD.decision, OLD.captured_minor, OLD.amount_minor, OLD.decided_by, OLD.decided_at)
  THEN RAISE EXCEPTION 'what is taken of payment % was decided', OLD.payment_id USING ERRCODE = 'check_violation'; END IF;
  RETURN NEW; END $$;
CREATE TRIGGER once BEFORE UPDATE ON card_authorisation FOR EACH ROW EXECUTE FUNCTION card_authorisation_once();
REVOKE DELETE ON card_authorisation FROM market_app;
GRANT UPDATE (packed_at) ON seller_order TO market_app;
GRANT UPDATE (unsent_quantity) ON order_line TO market_app;
"""
_MOVES = """
CREATE OR REPLACE FUNCTION seller_order_moves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF OLD.state <> NEW.state AND NOT (NEW.state = ANY (CASE OLD.state
       WHEN 'placed' THEN ARRAY[{}'paid', 'cancelled'] {} WHEN 'paid' THEN ARRAY['shipped', 'refunded']
       WHEN 'shipped' THEN ARRAY['confirmed', 'refunded'] WHEN 'confirmed' THEN ARRAY['settled', 'refunded'] ELSE ARRAY[]::text[] END))
  THEN RAISE EXCEPTION 'seller order %: % cannot become %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation'; END IF;
  RETURN NEW; END $$;
"""
_CARD = "'created', 'requires_action', 'processing', {}'awaiting_transfer', 'part_paid', 'succeeded', 'failed', "
_STATES = {
    "payment": "state IN (" + _CARD + "'expired', 'cancelled', 'surplus')",
    "orders": "state IN ('placed', {}'paid', 'cancelled')",
    "seller_order": "state IN ('placed', {}'paid', 'shipped', 'confirmed', 'settled', 'refunded', 'cancelled')",
}


def _states(more: str) -> None:
    for table, states in _STATES.items():
        op.drop_constraint(op.f(f"{table}_state_check"), table, type_="check")
        op.create_check_constraint(op.f(f"{table}_state_check"), table, states.format(more))
    op.drop_index("payment_one_live", "payment")
    live = sa.text(_LIVE.format(more))
    op.create_index("payment_one_live", "payment", ["subject_kind", "subject_id"], unique=True, postgresql_where=live)


def upgrade() -> None:
    """Apply."""
    _states("'authorised', ")
    op.execute(_MOVES.format("'authorised', ", "WHEN 'authorised' THEN ARRAY['paid', 'cancelled']"))
    op.add_column("coop", sa.Column("charge_when_packed", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("seller_order", sa.Column("packed_at", sa.DateTime(timezone=True), nullable=True))
    unsent = sa.Column("unsent_quantity", sa.Numeric(18, 6), server_default=sa.text("0"), nullable=False)
    op.add_column("order_line", unsent)
    op.create_check_constraint(op.f("order_line_unsent_check"), "order_line", "unsent_quantity BETWEEN 0 AND returned_quantity")
    op.create_index("orders_authorised", "orders", ["id"], postgresql_where=sa.text("state = 'authorised'"))
    name = "card_authorisation"
    op.create_table(
        name,
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("capture_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("captured_minor", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("decision IN ('capture', 'release')", name=op.f(f"{name}_decision_check")),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL) AND (decision IS NULL) = (decided_by IS NULL)",
            name=op.f(f"{name}_decided_check"),
        ),
        sa.CheckConstraint("captured_minor BETWEEN 1 AND amount_minor", name=op.f(f"{name}_captured_check")),
        sa.CheckConstraint(
            "coalesce(decision = 'capture', false) = (captured_minor IS NOT NULL)", name=op.f(f"{name}_capture_check")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f(f"{name}_payment_id_fkey")),
        sa.PrimaryKeyConstraint("payment_id", name=op.f(f"{name}_pkey")),
    )
    waiting = sa.text("next_try_at IS NOT NULL")
    op.create_index(f"{name}_to_settle", name, ["next_try_at"], postgresql_where=waiting)
    op.create_index(f"{name}_running_out", name, ["capture_before"], postgresql_where=sa.text("decision IS NULL"))
    op.execute(_RULES)


def downgrade() -> None:
    """Undo."""
    op.drop_table("card_authorisation")
    op.execute("DROP FUNCTION card_authorisation_once")
    op.drop_index("orders_authorised", "orders")
    op.drop_column("order_line", "unsent_quantity")
    op.drop_column("seller_order", "packed_at")
    op.drop_column("coop", "charge_when_packed")
    op.execute(_MOVES.format("", ""))
    _states("")
