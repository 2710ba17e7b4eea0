"""Payout runs, payouts, their items, attempts, bank files, cash receipts and statements."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.kit import append_only, enable_rls

revision = "0012_payouts"
down_revision = "0011_orders"

_TABLES = ("payout_run", "payout_file", "payout", "payout_item", "payout_attempt", "cash_receipt", "payout_statement")
# What a person approved and what a bank or rail was told never changes; an attempt's outcome is written once.
_FIXED = """
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF number, coop_id, due_by, execute_on, totals, list_sha256, prepared_by
  ON payout_run FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF run_id, coop_id, currency, message_id, count, total_minor, sha256, body
  ON payout_file FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF run_id, coop_id, number, payee_id, rail, currency, gross_minor, deducted_minor,
  amount_minor, source_account, details, reference, idem_key, uetr ON payout FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF payout_id, payable_id, coop_id, amount_minor
  ON payout_item FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER released BEFORE UPDATE ON payout_item FOR EACH ROW WHEN (OLD.released_at IS NOT NULL)
  EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF payout_id, n, coop_id, action, key, request_hash, started_at
  ON payout_attempt FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER ended BEFORE UPDATE ON payout_attempt FOR EACH ROW WHEN (OLD.outcome IS NOT NULL)
  EXECUTE FUNCTION market_refuse_change();
"""


def upgrade() -> None:
    """Apply."""
    op.execute("CREATE SEQUENCE payout_number")
    op.execute("CREATE SEQUENCE payout_run_number")
    op.create_table(
        "payout_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("due_by", sa.Date(), nullable=False),
        sa.Column("execute_on", sa.Date(), nullable=False),
        sa.Column("totals", postgresql.JSONB(), nullable=False),
        sa.Column("skipped", postgresql.JSONB(), nullable=False),
        sa.Column("list_sha256", sa.Text(), nullable=False),
        sa.Column("prepared_by", sa.Text(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'approved') = (approved_by IS NOT NULL AND approved_at IS NOT NULL)", name=op.f("payout_run_approved_check")
        ),
        sa.CheckConstraint("list_sha256 ~ '^[0-9a-f]{64}$'", name=op.f("payout_run_list_sha256_check")),
        sa.CheckConstraint("state IN ('draft', 'approved', 'cancelled')", name=op.f("payout_run_state_check")),
        sa.CheckConstraint("approved_by <> prepared_by", name=op.f("payout_run_four_eyes_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("payout_run_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("payout_run_pkey")),
        sa.UniqueConstraint("number", name=op.f("payout_run_number_key")),
    )
    op.create_index(op.f("payout_run_coop_id_idx"), "payout_run", ["coop_id"], unique=False)
    op.create_index("payout_run_newest", "payout_run", ["coop_id", "number"], unique=False)
    op.create_table(
        "payout_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.Text(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("sha256 = encode(sha256(body), 'hex')", name=op.f("payout_file_sha256_check")),
        sa.CheckConstraint("(submitted_by IS NULL) = (submitted_at IS NULL)", name=op.f("payout_file_submitted_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("payout_file_coop_id_fkey")),
        sa.ForeignKeyConstraint(["run_id"], ["payout_run.id"], name=op.f("payout_file_run_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("payout_file_pkey")),
        sa.UniqueConstraint("message_id", name=op.f("payout_file_message_id_key")),
        sa.UniqueConstraint("run_id", "currency", name=op.f("payout_file_run_id_currency_key")),
    )
    op.create_index(op.f("payout_file_coop_id_idx"), "payout_file", ["coop_id"], unique=False)
    op.create_table(
        "payout",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=False),
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("deducted_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("source_account", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("uetr", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("first_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_ref", sa.Text(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(state = 'settled') <= (settled_on IS NOT NULL)", name=op.f("payout_settled_check")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("payout_currency_check")),
        sa.CheckConstraint("lease_token IS NULL OR state = 'sending'", name=op.f("payout_lease_check")),
        sa.CheckConstraint("rail IN ('sepa', 'stripe', 'cash')", name=op.f("payout_rail_check")),
        sa.CheckConstraint(
            "state IN ('draft', 'approved', 'queued', 'sending', 'sent', 'unknown', 'needs_person', 'settled', 'failed', 'cancelled', 'returned')",
            name=op.f("payout_state_check"),
        ),
        sa.CheckConstraint(
            "amount_minor > 0 AND deducted_minor >= 0 AND gross_minor = amount_minor + deducted_minor",
            name=op.f("payout_amounts_check"),
        ),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("payout_coop_id_fkey")),
        sa.ForeignKeyConstraint(["file_id"], ["payout_file.id"], name=op.f("payout_file_id_fkey")),
        sa.ForeignKeyConstraint(["payee_id"], ["producer.id"], name=op.f("payout_payee_id_fkey")),
        sa.ForeignKeyConstraint(["run_id"], ["payout_run.id"], name=op.f("payout_run_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("payout_pkey")),
        sa.UniqueConstraint("idem_key", name=op.f("payout_idem_key_key")),
        sa.UniqueConstraint("number", name=op.f("payout_number_key")),
        sa.UniqueConstraint("rail", "provider_ref", name=op.f("payout_rail_provider_ref_key")),
        sa.UniqueConstraint("reference", name=op.f("payout_reference_key")),
        sa.UniqueConstraint("uetr", name=op.f("payout_uetr_key")),
    )
    op.create_index(op.f("payout_coop_id_idx"), "payout", ["coop_id"], unique=False)
    op.create_index(
        "payout_in_transit",
        "payout",
        ["coop_id", "currency"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'sending', 'sent', 'unknown', 'needs_person')"),
    )
    op.create_index("payout_of_payee", "payout", ["payee_id", "number"], unique=False)
    op.create_index("payout_of_run", "payout", ["run_id", "number"], unique=False)
    op.create_index("payout_wake", "payout", ["wake_at"], unique=False, postgresql_where=sa.text("wake_at IS NOT NULL"))
    op.create_table(
        "payout_item",
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("payable_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("payout_item_amount_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("payout_item_coop_id_fkey")),
        sa.ForeignKeyConstraint(["payable_id"], ["payable.id"], name=op.f("payout_item_payable_id_fkey")),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name=op.f("payout_item_payout_id_fkey")),
        sa.PrimaryKeyConstraint("payout_id", "payable_id", name=op.f("payout_item_pkey")),
    )
    op.create_index(op.f("payout_item_coop_id_idx"), "payout_item", ["coop_id"], unique=False)
    op.create_index(
        "payout_item_live", "payout_item", ["payable_id"], unique=True, postgresql_where=sa.text("released_at IS NULL")
    )
    op.create_table(
        "payout_attempt",
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.SmallInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("action IN ('send', 'ask')", name=op.f("payout_attempt_action_check")),
        sa.CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name=op.f("payout_attempt_ended_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("payout_attempt_coop_id_fkey")),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name=op.f("payout_attempt_payout_id_fkey")),
        sa.PrimaryKeyConstraint("payout_id", "n", name=op.f("payout_attempt_pkey")),
    )
    op.create_index(op.f("payout_attempt_coop_id_idx"), "payout_attempt", ["coop_id"], unique=False)
    op.create_table(
        "cash_receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("cashier", sa.Text(), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=False),
        sa.Column("signed", sa.Text(), nullable=False),
        sa.Column("witness", sa.Text(), nullable=True),
        sa.Column("mandate", sa.Text(), nullable=True),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("signed <> 'thumb' OR witness IS NOT NULL", name=op.f("cash_receipt_witness_check")),
        sa.CheckConstraint("signed IN ('signature', 'thumb')", name=op.f("cash_receipt_signed_check")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("cash_receipt_amount_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("cash_receipt_coop_id_fkey")),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name=op.f("cash_receipt_payout_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("cash_receipt_pkey")),
        sa.UniqueConstraint("coop_id", "number", name=op.f("cash_receipt_coop_id_number_key")),
        sa.UniqueConstraint("payout_id", name=op.f("cash_receipt_payout_id_key")),
    )
    op.create_index(op.f("cash_receipt_coop_id_idx"), "cash_receipt", ["coop_id"], unique=False)
    op.create_table(
        "payout_statement",
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("sha256 = encode(sha256(body), 'hex')", name=op.f("payout_statement_sha256_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("payout_statement_coop_id_fkey")),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name=op.f("payout_statement_payout_id_fkey")),
        sa.PrimaryKeyConstraint("payout_id", name=op.f("payout_statement_pkey")),
    )
    op.create_index(op.f("payout_statement_coop_id_idx"), "payout_statement", ["coop_id"], unique=False)
    enable_rls(*_TABLES)
    append_only("cash_receipt", "payout_statement")
    op.execute(_FIXED)


def downgrade() -> None:
    """Take back."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.execute("DROP SEQUENCE payout_number, payout_run_number")
