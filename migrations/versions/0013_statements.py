"""Bank accounts, statement files, lines, matches, suggestions and closes of periods."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.kit import enable_rls

revision = "0013_statements"
down_revision = "0012_payouts"

_TABLES = (
    "money_account", "statement_file", "statement", "statement_line", "statement_line_part", "statement_match",
    "statement_suggestion", "period_close",
)  # fmt: skip
# What a bank said and what was matched is history: the application may only add, decide and undo.
_MAY_CHANGE = {
    "statement_file": "outcome, reason, findings, new_lines, known_lines, provisional_lines, decided_by, decided_at",
    "statement_line": "state, matched_minor, question",
    "statement_match": "transaction_id, undone_by, undone_at, undone_reason",
    "period_close": "state, items, trial_balance, prepared_by, prepared_at, closed_by, closed_at",
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "money_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("mirror", sa.Text(), nullable=False),
        sa.Column("suspense", sa.Text(), nullable=False),
        sa.Column("known_fees", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("holds_premium", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("money_account_currency_check")),
        sa.CheckConstraint("mirror ~ '^bank:[0-9]+$' AND suspense ~ '^suspense:[0-9]+$'", name=op.f("money_account_codes_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("money_account_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("money_account_pkey")),
        sa.UniqueConstraint("coop_id", "iban", "currency", name=op.f("money_account_coop_id_iban_currency_key")),
        sa.UniqueConstraint("coop_id", "mirror", "currency", name=op.f("money_account_coop_id_mirror_currency_key")),
    )
    op.create_index(op.f("money_account_coop_id_idx"), "money_account", ["coop_id"], unique=False)
    op.create_table(
        "period_close",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("items", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("trial_balance", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("prepared_by", sa.Text(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_by IS NOT NULL AND closed_at IS NOT NULL)", name=op.f("period_close_closed_check")
        ),
        sa.CheckConstraint("state IN ('prepared', 'closed')", name=op.f("period_close_state_check")),
        sa.CheckConstraint("closed_by <> prepared_by", name=op.f("period_close_four_eyes_check")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("period_close_days_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("period_close_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("period_close_pkey")),
        sa.UniqueConstraint("coop_id", "ends_on", name=op.f("period_close_coop_id_ends_on_key")),
    )
    op.create_index(op.f("period_close_coop_id_idx"), "period_close", ["coop_id"], unique=False)
    op.create_table(
        "statement_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("money_account_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("body_zlib", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("new_lines", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("known_lines", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("provisional_lines", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(outcome = 'refused') = (reason IS NOT NULL)", name=op.f("statement_file_reason_check")),
        sa.CheckConstraint("outcome IN ('refused', 'draft', 'imported', 'discarded')", name=op.f("statement_file_outcome_check")),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("statement_file_sha256_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("statement_file_coop_id_fkey")),
        sa.ForeignKeyConstraint(["money_account_id"], ["money_account.id"], name=op.f("statement_file_money_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("statement_file_pkey")),
        sa.UniqueConstraint("money_account_id", "sha256", name=op.f("statement_file_money_account_id_sha256_key")),
    )
    op.create_index(op.f("statement_file_coop_id_idx"), "statement_file", ["coop_id"], unique=False)
    op.create_index("statement_file_newest", "statement_file", ["money_account_id", "uploaded_at"], unique=False)
    op.create_table(
        "statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("money_account_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("opening_minor", sa.BigInteger(), nullable=True),
        sa.Column("closing_minor", sa.BigInteger(), nullable=True),
        sa.Column("booked_minor", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("continues", sa.Boolean(), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("statement_coop_id_fkey")),
        sa.ForeignKeyConstraint(["file_id"], ["statement_file.id"], name=op.f("statement_file_id_fkey")),
        sa.ForeignKeyConstraint(["money_account_id"], ["money_account.id"], name=op.f("statement_money_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("statement_pkey")),
        sa.UniqueConstraint(
            "money_account_id",
            "number",
            "opening_minor",
            "closing_minor",
            name=op.f("statement_money_account_id_number_opening_minor_closing_minor_key"),
            postgresql_nulls_not_distinct=True,
        ),
        sa.UniqueConstraint("money_account_id", "position", name=op.f("statement_money_account_id_position_key")),
    )
    op.create_index(op.f("statement_coop_id_idx"), "statement", ["coop_id"], unique=False)
    op.create_table(
        "statement_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("money_account_id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("source_line", sa.Integer(), nullable=False),
        sa.Column("identity", sa.Uuid(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("value_on", sa.Date(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("bank_ref", sa.Text(), nullable=False),
        sa.Column("refs", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("creditor_refs", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("batch_refs", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("batch_count", sa.Integer(), nullable=False),
        sa.Column("counterparty_name", sa.Text(), nullable=False),
        sa.Column("counterparty_account", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("bank_code", sa.Text(), nullable=False),
        sa.Column("reversal", sa.Boolean(), nullable=False),
        sa.Column("returned", sa.Boolean(), nullable=False),
        sa.Column("return_reason", sa.Text(), nullable=False),
        sa.Column("charges_minor", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'new'"), nullable=False),
        sa.Column("matched_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(state = 'ignored') = (amount_minor = 0)", name=op.f("statement_line_ignored_check")),
        sa.CheckConstraint(
            "state <> 'matched' OR matched_minor = abs(amount_minor)", name=op.f("statement_line_explained_check")
        ),
        sa.CheckConstraint(
            "state IN ('new', 'suggested', 'matched', 'parked', 'ignored')", name=op.f("statement_line_state_check")
        ),
        sa.CheckConstraint("matched_minor BETWEEN 0 AND abs(amount_minor)", name=op.f("statement_line_matched_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("statement_line_coop_id_fkey")),
        sa.ForeignKeyConstraint(["money_account_id"], ["money_account.id"], name=op.f("statement_line_money_account_id_fkey")),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name=op.f("statement_line_statement_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("statement_line_pkey")),
        sa.UniqueConstraint(
            "money_account_id", "identity", "occurrence", name=op.f("statement_line_money_account_id_identity_occurrence_key")
        ),
        sa.UniqueConstraint("statement_id", "n", name=op.f("statement_line_statement_id_n_key")),
    )
    op.create_index(op.f("statement_line_coop_id_idx"), "statement_line", ["coop_id"], unique=False)
    op.create_index("statement_line_desk", "statement_line", ["money_account_id", "booked_on", "id"], unique=False)
    op.create_index(
        "statement_line_open",
        "statement_line",
        ["money_account_id", "booked_on", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('new', 'suggested', 'parked')"),
    )
    op.create_table(
        "statement_line_part",
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("refs", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("creditor_refs", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("batch_refs", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("counterparty_name", sa.Text(), nullable=False),
        sa.Column("counterparty_account", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("returned", sa.Boolean(), nullable=False),
        sa.Column("return_reason", sa.Text(), nullable=False),
        sa.Column("charges_minor", sa.BigInteger(), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("statement_line_part_coop_id_fkey")),
        sa.ForeignKeyConstraint(["line_id"], ["statement_line.id"], name=op.f("statement_line_part_line_id_fkey")),
        sa.PrimaryKeyConstraint("line_id", "n", name=op.f("statement_line_part_pkey")),
    )
    op.create_index(op.f("statement_line_part_coop_id_idx"), "statement_line_part", ["coop_id"], unique=False)
    op.create_table(
        "statement_match",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("target_kind", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=True),
        sa.Column("account_code", sa.Text(), nullable=True),
        sa.Column("line_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("matched_by", sa.Text(), nullable=False),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_reason", sa.Text(), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(target_kind = 'account') = (account_code IS NOT NULL)", name=op.f("statement_match_account_check")),
        sa.CheckConstraint("(target_kind = 'account') = (target_id IS NULL)", name=op.f("statement_match_target_check")),
        sa.CheckConstraint(
            "kind IN ('full', 'partial', 'fee', 'write_off', 'return', 'rest')", name=op.f("statement_match_kind_check")
        ),
        sa.CheckConstraint(
            "rule <> 'person' OR target_kind <> 'account' OR length(trim(reason)) >= 3", name=op.f("statement_match_reason_check")
        ),
        sa.CheckConstraint(
            "target_kind IN ('payout', 'payout_return', 'payment', 'refund', 'account')",
            name=op.f("statement_match_target_kind_check"),
        ),
        sa.CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name=op.f("statement_match_undone_check")),
        sa.CheckConstraint("line_minor > 0 AND fee_minor >= 0", name=op.f("statement_match_amounts_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("statement_match_coop_id_fkey")),
        sa.ForeignKeyConstraint(["line_id"], ["statement_line.id"], name=op.f("statement_match_line_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("statement_match_pkey")),
    )
    op.create_index(op.f("statement_match_coop_id_idx"), "statement_match", ["coop_id"], unique=False)
    op.create_index(
        "statement_match_live_payout",
        "statement_match",
        ["target_kind", "target_id"],
        unique=True,
        postgresql_where=sa.text("undone_at IS NULL AND target_kind IN ('payout', 'payout_return', 'refund')"),
    )
    op.create_index("statement_match_of_line", "statement_match", ["line_id"], unique=False)
    op.create_table(
        "statement_suggestion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("target_kind", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=True),
        sa.Column("line_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("dismissed_by", sa.Text(), nullable=True),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(dismissed_at IS NULL) = (dismissed_by IS NULL)", name=op.f("statement_suggestion_dismissed_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("statement_suggestion_coop_id_fkey")),
        sa.ForeignKeyConstraint(["line_id"], ["statement_line.id"], name=op.f("statement_suggestion_line_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("statement_suggestion_pkey")),
        sa.UniqueConstraint(
            "line_id",
            "part",
            "target_kind",
            "target_id",
            name=op.f("statement_suggestion_line_id_part_target_kind_target_id_key"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("statement_suggestion_coop_id_idx"), "statement_suggestion", ["coop_id"], unique=False)
    enable_rls(*_TABLES)
    for table, columns in _MAY_CHANGE.items():
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM market_app")
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO market_app")


def downgrade() -> None:
    """Take back."""
    for table in reversed(_TABLES):
        op.drop_table(table)
