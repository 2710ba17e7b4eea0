"""Co-ops, producers, members, payee accounts, certificates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.kit import enable_rls

revision = "0004_producers"
down_revision = "0003_ledger"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "coop",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.CHAR(length=2), nullable=False),
        sa.Column("region", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("time_zone", sa.Text(), server_default=sa.text("'UTC'"), nullable=False),
        sa.Column("language", sa.Text(), server_default=sa.text("'en'"), nullable=False),
        sa.Column("story", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("service_pct", sa.Numeric(precision=7, scale=4), server_default=sa.text("0"), nullable=False),
        sa.Column("payment_pct", sa.Numeric(precision=7, scale=4), server_default=sa.text("0"), nullable=False),
        sa.Column("tax_pct", sa.Numeric(precision=7, scale=4), server_default=sa.text("0"), nullable=False),
        sa.Column("transport_minor_per_line", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("account_holder", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("iban", sa.Text(), nullable=True),
        sa.Column("bic", sa.Text(), nullable=True),
        sa.Column("street", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("building", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("town", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("postcode", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("latitude", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("longitude", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=op.f("coop_country_check")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("coop_currency_check")),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("coop_slug_check")),
        sa.CheckConstraint(
            "service_pct BETWEEN 0 AND 100 AND payment_pct BETWEEN 0 AND 100 AND tax_pct BETWEEN 0 AND 100",
            name=op.f("coop_percentages_check"),
        ),
        sa.CheckConstraint("transport_minor_per_line >= 0", name=op.f("coop_transport_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("coop_pkey")),
        sa.UniqueConstraint("slug", name=op.f("coop_slug_key")),
    )
    op.create_table(
        "producer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("story", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("language", sa.Text(), server_default=sa.text("'en'"), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("sms_phone", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("producer_slug_check")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("producer_account_id_fkey")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("producer_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("producer_pkey")),
        sa.UniqueConstraint("account_id", "coop_id", name=op.f("producer_account_id_coop_id_key")),
        sa.UniqueConstraint("slug", name=op.f("producer_slug_key")),
    )
    op.create_index(op.f("producer_coop_id_idx"), "producer", ["coop_id"], unique=False)
    op.create_table(
        "certificate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sa.Uuid(), nullable=True),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("product_scope", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'entered'"), nullable=False),
        sa.Column("checked_by", sa.Text(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('trade', 'organic', 'other')", name=op.f("certificate_kind_check")),
        sa.CheckConstraint("status IN ('entered', 'active', 'suspended', 'withdrawn')", name=op.f("certificate_status_check")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("certificate_days_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("certificate_coop_id_fkey")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f("certificate_producer_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("certificate_pkey")),
        sa.UniqueConstraint("coop_id", "scheme", "number", name=op.f("certificate_coop_id_scheme_number_key")),
    )
    op.create_index(op.f("certificate_coop_id_idx"), "certificate", ["coop_id"], unique=False)
    op.create_table(
        "member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("joined_on", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("left_on >= joined_on", name=op.f("member_days_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("member_coop_id_fkey")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f("member_producer_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("member_pkey")),
        sa.UniqueConstraint("coop_id", "number", name=op.f("member_coop_id_number_key")),
    )
    op.create_index(op.f("member_coop_id_idx"), "member", ["coop_id"], unique=False)
    op.create_index("member_current", "member", ["producer_id"], unique=True, postgresql_where=sa.text("left_on IS NULL"))
    op.create_table(
        "payee_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sa.Uuid(), nullable=False),
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=True),
        sa.Column("bic", sa.Text(), nullable=True),
        sa.Column("stripe_account", sa.Text(), nullable=True),
        sa.Column("street", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("building", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("town", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("postcode", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("country", sa.CHAR(length=2), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(rail = 'sepa') = (iban IS NOT NULL)", name=op.f("payee_account_iban_check")),
        sa.CheckConstraint("(rail = 'stripe') = (stripe_account IS NOT NULL)", name=op.f("payee_account_stripe_check")),
        sa.CheckConstraint("rail IN ('sepa', 'stripe', 'cash')", name=op.f("payee_account_rail_check")),
        sa.CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name=op.f("payee_account_confirmed_check")),
        sa.CheckConstraint("confirmed_by <> entered_by", name=op.f("payee_account_four_eyes_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("payee_account_coop_id_fkey")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f("payee_account_producer_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("payee_account_pkey")),
    )
    op.create_index(op.f("payee_account_coop_id_idx"), "payee_account", ["coop_id"], unique=False)
    op.create_index(
        "payee_account_live",
        "payee_account",
        ["producer_id", "currency"],
        unique=True,
        postgresql_where=sa.text("confirmed_at IS NOT NULL AND replaced_at IS NULL"),
    )
    op.create_index(op.f("payee_account_producer_id_idx"), "payee_account", ["producer_id"], unique=False)
    enable_rls("producer", "member", "payee_account", "certificate")


def downgrade() -> None:
    """Take back."""
    op.drop_table("payee_account")
    op.drop_table("member")
    op.drop_table("certificate")
    op.drop_table("producer")
    op.drop_table("coop")
