"""Payments, their parts, refunds, bank transfers in, and the card processor's statement."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0008_payments"
down_revision = "0007_pricing"

# A refund counts on its part and on its payment in the statement that inserts it; their CHECKs refuse too much,
# whoever inserts it and from wherever.
_REFUNDS = """
CREATE FUNCTION refund_count() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  UPDATE payment SET refunded_minor = refunded_minor + NEW.amount_minor WHERE id = NEW.payment_id;
  IF NEW.kind <> 'surplus' THEN
    UPDATE payment_part SET refunded_goods_minor = refunded_goods_minor + NEW.goods_minor,
      refunded_premium_minor = refunded_premium_minor + NEW.premium_minor,
      refunded_charges_minor = refunded_charges_minor + NEW.charges_minor, refunded_tax_minor = refunded_tax_minor + NEW.tax_minor
      WHERE payment_id = NEW.payment_id AND subject_id = NEW.subject_id AND coop_id = NEW.coop_id AND currency = NEW.currency;
    IF NOT FOUND THEN RAISE EXCEPTION 'refund of a part that was not paid' USING ERRCODE = 'check_violation'; END IF;
  END IF;
  RETURN NULL; END $$;
CREATE TRIGGER count AFTER INSERT ON refund FOR EACH ROW EXECUTE FUNCTION refund_count();
CREATE FUNCTION refund_fixed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'DELETE' OR (OLD.id, OLD.payment_id, OLD.subject_id, OLD.kind, OLD.currency, OLD.amount_minor, OLD.goods_minor,
      OLD.premium_minor, OLD.charges_minor, OLD.tax_minor, OLD.idem_key) IS DISTINCT FROM (NEW.id, NEW.payment_id, NEW.subject_id,
      NEW.kind, NEW.currency, NEW.amount_minor, NEW.goods_minor, NEW.premium_minor, NEW.charges_minor, NEW.tax_minor, NEW.idem_key)
  THEN RAISE EXCEPTION 'a refund that was decided is fixed' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$;
CREATE TRIGGER fixed BEFORE UPDATE OR DELETE ON refund FOR EACH ROW EXECUTE FUNCTION refund_fixed();
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("received_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("payer_account_id", sa.Uuid(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("first_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checkout_id", sa.Text(), nullable=True),
        sa.Column("checkout_url", sa.Text(), nullable=True),
        sa.Column("intent_id", sa.Text(), nullable=True),
        sa.Column("charge_id", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state IN ('succeeded', 'surplus')) = (paid_at IS NOT NULL)", name=op.f("payment_paid_check")),
        sa.CheckConstraint("method IN ('card', 'transfer')", name=op.f("payment_method_check")),
        sa.CheckConstraint(
            "state IN ('created', 'requires_action', 'processing', 'awaiting_transfer', 'part_paid', 'succeeded', 'failed', 'expired', 'cancelled', 'surplus')",
            name=op.f("payment_state_check"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("payment_amount_check")),
        sa.CheckConstraint("number < 1000000000", name=op.f("payment_number_check")),
        sa.CheckConstraint(
            "received_minor >= 0 AND refunded_minor BETWEEN 0 AND received_minor", name=op.f("payment_refunds_check")
        ),
        sa.ForeignKeyConstraint(["payer_account_id"], ["account.id"], name=op.f("payment_payer_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("payment_pkey")),
        sa.UniqueConstraint("checkout_id", name=op.f("payment_checkout_id_key")),
        sa.UniqueConstraint("idem_key", name=op.f("payment_idem_key_key")),
        sa.UniqueConstraint("intent_id", name=op.f("payment_intent_id_key")),
        sa.UniqueConstraint("number", name=op.f("payment_number_key")),
    )
    op.create_index(
        "payment_one_live",
        "payment",
        ["subject_kind", "subject_id"],
        unique=True,
        postgresql_where=sa.text(
            "state IN ('awaiting_transfer', 'created', 'part_paid', 'processing', 'requires_action', 'succeeded')"
        ),
    )
    op.create_index(
        "payment_open",
        "payment",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('created', 'requires_action', 'processing', 'awaiting_transfer', 'part_paid')"),
    )
    op.create_index("payment_subject", "payment", ["subject_kind", "subject_id"], unique=False)
    op.create_index(
        "payment_unacknowledged",
        "payment",
        ["paid_at"],
        unique=False,
        postgresql_where=sa.text("paid_at IS NOT NULL AND acknowledged_at IS NULL"),
    )
    op.create_table(
        "payment_part",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("goods_minor", sa.BigInteger(), nullable=False),
        sa.Column("premium_minor", sa.BigInteger(), nullable=False),
        sa.Column("charges_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_goods_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refunded_premium_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refunded_charges_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refunded_tax_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("written_off_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("goods_minor + premium_minor + charges_minor + tax_minor > 0", name=op.f("payment_part_total_check")),
        sa.CheckConstraint(
            "refunded_charges_minor + written_off_minor <= charges_minor", name=op.f("payment_part_refunded_charges_check")
        ),
        sa.CheckConstraint("refunded_charges_minor >= 0 AND written_off_minor >= 0", name=op.f("payment_part_refunded_check")),
        sa.CheckConstraint("refunded_goods_minor BETWEEN 0 AND goods_minor", name=op.f("payment_part_refunded_goods_check")),
        sa.CheckConstraint(
            "refunded_premium_minor BETWEEN 0 AND premium_minor", name=op.f("payment_part_refunded_premium_check")
        ),
        sa.CheckConstraint("refunded_tax_minor BETWEEN 0 AND tax_minor", name=op.f("payment_part_refunded_tax_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("payment_part_coop_id_fkey")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("payment_part_payment_id_fkey")),
        sa.PrimaryKeyConstraint("payment_id", "subject_id", name=op.f("payment_part_pkey")),
    )
    op.create_index(op.f("payment_part_coop_id_idx"), "payment_part", ["coop_id"], unique=False)
    op.create_index("payment_part_subject", "payment_part", ["subject_id"], unique=False)
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("goods_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("premium_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("charges_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("bearer", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("first_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("provider_ref", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("bearer IN ('coop', 'producer', 'carrier')", name=op.f("refund_bearer_check")),
        sa.CheckConstraint(
            "kind = 'surplus' OR amount_minor = goods_minor + premium_minor + charges_minor + tax_minor",
            name=op.f("refund_sum_check"),
        ),
        sa.CheckConstraint("kind IN ('part', 'surplus', 'elsewhere')", name=op.f("refund_kind_check")),
        sa.CheckConstraint("method IN ('card', 'transfer')", name=op.f("refund_method_check")),
        sa.CheckConstraint(
            "state IN ('decided', 'unsure', 'pending', 'paid', 'failed', 'needs_person')", name=op.f("refund_state_check")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("refund_amount_check")),
        sa.CheckConstraint(
            "goods_minor >= 0 AND premium_minor >= 0 AND charges_minor >= 0 AND tax_minor >= 0",
            name=op.f("refund_components_check"),
        ),
        sa.CheckConstraint("number < 1000000000", name=op.f("refund_number_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("refund_coop_id_fkey")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("refund_payment_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("refund_pkey")),
        sa.UniqueConstraint("idem_key", name=op.f("refund_idem_key_key")),
        sa.UniqueConstraint("number", name=op.f("refund_number_key")),
        sa.UniqueConstraint("provider_ref", name=op.f("refund_provider_ref_key")),
    )
    op.create_index(op.f("refund_coop_id_idx"), "refund", ["coop_id"], unique=False)
    op.create_index("refund_payment", "refund", ["payment_id"], unique=False)
    op.create_index(
        "refund_to_send",
        "refund",
        ["next_try_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('decided', 'unsure', 'pending')"),
    )
    op.create_table(
        "transfer_receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("line_subject", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("became", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("transfer_receipt_amount_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("transfer_receipt_coop_id_fkey")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("transfer_receipt_payment_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("transfer_receipt_pkey")),
    )
    op.create_index(op.f("transfer_receipt_coop_id_idx"), "transfer_receipt", ["coop_id"], unique=False)
    op.create_index(
        "transfer_receipt_line", "transfer_receipt", ["line_subject"], unique=True, postgresql_where=sa.text("undone_at IS NULL")
    )
    op.create_index(op.f("transfer_receipt_payment_id_idx"), "transfer_receipt", ["payment_id"], unique=False)
    op.create_table(
        "processor_line",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("refund_id", sa.Text(), nullable=True),
        sa.Column("payout_id", sa.Text(), nullable=True),
        sa.Column("bank_payout", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'new'"), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('new', 'matched', 'unknown')", name=op.f("processor_line_state_check")),
        sa.CheckConstraint("net_minor = gross_minor - fee_minor", name=op.f("processor_line_net_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("processor_line_pkey")),
        sa.UniqueConstraint("subject", name=op.f("processor_line_subject_key")),
    )
    op.create_index("processor_line_source", "processor_line", ["source"], unique=False)
    op.create_index(
        "processor_line_waiting", "processor_line", ["booked_at"], unique=False, postgresql_where=sa.text("state <> 'matched'")
    )
    op.create_table(
        "processor_share",
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("processor_share_coop_id_fkey")),
        sa.ForeignKeyConstraint(["line_id"], ["processor_line.id"], name=op.f("processor_share_line_id_fkey")),
        sa.PrimaryKeyConstraint("line_id", "coop_id", name=op.f("processor_share_pkey")),
    )
    op.execute(_REFUNDS)
    enable_rls("payment_part", "refund", "transfer_receipt", "processor_share")


def downgrade() -> None:
    """Take back."""
    for table in ("processor_share", "processor_line", "transfer_receipt", "refund", "payment_part", "payment"):
        op.drop_table(table)
    op.execute("DROP FUNCTION refund_count")
    op.execute("DROP FUNCTION refund_fixed")
