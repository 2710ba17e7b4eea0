"""Formats of statements beside camt.053: how a bank's CSV is read, what was announced, and rules that staff made."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.kit import enable_rls

revision = "0016_statement_formats"
down_revision = "0015_desks"

_TABLES = ("statement_interim_line", "statement_csv_format", "statement_booking_rule")
_FILE_COLUMNS = "code, format, balances, read_bytes, uploaded_by, uploaded_at"


def upgrade() -> None:
    """Apply."""
    op.add_column("statement_file", sa.Column("code", sa.Text(), nullable=True))
    op.add_column("statement_file", sa.Column("format", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column(
        "statement_file",
        sa.Column("balances", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
    )
    op.add_column("statement_file", sa.Column("read_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("statement_suggestion", sa.Column("account_code", sa.Text(), nullable=True))
    op.drop_constraint("statement_file_outcome_check", "statement_file")
    op.create_check_constraint(
        op.f("statement_file_outcome_check"),
        "statement_file",
        "outcome IN ('waiting', 'refused', 'draft', 'imported', 'discarded')",
    )
    _interim_line()
    _csv_format()
    _booking_rule()
    enable_rls(*_TABLES)
    op.execute(f"GRANT UPDATE ({_FILE_COLUMNS}) ON statement_file TO market_app")
    op.execute("GRANT UPDATE (parts) ON statement_line TO market_app")  # a notification may list what a batch holds
    changes = {
        "statement_interim_line": None,
        "statement_csv_format": "replaced_at",
        "statement_booking_rule": "confirmations, ended_by, ended_at, ended_reason",
    }
    for table, columns in changes.items():
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM market_app")
        if columns:
            op.execute(f"GRANT UPDATE ({columns}) ON {table} TO market_app")


def _interim_line() -> None:
    texts = ("bank_ref", "counterparty_name", "counterparty_account", "text")
    lists = ("refs", "creditor_refs", "batch_refs")
    op.create_table(
        "statement_interim_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("money_account_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("identity", sa.Uuid(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *(sa.Column(name, postgresql.ARRAY(sa.TEXT()), nullable=False) for name in lists),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("statement_interim_line_coop_id_fkey")),
        sa.ForeignKeyConstraint(["file_id"], ["statement_file.id"], name=op.f("statement_interim_line_file_id_fkey")),
        sa.ForeignKeyConstraint(
            ["money_account_id"], ["money_account.id"], name=op.f("statement_interim_line_money_account_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("statement_interim_line_pkey")),
        sa.UniqueConstraint(
            "money_account_id",
            "identity",
            "occurrence",
            name=op.f("statement_interim_line_money_account_id_identity_occurrence_key"),
        ),
    )
    op.create_index(op.f("statement_interim_line_coop_id_idx"), "statement_interim_line", ["coop_id"], unique=False)
    op.create_index(
        "statement_interim_line_expected", "statement_interim_line", ["money_account_id", "expected_on"], unique=False
    )


def _csv_format() -> None:
    op.create_table(
        "statement_csv_format",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("money_account_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("header", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("statement_csv_format_coop_id_fkey")),
        sa.ForeignKeyConstraint(
            ["money_account_id"], ["money_account.id"], name=op.f("statement_csv_format_money_account_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("statement_csv_format_pkey")),
    )
    op.create_index(op.f("statement_csv_format_coop_id_idx"), "statement_csv_format", ["coop_id"], unique=False)
    op.create_index(
        "statement_csv_format_live",
        "statement_csv_format",
        ["money_account_id", "fingerprint"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )


def _booking_rule() -> None:
    op.create_table(
        "statement_booking_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("money_account_id", sa.Uuid(), nullable=False),
        sa.Column("sign", sa.SmallInteger(), nullable=False),
        sa.Column("account_code", sa.Text(), nullable=False),
        sa.Column("counterparty_account", sa.Text(), nullable=False),
        sa.Column("counterparty_name", sa.Text(), nullable=False),
        sa.Column("words", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("max_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("confirmations", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("made_from", sa.Uuid(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("sign IN (-1, 1)", name=op.f("statement_booking_rule_sign_check")),
        sa.CheckConstraint(
            "counterparty_account <> '' OR counterparty_name <> '' OR cardinality(words) > 0",
            name=op.f("statement_booking_rule_conditions_check"),
        ),
        sa.CheckConstraint("max_minor > 0", name=op.f("statement_booking_rule_maximum_check")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("statement_booking_rule_ended_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("statement_booking_rule_coop_id_fkey")),
        sa.ForeignKeyConstraint(["made_from"], ["statement_line.id"], name=op.f("statement_booking_rule_made_from_fkey")),
        sa.ForeignKeyConstraint(
            ["money_account_id"], ["money_account.id"], name=op.f("statement_booking_rule_money_account_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("statement_booking_rule_pkey")),
    )
    op.create_index(op.f("statement_booking_rule_coop_id_idx"), "statement_booking_rule", ["coop_id"], unique=False)
    op.create_index(
        "statement_booking_rule_live",
        "statement_booking_rule",
        ["money_account_id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    """Take back."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.execute(f"REVOKE UPDATE ({_FILE_COLUMNS}) ON statement_file FROM market_app")
    op.execute("REVOKE UPDATE (parts) ON statement_line FROM market_app")
    op.drop_constraint("statement_file_outcome_check", "statement_file")
    op.create_check_constraint(
        op.f("statement_file_outcome_check"), "statement_file", "outcome IN ('refused', 'draft', 'imported', 'discarded')"
    )
    op.drop_column("statement_suggestion", "account_code")
    for column in ("read_bytes", "balances", "format", "code"):
        op.drop_column("statement_file", column)
