"""Price references and their imports, market quotes, rates, co-op floors, stored checks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.kit import append_only, enable_rls

revision = "0007_pricing"
down_revision = "0006_provenance"

_RULES = """
CREATE FUNCTION price_row_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE moving text[] := TG_ARGV::text[];
BEGIN
  IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'DELETE on % refused: rows are kept', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END IF;
  IF to_jsonb(NEW) - moving <> to_jsonb(OLD) - moving THEN
    RAISE EXCEPTION 'UPDATE on % refused: values never change, enter a new row that supersedes', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER fixed BEFORE UPDATE OR DELETE ON price_reference FOR EACH ROW EXECUTE FUNCTION
  price_row_fixed(status, confidence, document_hash, approved_by, approved_at, confirmed_by, confirmed_at);
CREATE TRIGGER fixed BEFORE UPDATE OR DELETE ON market_quote FOR EACH ROW EXECUTE FUNCTION price_row_fixed(checked_by);
CREATE TRIGGER fixed BEFORE UPDATE OR DELETE ON coop_floor FOR EACH ROW EXECUTE FUNCTION price_row_fixed(status);

INSERT INTO price_edition DEFAULT VALUES;
CREATE FUNCTION price_new_edition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN UPDATE price_edition SET edition = gen_random_uuid(); RETURN NULL; END $$;
"""
_IN_THE_BOOK = ("price_reference", "market_quote", "packaging", "fx_evidence", "term_alias")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "fx_evidence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("base", sa.CHAR(length=3), nullable=False),
        sa.Column("quote", sa.CHAR(length=3), nullable=False),
        sa.Column("rate", sa.Numeric(precision=20, scale=10), nullable=False),
        sa.Column("rate_on", sa.Date(), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("source_name <> ''", name=op.f("fx_evidence_source_check")),
        sa.CheckConstraint("rate > 0 AND base <> quote", name=op.f("fx_evidence_rate_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("fx_evidence_pkey")),
    )
    op.create_index("fx_evidence_newest", "fx_evidence", ["base", "quote", "rate_on", "entered_at"], unique=False)
    op.create_table(
        "import_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("document_hash", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'waiting') = (decided_by IS NULL)", name=op.f("import_batch_decided_check")),
        sa.CheckConstraint("state <> 'approved' OR decided_by <> entered_by", name=op.f("import_batch_four_eyes_check")),
        sa.CheckConstraint("state IN ('waiting', 'approved', 'refused')", name=op.f("import_batch_state_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("import_batch_pkey")),
    )
    op.create_table(
        "market_quote",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("contract_month", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("addition", sa.Numeric(precision=18, scale=6), server_default=sa.text("0"), nullable=False),
        sa.Column("addition_label", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("per", sa.Numeric(precision=18, scale=6), server_default=sa.text("1"), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("quoted_on", sa.Date(), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_by", sa.Text(), nullable=True),
        sa.CheckConstraint("source_name <> ''", name=op.f("market_quote_source_check")),
        sa.CheckConstraint("checked_by <> entered_by", name=op.f("market_quote_four_eyes_check")),
        sa.CheckConstraint("per > 0", name=op.f("market_quote_per_check")),
        sa.CheckConstraint("price > 0", name=op.f("market_quote_price_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("market_quote_pkey")),
    )
    op.create_index("market_quote_newest", "market_quote", ["market", "quoted_on", "entered_at"], unique=False)
    op.create_table(
        "packaging",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("net_quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("declared_by", sa.Text(), nullable=False),
        sa.Column("declared_on", sa.Date(), nullable=False),
        sa.CheckConstraint("net_quantity > 0", name=op.f("packaging_net_quantity_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("packaging_pkey")),
        sa.UniqueConstraint("code", name=op.f("packaging_code_key")),
    )
    op.create_table(
        "price_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.BigInteger(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("inputs", postgresql.JSONB(), nullable=False),
        sa.Column("price_reference_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("quote_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("amount_short_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.CHAR(length=3), nullable=True),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evaluated_for", sa.Date(), nullable=False),
        sa.CheckConstraint("gate ~ '^G[1-7]$'", name=op.f("price_check_gate_check")),
        sa.CheckConstraint("outcome IN ('ok', 'warning', 'not_checkable', 'violation')", name=op.f("price_check_outcome_check")),
        sa.CheckConstraint("(amount_short_minor IS NULL) = (currency IS NULL)", name=op.f("price_check_amount_short_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("price_check_pkey")),
    )
    op.create_index("price_check_subject", "price_check", ["subject_kind", "subject_id", "id"], unique=False)
    op.create_table(
        "price_edition",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("edition", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.CheckConstraint("one", name=op.f("price_edition_one_row_check")),
        sa.PrimaryKeyConstraint("one", name=op.f("price_edition_pkey")),
    )
    op.create_table(
        "term_alias",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "term", name=op.f("term_alias_pkey")),
    )
    op.create_table(
        "coop_floor",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("variety", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("form", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("build_up", postgresql.JSONB(), nullable=True),
        sa.Column("decided_by_body", sa.Text(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("minutes_hash", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("review_by", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "review_by > valid_from AND review_by <= (valid_from + interval '1 year')", name=op.f("coop_floor_review_check")
        ),
        sa.CheckConstraint("status IN ('active', 'superseded')", name=op.f("coop_floor_status_check")),
        sa.CheckConstraint("amount > 0", name=op.f("coop_floor_amount_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("coop_floor_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("coop_floor_pkey")),
    )
    op.create_index(
        "coop_floor_active",
        "coop_floor",
        ["coop_id", "product", "variety", "form", "unit", "currency"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_index(op.f("coop_floor_coop_id_idx"), "coop_floor", ["coop_id"], unique=False)
    op.create_table(
        "import_row",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.Column("cells", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("notes", postgresql.JSONB(), nullable=False),
        sa.Column("values", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint(
            "state IN ('accepted', 'needs_review', 'conflict', 'unchanged', 'rejected')", name=op.f("import_row_state_check")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("import_row_batch_id_fkey")),
        sa.PrimaryKeyConstraint("batch_id", "number", name=op.f("import_row_pkey")),
    )
    op.create_table(
        "price_reference",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("price_kind", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("variety", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("form", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("characteristic", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("quality", sa.Text(), nullable=False),
        sa.Column("geo_level", sa.Text(), nullable=False),
        sa.Column("geo_code", sa.Text(), nullable=False),
        sa.Column("setup", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("incoterm", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("packaging_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.CHAR(length=3), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_from_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("applies_by", sa.Text(), server_default=sa.text("'contract_signed'"), nullable=False),
        sa.Column("unit_quantity", sa.Numeric(precision=18, scale=6), server_default=sa.text("1"), nullable=False),
        sa.Column("minimum_price", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("minimum_basis", sa.Text(), server_default=sa.text("'abs'"), nullable=False),
        sa.Column("index_name", sa.Text(), nullable=True),
        sa.Column("premium", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("premium_kind", sa.Text(), server_default=sa.text("'abs'"), nullable=False),
        sa.Column("organic_rule", sa.Text(), server_default=sa.text("'none'"), nullable=False),
        sa.Column("organic_differential", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("relevant_market", sa.Text(), nullable=True),
        sa.Column("special_terms", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("document_hash", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("confidence", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'needs_review'"), nullable=False),
        sa.Column("review", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("row_hash", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "applies_by IN ('contract_signed', 'contract_start', 'delivery')", name=op.f("price_reference_applies_by_check")
        ),
        sa.CheckConstraint("confidence IN ('high', 'medium', 'low')", name=op.f("price_reference_confidence_check")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("price_reference_currency_check")),
        sa.CheckConstraint("geo_level IN ('world', 'region', 'country')", name=op.f("price_reference_geo_level_check")),
        sa.CheckConstraint("minimum_basis IN ('abs', 'pct_index')", name=op.f("price_reference_minimum_basis_check")),
        sa.CheckConstraint(
            "organic_rule IN ('differential', 'fixed_minimum', 'none')", name=op.f("price_reference_organic_rule_check")
        ),
        sa.CheckConstraint(
            "premium_kind IN ('abs', 'pct_commercial', 'pct_negotiated', 'pct_fob', 'pct_index')",
            name=op.f("price_reference_premium_kind_check"),
        ),
        sa.CheckConstraint(
            "price_kind IN ('FMP', 'SPP_MIN', 'COMMERCIAL', 'PCT_INDEX', 'DIFFERENTIAL', 'STATUTE', 'LIRP')",
            name=op.f("price_reference_price_kind_check"),
        ),
        sa.CheckConstraint("quality IN ('conventional', 'organic', 'both')", name=op.f("price_reference_quality_check")),
        sa.CheckConstraint(
            "status <> 'active' OR (valid_from IS NOT NULL AND scheme <> '')", name=op.f("price_reference_active_is_dated_check")
        ),
        sa.CheckConstraint(
            "status IN ('needs_review', 'active', 'superseded', 'rejected')", name=op.f("price_reference_status_check")
        ),
        sa.CheckConstraint(
            "status NOT IN ('active', 'superseded') OR approved_by IS NOT NULL",
            name=op.f("price_reference_active_is_approved_check"),
        ),
        sa.CheckConstraint(
            "approved_by <> entered_by AND confirmed_by <> entered_by", name=op.f("price_reference_four_eyes_check")
        ),
        sa.CheckConstraint("minimum_price > 0", name=op.f("price_reference_minimum_check")),
        sa.CheckConstraint(
            "minimum_price IS NULL OR (currency IS NOT NULL AND unit IS NOT NULL)", name=op.f("price_reference_measure_check")
        ),
        sa.CheckConstraint("organic_differential >= 0", name=op.f("price_reference_differential_check")),
        sa.CheckConstraint("premium >= 0", name=op.f("price_reference_premium_check")),
        sa.CheckConstraint("unit_quantity > 0", name=op.f("price_reference_unit_quantity_check")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("price_reference_validity_check")),
        sa.ForeignKeyConstraint(["packaging_id"], ["packaging.id"], name=op.f("price_reference_packaging_id_fkey")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["price_reference.id"], name=op.f("price_reference_supersedes_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("price_reference_pkey")),
    )
    op.create_index(
        "price_reference_key",
        "price_reference",
        [
            "scheme",
            "price_kind",
            "product",
            "variety",
            "form",
            "characteristic",
            "quality",
            "geo_level",
            "geo_code",
            "setup",
            "incoterm",
            "unit",
            "packaging_id",
            "currency",
            "valid_from",
        ],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_index("price_reference_row", "price_reference", ["row_hash"], unique=True)
    op.execute(_RULES)
    for table in _IN_THE_BOOK:
        op.execute(
            f"CREATE TRIGGER edition AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION price_new_edition()"
        )
    append_only("price_check", "fx_evidence", "import_row")
    enable_rls("coop_floor")


def downgrade() -> None:
    """Take back."""
    op.drop_table("price_reference")
    op.drop_table("import_row")
    op.drop_table("coop_floor")
    op.drop_table("term_alias")
    op.drop_table("price_edition")
    op.drop_table("price_check")
    op.drop_table("packaging")
    op.drop_table("market_quote")
    op.drop_table("import_batch")
    op.drop_table("fx_evidence")
    op.execute("DROP FUNCTION price_row_fixed, price_new_edition")
