"""Credentials and counters of failed tries."""

import sqlalchemy as sa
from alembic import op

revision = "0005_login"
down_revision = "0004_producers"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "login_user",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("fs_uniquifier", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("email = lower(email)", name=op.f("login_user_email_folded_check")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("login_user_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("login_user_pkey")),
        sa.UniqueConstraint("account_id", name=op.f("login_user_account_id_key")),
        sa.UniqueConstraint("email", name=op.f("login_user_email_key")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("login_user_fs_uniquifier_key")),
    )
    op.create_table(
        "login_throttle",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("failures > 0", name=op.f("login_throttle_failures_check")),
        sa.PrimaryKeyConstraint("subject", name=op.f("login_throttle_pkey")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("login_throttle")
    op.drop_table("login_user")
