"""Products, listings, stock and holds, cards and the search index."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.kit import enable_rls

revision = "0010_catalogue"
down_revision = "0009_payables"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "product",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("variety", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("form", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("characteristic", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("quality", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.CheckConstraint("quality IN ('conventional', 'organic')", name=op.f("product_quality_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("product_pkey")),
        sa.UniqueConstraint(
            "kind",
            "variety",
            "form",
            "characteristic",
            "quality",
            name=op.f("product_kind_variety_form_characteristic_quality_key"),
        ),
    )
    op.create_table(
        "search_posting",
        sa.Column("term", sa.Text(collation="C"), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.PrimaryKeyConstraint("term", "listing_id", name=op.f("search_posting_pkey"), postgresql_include=["price"]),
    )
    op.create_index(op.f("search_posting_listing_id_idx"), "search_posting", ["listing_id"], unique=False)
    op.create_table(
        "search_term",
        sa.Column("term", sa.Text(collation="C"), nullable=False),
        sa.Column("listings", sa.Integer(), nullable=False),
        sa.Column("spellings", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("listings >= 0", name=op.f("search_term_listings_check")),
        sa.PrimaryKeyConstraint("term", name=op.f("search_term_pkey")),
    )
    op.create_index("search_term_spellings", "search_term", ["spellings"], unique=False, postgresql_using="gin")
    op.create_table(
        "listing",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("premium_per_unit", sa.Numeric(precision=18, scale=6), server_default=sa.text("0"), nullable=False),
        sa.Column("organic_per_unit", sa.Numeric(precision=18, scale=6), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("order_step", sa.Numeric(precision=18, scale=6), server_default=sa.text("1"), nullable=False),
        sa.Column("claims", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("origin_country", sa.CHAR(length=2), nullable=False),
        sa.Column("incoterm", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.Column("photo", postgresql.JSONB(), nullable=True),
        sa.Column("check_ids", postgresql.ARRAY(sa.UUID()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("check_outcome", sa.Text(), nullable=True),
        sa.Column("floor_price", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("floor_words", sa.Text(), nullable=True),
        sa.Column("market_price", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("listing_currency_check")),
        sa.CheckConstraint(
            "state <> 'published' OR (published_at IS NOT NULL AND checked_on IS NOT NULL)",
            name=op.f("listing_published_is_checked_check"),
        ),
        sa.CheckConstraint("state IN ('draft', 'published', 'withdrawn')", name=op.f("listing_state_check")),
        sa.CheckConstraint("order_step > 0", name=op.f("listing_order_step_check")),
        sa.CheckConstraint(
            "unit_price > 0 AND premium_per_unit >= 0 AND organic_per_unit >= 0", name=op.f("listing_prices_check")
        ),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("listing_coop_id_fkey")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("listing_lot_id_fkey")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f("listing_producer_id_fkey")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("listing_product_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("listing_pkey")),
    )
    op.create_index(op.f("listing_coop_id_idx"), "listing", ["coop_id"], unique=False)
    op.create_index(op.f("listing_lot_id_idx"), "listing", ["lot_id"], unique=False)
    op.create_index(op.f("listing_producer_id_idx"), "listing", ["producer_id"], unique=False)
    op.create_table(
        "stock",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("on_hand", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("held", sa.Numeric(precision=18, scale=6), server_default=sa.text("0"), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("0 <= held AND held <= on_hand", name=op.f("stock_never_oversold_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("stock_coop_id_fkey")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("stock_lot_id_fkey")),
        sa.PrimaryKeyConstraint("lot_id", name=op.f("stock_pkey")),
    )
    op.create_index(op.f("stock_coop_id_idx"), "stock", ["coop_id"], unique=False)
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'live'"), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('live', 'taken', 'released')", name=op.f("hold_state_check")),
        sa.CheckConstraint("quantity > 0", name=op.f("hold_quantity_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("hold_coop_id_fkey")),
        sa.ForeignKeyConstraint(["lot_id"], ["stock.lot_id"], name=op.f("hold_lot_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("hold_pkey")),
        sa.UniqueConstraint("order_id", "lot_id", name=op.f("hold_order_id_lot_id_key")),
    )
    op.create_index(op.f("hold_coop_id_idx"), "hold", ["coop_id"], unique=False)
    op.create_index("hold_live", "hold", ["expires_at"], unique=False, postgresql_where=sa.text("state = 'live'"))
    op.create_index("hold_lot", "hold", ["lot_id"], unique=False)
    op.create_table(
        "listing_card",
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("available", sa.Boolean(), nullable=False),
        sa.Column("json", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("listing_card_listing_id_fkey")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("listing_card_pkey")),
    )
    enable_rls("listing", "stock", "hold")
    # Cards and postings are rewritten in place and the pages of both stay in memory: keep them dense and their index-only scans cheap.
    op.execute(
        "ALTER TABLE search_posting SET (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_scale_factor = 0.05)"
    )


def downgrade() -> None:
    """Take back."""
    for table in ("listing_card", "hold", "stock", "listing", "search_term", "search_posting", "product"):
        op.drop_table(table)
