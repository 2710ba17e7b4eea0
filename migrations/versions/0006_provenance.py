"""Lots, events, lineage, capture jobs, parties, places and the stored pages of lots."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.kit import append_only, enable_rls

revision = "0006_provenance"
down_revision = "0005_login"

# An edge may change once, when the declaration of an error voids it.
_EDGE_GUARD = """
CREATE FUNCTION lineage_edge_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'UPDATE' AND OLD.voided_by IS NULL AND NEW.voided_by IS NOT NULL
     AND to_jsonb(OLD) - 'voided_by' = to_jsonb(NEW) - 'voided_by' THEN RETURN NEW; END IF;
  RAISE EXCEPTION '% on lineage_edge refused: an edge is only voided', TG_OP USING ERRCODE = 'restrict_violation'; END $$;
CREATE TRIGGER fixed BEFORE UPDATE OR DELETE ON lineage_edge FOR EACH ROW EXECUTE FUNCTION lineage_edge_guard();
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "party",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sa.Uuid(), nullable=True),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("party_coop_id_fkey")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f("party_producer_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("party_pkey")),
        sa.UniqueConstraint("uri", name=op.f("party_uri_key")),
    )
    op.create_index(op.f("party_coop_id_idx"), "party", ["coop_id"], unique=False)
    op.create_index("party_of_producer", "party", ["coop_id", "producer_id"], unique=True, postgresql_nulls_not_distinct=True)
    op.create_table(
        "place",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sa.Uuid(), nullable=True),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("country", sa.CHAR(length=2), nullable=False),
        sa.Column("latitude", sa.Numeric(precision=4, scale=1), nullable=True),
        sa.Column("longitude", sa.Numeric(precision=4, scale=1), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("place_point_check")),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name=op.f("place_range_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("place_coop_id_fkey")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f("place_producer_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("place_pkey")),
        sa.UniqueConstraint("uri", name=op.f("place_uri_key")),
    )
    op.create_index(op.f("place_coop_id_idx"), "place", ["coop_id"], unique=False)
    op.create_table(
        "lot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sa.Uuid(), nullable=True),
        sa.Column("slug", sa.CHAR(length=11), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("variety", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("process", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("uom", sa.Text(), nullable=False),
        sa.Column("produced", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("drawn", sa.Numeric(precision=18, scale=6), server_default=sa.text("0"), nullable=False),
        sa.Column("made_from_on", sa.Date(), nullable=True),
        sa.Column("made_on", sa.Date(), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("slug ~ '^[0-9a-hjkmnp-tv-z]{11}$'", name=op.f("lot_slug_check")),
        sa.CheckConstraint("uom IN ('KGM', 'GRM', 'LTR', 'MTR', 'H87')", name=op.f("lot_uom_check")),
        sa.CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name=op.f("lot_withdrawn_check")),
        sa.CheckConstraint("0 <= drawn AND drawn <= produced", name=op.f("lot_balance_check")),
        sa.CheckConstraint("made_from_on <= made_on", name=op.f("lot_days_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("lot_coop_id_fkey")),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("lot_place_id_fkey")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f("lot_producer_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("lot_pkey")),
        sa.UniqueConstraint("slug", name=op.f("lot_slug_key")),
        sa.UniqueConstraint("uri", name=op.f("lot_uri_key")),
    )
    op.create_index(op.f("lot_coop_id_idx"), "lot", ["coop_id"], unique=False)
    op.create_index(op.f("lot_producer_id_idx"), "lot", ["producer_id"], unique=False)
    op.create_table(
        "capture_job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("behaviour", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("running", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("success", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("errors", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("events", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("behaviour IN ('rollback', 'proceed')", name=op.f("capture_job_behaviour_check")),
        sa.CheckConstraint("running = (finished_at IS NULL)", name=op.f("capture_job_finished_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("capture_job_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("capture_job_pkey")),
    )
    op.create_index(op.f("capture_job_coop_id_idx"), "capture_job", ["coop_id"], unique=False)
    op.create_table(
        "epcis_event",
        sa.Column("record_seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("capture_id", sa.Uuid(), nullable=True),
        sa.Column("visibility", sa.Text(), server_default=sa.text("'public'"), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error_declared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("context", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("digest", sa.CHAR(length=64), nullable=False),
        sa.Column("given_id", sa.Boolean(), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("event_hash", sa.Text(), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("visibility IN ('public', 'private')", name=op.f("epcis_event_visibility_check")),
        sa.ForeignKeyConstraint(["capture_id"], ["capture_job.id"], name=op.f("epcis_event_capture_id_fkey")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("epcis_event_coop_id_fkey")),
        sa.PrimaryKeyConstraint("record_seq", name=op.f("epcis_event_pkey")),
    )
    op.create_index(
        "declaration_once",
        "epcis_event",
        ["event_id", "error_declared_at"],
        unique=True,
        postgresql_where=sa.text("error_declared_at IS NOT NULL"),
    )
    op.create_index(op.f("epcis_event_capture_id_idx"), "epcis_event", ["capture_id"], unique=False)
    op.create_index(op.f("epcis_event_coop_id_idx"), "epcis_event", ["coop_id"], unique=False)
    op.create_index("event_ids", "epcis_event", ["ids"], unique=False, postgresql_using="gin")
    op.create_index("event_once", "epcis_event", ["event_id"], unique=True, postgresql_where=sa.text("error_declared_at IS NULL"))
    op.create_index(
        "nameless_event_once",
        "epcis_event",
        ["coop_id", "digest", "error_declared_at"],
        unique=True,
        postgresql_where=sa.text("NOT given_id"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "lineage_edge",
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.Column("input_lot", sa.Uuid(), nullable=False),
        sa.Column("output_lot", sa.Uuid(), nullable=False),
        sa.Column("input_quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("output_quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("voided_by", sa.BigInteger(), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("input_lot <> output_lot", name=op.f("lineage_edge_apart_check")),
        sa.CheckConstraint("input_quantity > 0 AND output_quantity > 0", name=op.f("lineage_edge_quantities_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("lineage_edge_coop_id_fkey")),
        sa.ForeignKeyConstraint(["event_seq"], ["epcis_event.record_seq"], name=op.f("lineage_edge_event_seq_fkey")),
        sa.ForeignKeyConstraint(["input_lot"], ["lot.id"], name=op.f("lineage_edge_input_lot_fkey")),
        sa.ForeignKeyConstraint(["output_lot"], ["lot.id"], name=op.f("lineage_edge_output_lot_fkey")),
        sa.ForeignKeyConstraint(["voided_by"], ["epcis_event.record_seq"], name=op.f("lineage_edge_voided_by_fkey")),
        sa.PrimaryKeyConstraint("event_seq", "input_lot", "output_lot", name=op.f("lineage_edge_pkey")),
    )
    op.create_index(op.f("lineage_edge_coop_id_idx"), "lineage_edge", ["coop_id"], unique=False)
    op.create_index(
        "lineage_edge_down", "lineage_edge", ["input_lot"], unique=False, postgresql_where=sa.text("voided_by IS NULL")
    )
    op.create_index(
        "lineage_edge_up", "lineage_edge", ["output_lot"], unique=False, postgresql_where=sa.text("voided_by IS NULL")
    )
    op.create_table(
        "lot_page",
        sa.Column("slug", sa.CHAR(length=11), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("lot_page_lot_id_fkey")),
        sa.PrimaryKeyConstraint("slug", name=op.f("lot_page_pkey")),
        sa.UniqueConstraint("lot_id", name=op.f("lot_page_lot_id_key")),
    )
    enable_rls("party", "place", "lot", "capture_job", "epcis_event", "lineage_edge")
    append_only("epcis_event")
    op.execute(_EDGE_GUARD)


def downgrade() -> None:
    """Take back."""
    op.drop_table("lot_page")
    op.drop_table("lineage_edge")
    op.drop_table("epcis_event")
    op.drop_table("capture_job")
    op.drop_table("lot")
    op.drop_table("place")
    op.drop_table("party")
    op.execute("DROP FUNCTION lineage_edge_guard")
