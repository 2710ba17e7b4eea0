"""Roles, tenancy and the kernel's tables: outbox, inbox, idempotency keys, audit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.kit import append_only

revision = "0001_kernel"
down_revision = None

_SETUP = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'market_app') THEN
    BEGIN CREATE ROLE market_app NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END;
  END IF;
  -- SET ROLE, not membership, is the question: a member without SET could not take the role.
  IF NOT pg_has_role(current_user, 'market_app', 'SET') THEN EXECUTE format('GRANT market_app TO %I', current_user); END IF;
END $$;
GRANT USAGE ON SCHEMA public TO market_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO market_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO market_app;

CREATE FUNCTION market_sees(coop uuid) RETURNS boolean STABLE PARALLEL SAFE LANGUAGE sql AS $$
  SELECT current_setting('market.scope', true) = '*' OR coop::text = ANY (string_to_array(current_setting('market.scope', true), ',')) $$;
CREATE FUNCTION market_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION '% on % refused: rows are only added', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_SETUP)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("outbox_pkey")),
    )
    op.create_index("outbox_waiting", "outbox", ["id"], postgresql_where=sa.text("sent_at IS NULL"))
    op.create_table(
        "inbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("inbox_pkey")),
        sa.UniqueConstraint("source", "external_id", name=op.f("inbox_source_external_id_key")),
    )
    op.create_index("inbox_waiting", "inbox", ["id"], postgresql_where=sa.text("handled_at IS NULL"))
    op.create_table(
        "idempotency_key",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("input_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("idempotency_key_pkey")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("old", postgresql.JSONB(), nullable=True),
        sa.Column("new", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_entry_pkey")),
    )
    op.create_index("audit_entry_subject", "audit_entry", ["subject_kind", "subject_id", "id"])
    append_only("audit_entry")
    op.execute("ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY coop ON audit_entry FOR SELECT USING (market_sees(coop_id))")
    op.execute("CREATE POLICY anybody_writes ON audit_entry FOR INSERT WITH CHECK (true)")


def downgrade() -> None:
    """Take back; the role stays, it is shared by the databases of a server."""
    for table in ("audit_entry", "idempotency_key", "inbox", "outbox"):
        op.drop_table(table)
    op.execute("DROP FUNCTION market_refuse_change, market_sees")
    op.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM market_app")
    op.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM market_app")
    op.execute("REVOKE USAGE ON SCHEMA public FROM market_app")
