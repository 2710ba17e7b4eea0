"""What staff keep for their own work, and the order in which their lists are read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.kit import enable_rls

revision = "0015_desks"
down_revision = "0014_notifications"
_WORTH = "(goods_minor + premium_minor + charges_minor + tax_minor)"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 60 AND length(query) <= 1000", name=op.f("saved_view_lengths_check")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("saved_view_account_id_fkey")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("saved_view_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("saved_view_pkey")),
        sa.UniqueConstraint("account_id", "coop_id", "desk", "name", name=op.f("saved_view_account_id_coop_id_desk_name_key")),
    )
    op.create_table(
        "assignment",
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("assignment_account_id_fkey")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("assignment_coop_id_fkey")),
        sa.PrimaryKeyConstraint("coop_id", "subject_kind", "subject_id", name=op.f("assignment_pkey")),
    )
    op.create_table(
        "report_job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'cancelled', 'failed')", name=op.f("report_job_state_check")),
        sa.CheckConstraint("(state = 'done') = (body IS NOT NULL)", name=op.f("report_job_body_check")),
        sa.CheckConstraint("done >= 0 AND total >= 0", name=op.f("report_job_progress_check")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("report_job_account_id_fkey")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("report_job_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("report_job_pkey")),
    )
    for table in ("saved_view", "assignment", "report_job"):
        op.create_index(op.f(f"{table}_coop_id_idx"), table, ["coop_id"], unique=False)
    op.create_index(op.f("assignment_account_id_idx"), "assignment", ["account_id"], unique=False)
    op.create_index("report_job_of_person", "report_job", ["account_id", "id"], unique=False)
    op.create_table(
        "site_switch",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("site_switch_one_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("site_switch_pkey")),
    )
    enable_rls("saved_view", "assignment", "report_job")
    op.create_index("seller_order_newest", "seller_order", ["coop_id", "placed_at", "id"], unique=False)
    op.create_index("seller_order_by_state", "seller_order", ["coop_id", "state", "placed_at", "id"], unique=False)
    op.create_index(
        "orders_by_buyer",
        "orders",
        [sa.text("to_tsvector('simple'::regconfig, (name || ' '::text) || email)")],
        unique=False,
        postgresql_using="gin",
    )
    op.create_index(
        "statement_line_by_name",
        "statement_line",
        [sa.text("to_tsvector('simple'::regconfig, counterparty_name)")],
        unique=False,
        postgresql_using="gin",
    )
    op.create_index("statement_line_by_amount", "statement_line", ["coop_id", sa.text("abs(amount_minor)")], unique=False)
    op.create_index("seller_order_by_amount", "seller_order", ["coop_id", sa.text(_WORTH)], unique=False)
    op.create_index("audit_entry_of_coop", "audit_entry", ["coop_id", "id"], unique=False)
    op.add_column(
        "notification", sa.Column("coop_ids", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False)
    )
    op.create_index("notification_of_coop", "notification", ["coop_ids"], unique=False, postgresql_using="gin")
    op.create_index("refund_newest", "refund", ["coop_id", "number"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_column("notification", "coop_ids")
    op.drop_index("refund_newest", table_name="refund")
    op.drop_index("seller_order_by_amount", table_name="seller_order")
    op.drop_index("statement_line_by_amount", table_name="statement_line")
    op.drop_index("statement_line_by_name", table_name="statement_line")
    op.drop_index("audit_entry_of_coop", table_name="audit_entry")
    op.drop_index("orders_by_buyer", table_name="orders")
    op.drop_index("seller_order_by_state", table_name="seller_order")
    op.drop_index("seller_order_newest", table_name="seller_order")
    for table in ("site_switch", "report_job", "assignment", "saved_view"):
        op.drop_table(table)
