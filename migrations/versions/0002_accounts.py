"""People, their roles, API keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_accounts"
down_revision = "0001_kernel"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("locale", sa.Text(), server_default=sa.text("'en'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("locale ~ '^[a-z]{2}(-[A-Z]{2})?$'", name=op.f("account_locale_check")),
        sa.CheckConstraint("email = lower(email)", name=op.f("account_email_folded_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("account_pkey")),
        sa.UniqueConstraint("email", name=op.f("account_email_key")),
    )
    op.create_table(
        "account_role",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=True),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(role = 'admin') = (coop_id IS NULL)", name=op.f("account_role_scope_check")),
        sa.CheckConstraint("role IN ('preparer', 'approver', 'admin')", name=op.f("account_role_role_check")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("account_role_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("account_role_pkey")),
    )
    op.create_index(
        "account_role_once", "account_role", ["account_id", "role", "coop_id"], unique=True, postgresql_nulls_not_distinct=True
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("expires_at > created_at", name=op.f("api_key_expires_check")),
        sa.CheckConstraint("octet_length(secret_hash) = 32", name=op.f("api_key_secret_hash_check")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("api_key_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("api_key_pkey")),
        sa.UniqueConstraint("prefix", name=op.f("api_key_prefix_key")),
    )
    op.create_index(op.f("api_key_account_id_idx"), "api_key", ["account_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_table("api_key")
    op.drop_table("account_role")
    op.drop_table("account")
