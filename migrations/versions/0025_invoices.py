"""Invoices and credit notes: series without gaps, frozen documents, their prints."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.kit import append_only, enable_rls

revision = "0025_invoices"
down_revision = "0024_desk_amounts"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "document_series",
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("last >= 0", name=op.f("document_series_last_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("document_series_coop_id_fkey")),
        sa.PrimaryKeyConstraint("coop_id", "kind", "year", name=op.f("document_series_pkey")),
    )
    op.create_table(
        "invoice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("facts_sha256", sa.Text(), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('invoice', 'credit_note')", name=op.f("invoice_kind_check")),
        sa.CheckConstraint(
            "(kind = 'credit_note') = (invoice_id IS NOT NULL AND refund_id IS NOT NULL)", name=op.f("invoice_corrects_check")
        ),
        sa.CheckConstraint("total_minor > 0 AND total_minor = net_minor + tax_minor", name=op.f("invoice_total_check")),
        sa.CheckConstraint("year = extract(year FROM issued_on)", name=op.f("invoice_year_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("invoice_coop_id_fkey")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("invoice_order_id_fkey")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("invoice_invoice_id_fkey")),
        sa.ForeignKeyConstraint(["refund_id"], ["refund.id"], name=op.f("invoice_refund_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("invoice_pkey")),
        sa.UniqueConstraint("coop_id", "kind", "year", "number", name=op.f("invoice_coop_id_kind_year_number_key")),
        sa.UniqueConstraint("refund_id", name=op.f("invoice_refund_id_key")),
    )
    op.create_index(op.f("invoice_coop_id_idx"), "invoice", ["coop_id"])
    op.create_index(op.f("invoice_order_id_idx"), "invoice", ["order_id"])
    op.create_index(op.f("invoice_invoice_id_idx"), "invoice", ["invoice_id"])
    op.create_index(
        "invoice_one_per_order", "invoice", ["order_id", "coop_id"], unique=True, postgresql_where=sa.text("kind = 'invoice'")
    )
    op.create_table(
        "invoice_print",
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("sha256 = encode(sha256(body), 'hex')", name=op.f("invoice_print_sha256_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("invoice_print_coop_id_fkey")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("invoice_print_invoice_id_fkey")),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("invoice_print_pkey")),
    )
    op.create_index(op.f("invoice_print_coop_id_idx"), "invoice_print", ["coop_id"])
    enable_rls("document_series", "invoice", "invoice_print")
    append_only("invoice", "invoice_print")


def downgrade() -> None:
    """Take back."""
    op.drop_table("invoice_print")
    op.drop_table("invoice")
    op.drop_table("document_series")
