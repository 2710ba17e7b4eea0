"""Baskets, orders, seller orders, lines and the parts of their prices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.kit import enable_rls

revision = "0011_orders"
down_revision = "0010_catalogue"

_RULES = """
-- Law 4: the parts of a price sum to the price, whoever writes them.
CREATE FUNCTION order_line_sums() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (SELECT coalesce(sum(amount_minor), 0) FROM price_component WHERE order_line_id = NEW.id) <> NEW.total_minor
  THEN RAISE EXCEPTION 'the parts of order line % do not sum to its price', NEW.id USING ERRCODE = 'check_violation'; END IF;
  RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER parts_sum AFTER INSERT ON order_line DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION order_line_sums();

-- States only move forward, whoever writes them.
CREATE FUNCTION seller_order_moves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF OLD.state <> NEW.state AND NOT (NEW.state = ANY (CASE OLD.state
       WHEN 'placed' THEN ARRAY['paid', 'cancelled'] WHEN 'paid' THEN ARRAY['shipped', 'refunded']
       WHEN 'shipped' THEN ARRAY['confirmed', 'refunded'] WHEN 'confirmed' THEN ARRAY['settled', 'refunded'] ELSE ARRAY[]::text[] END))
  THEN RAISE EXCEPTION 'seller order %: % cannot become %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation'; END IF;
  RETURN NEW; END $$;
CREATE TRIGGER moves BEFORE UPDATE OF state ON seller_order FOR EACH ROW EXECUTE FUNCTION seller_order_moves();

-- What was agreed is frozen: of lines and parts only what came back may change, and nothing is deleted.
REVOKE UPDATE, DELETE ON orders, seller_order, order_line, price_component FROM market_app;
GRANT UPDATE (state, paid_at, cancelled_at, problem) ON orders TO market_app;
GRANT UPDATE (state, goods_refunded_minor, premium_refunded_minor, charges_refunded_minor, tax_refunded_minor, paid_on,
  shipped_at, tracking, confirmed_at, release_on, settled_at, problem) ON seller_order TO market_app;
GRANT UPDATE (returned_quantity) ON order_line TO market_app;
GRANT UPDATE (returned_minor) ON price_component TO market_app;

-- Orders and parts belong to no single co-op; staff see them through their own seller orders and lines.
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY through_parts ON orders USING (current_setting('market.scope', true) = '*'
  OR EXISTS (SELECT FROM seller_order WHERE seller_order.order_id = orders.id));
ALTER TABLE price_component ENABLE ROW LEVEL SECURITY;
CREATE POLICY through_lines ON price_component USING (current_setting('market.scope', true) = '*'
  OR EXISTS (SELECT FROM order_line WHERE order_line.id = price_component.order_line_id));
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True, start=1001), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("building", sa.Text(), nullable=False),
        sa.Column("postcode", sa.Text(), nullable=False),
        sa.Column("town", sa.Text(), nullable=False),
        sa.Column("country", sa.CHAR(length=2), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'placed'"), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'paid') = (paid_at IS NOT NULL)", name=op.f("orders_paid_check")),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=op.f("orders_country_check")),
        sa.CheckConstraint("method IN ('card', 'transfer')", name=op.f("orders_method_check")),
        sa.CheckConstraint("state IN ('placed', 'paid', 'cancelled')", name=op.f("orders_state_check")),
        sa.CheckConstraint("total_minor > 0", name=op.f("orders_total_check")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("orders_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("orders_pkey")),
        sa.UniqueConstraint("number", name=op.f("orders_number_key")),
    )
    op.create_index(op.f("orders_account_id_idx"), "orders", ["account_id"], unique=False)
    op.create_index("orders_unpaid", "orders", ["expires_at"], unique=False, postgresql_where=sa.text("state = 'placed'"))
    op.create_table(
        "seller_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'placed'"), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("goods_minor", sa.BigInteger(), nullable=False),
        sa.Column("premium_minor", sa.BigInteger(), nullable=False),
        sa.Column("charges_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("goods_refunded_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("premium_refunded_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("charges_refunded_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tax_refunded_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tracking", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_on", sa.Date(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('placed', 'paid', 'shipped', 'confirmed', 'settled', 'refunded', 'cancelled')",
            name=op.f("seller_order_state_check"),
        ),
        sa.CheckConstraint("charges_refunded_minor BETWEEN 0 AND charges_minor", name=op.f("seller_order_charges_check")),
        sa.CheckConstraint("goods_refunded_minor BETWEEN 0 AND goods_minor", name=op.f("seller_order_goods_check")),
        sa.CheckConstraint("premium_refunded_minor BETWEEN 0 AND premium_minor", name=op.f("seller_order_premium_check")),
        sa.CheckConstraint("tax_refunded_minor BETWEEN 0 AND tax_minor", name=op.f("seller_order_tax_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("seller_order_coop_id_fkey")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("seller_order_order_id_fkey")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f("seller_order_producer_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("seller_order_pkey")),
        sa.UniqueConstraint("order_id", "position", name=op.f("seller_order_order_id_position_key")),
        sa.UniqueConstraint("order_id", "producer_id", name=op.f("seller_order_order_id_producer_id_key")),
    )
    op.create_index(op.f("seller_order_coop_id_idx"), "seller_order", ["coop_id"], unique=False)
    op.create_index(op.f("seller_order_order_id_idx"), "seller_order", ["order_id"], unique=False)
    op.create_index(op.f("seller_order_producer_id_idx"), "seller_order", ["producer_id"], unique=False)
    op.create_index(
        "seller_order_release",
        "seller_order",
        ["release_on"],
        unique=False,
        postgresql_where=sa.text("state IN ('shipped', 'confirmed')"),
    )
    op.create_table(
        "basket_line",
        sa.Column("basket_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("basket_line_quantity_check")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("basket_line_listing_id_fkey")),
        sa.PrimaryKeyConstraint("basket_id", "listing_id", name=op.f("basket_line_pkey")),
    )
    op.create_table(
        "order_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("seller_order_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("stock_quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("returned_quantity", sa.Numeric(precision=18, scale=6), server_default=sa.text("0"), nullable=False),
        sa.Column("check_ids", postgresql.ARRAY(sa.UUID()), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("order_line_quantity_check")),
        sa.CheckConstraint("returned_quantity BETWEEN 0 AND quantity", name=op.f("order_line_returned_check")),
        sa.CheckConstraint("total_minor > 0", name=op.f("order_line_total_check")),
        sa.CheckConstraint("unit_price > 0", name=op.f("order_line_unit_price_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("order_line_coop_id_fkey")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("order_line_listing_id_fkey")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("order_line_lot_id_fkey")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("order_line_order_id_fkey")),
        sa.ForeignKeyConstraint(["seller_order_id"], ["seller_order.id"], name=op.f("order_line_seller_order_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("order_line_pkey")),
    )
    op.create_index(op.f("order_line_coop_id_idx"), "order_line", ["coop_id"], unique=False)
    op.create_index(op.f("order_line_lot_id_idx"), "order_line", ["lot_id"], unique=False)
    op.create_index(op.f("order_line_order_id_idx"), "order_line", ["order_id"], unique=False)
    op.create_index(op.f("order_line_seller_order_id_idx"), "order_line", ["seller_order_id"], unique=False)
    op.create_table(
        "price_component",
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("returned_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("bearer", sa.Text(), nullable=True),
        sa.Column("tax_rate", sa.Numeric(precision=7, scale=4), server_default=sa.text("0"), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rule_version", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "CASE WHEN amount_minor < 0 THEN returned_minor BETWEEN amount_minor AND 0 ELSE returned_minor BETWEEN 0 AND amount_minor END",
            name=op.f("price_component_returned_check"),
        ),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("price_component_order_line_id_fkey")),
        sa.PrimaryKeyConstraint("order_line_id", "seq", name=op.f("price_component_pkey")),
    )
    op.execute(_RULES)
    enable_rls("seller_order", "order_line")


def downgrade() -> None:
    """Take back."""
    op.execute("DROP POLICY through_lines ON price_component")
    op.execute("DROP POLICY through_parts ON orders")
    op.drop_table("price_component")
    op.drop_table("order_line")
    op.drop_table("basket_line")
    op.drop_table("seller_order")
    op.drop_table("orders")
    op.execute("DROP FUNCTION order_line_sums, seller_order_moves")
