"""Earnings beside sales: deliveries, advances, holds, corrections, distributions; payables may be held or netted."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import append_only, enable_rls

revision = "0018_earnings"
down_revision = "0017_on_behalf"


_STATES = "state IN ('open', 'taken', 'scheduled', 'paid', 'split', 'refunded'{more})"
_TAKEN = "(state IN ('taken', 'scheduled', 'paid'{more})) = (taken_by IS NOT NULL)"
_OWN = ("distribution", "advance", "weigh_slip", "payable_hold", "payable_correction", "advance_recovery", "distribution_share")


def _payable_checks(more: str) -> None:
    for name, rule in (("payable_state_check", _STATES), ("payable_taken_check", _TAKEN)):
        op.drop_constraint(op.f(name), "payable", type_="check")
        op.create_check_constraint(op.f(name), "payable", rule.format(more=more))


def upgrade() -> None:
    """Apply."""
    _payable_checks(", 'held', 'netted'")
    op.create_table(
        "distribution",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("cash_percent", sa.Numeric(precision=7, scale=4), nullable=False),
        sa.Column("minutes", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'proposed'"), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name=op.f("distribution_decided_check"),
        ),
        sa.CheckConstraint("kind IN ('second_payment', 'patronage')", name=op.f("distribution_kind_check")),
        sa.CheckConstraint("pool ~ '^[A-Za-z0-9_-]{1,40}$'", name=op.f("distribution_pool_check")),
        sa.CheckConstraint("state IN ('proposed', 'booked', 'declined')", name=op.f("distribution_state_check")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("distribution_amount_check")),
        sa.CheckConstraint("cash_percent BETWEEN 0 AND 100", name=op.f("distribution_cash_check")),
        sa.CheckConstraint("decided_by <> proposed_by", name=op.f("distribution_four_eyes_check")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("distribution_days_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("distribution_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("distribution_pkey")),
        sa.UniqueConstraint("coop_id", "kind", "name", name=op.f("distribution_coop_id_kind_name_key")),
    )
    op.create_index(op.f("distribution_coop_id_idx"), "distribution", ["coop_id"], unique=False)
    op.create_table(
        "advance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("recovered_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("cap_percent", sa.Numeric(precision=7, scale=4), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'proposed'"), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name=op.f("advance_decided_check"),
        ),
        sa.CheckConstraint("(state = 'recovered') = (recovered_minor = amount_minor)", name=op.f("advance_recovered_check")),
        sa.CheckConstraint("state IN ('proposed', 'granted', 'recovered', 'declined')", name=op.f("advance_state_check")),
        sa.CheckConstraint("amount_minor > 0 AND recovered_minor BETWEEN 0 AND amount_minor", name=op.f("advance_amount_check")),
        sa.CheckConstraint("cap_percent BETWEEN 0 AND 100", name=op.f("advance_cap_check")),
        sa.CheckConstraint("decided_by <> proposed_by", name=op.f("advance_four_eyes_check")),
        sa.CheckConstraint("priority BETWEEN 1 AND 9", name=op.f("advance_priority_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("advance_coop_id_fkey")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f("advance_producer_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("advance_pkey")),
    )
    op.create_index(op.f("advance_coop_id_idx"), "advance", ["coop_id"], unique=False)
    op.create_index(
        "advance_open", "advance", ["producer_id", "priority"], unique=False, postgresql_where=sa.text("state = 'granted'")
    )
    op.create_table(
        "weigh_slip",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sa.Uuid(), nullable=False),
        sa.Column("slip", sa.Text(), nullable=False),
        sa.Column("delivered_on", sa.Date(), nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("gross", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("tare", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("rejected", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("deduction", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("pool ~ '^[A-Za-z0-9_-]{1,40}$'", name=op.f("weigh_slip_pool_check")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("weigh_slip_amount_check")),
        sa.CheckConstraint("deduction >= 0 AND unit_price > deduction", name=op.f("weigh_slip_price_check")),
        sa.CheckConstraint("tare >= 0 AND rejected >= 0 AND gross > tare + rejected", name=op.f("weigh_slip_weights_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("weigh_slip_coop_id_fkey")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f("weigh_slip_producer_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("weigh_slip_pkey")),
        sa.UniqueConstraint("coop_id", "slip", name=op.f("weigh_slip_coop_id_slip_key")),
    )
    op.create_index(op.f("weigh_slip_coop_id_idx"), "weigh_slip", ["coop_id"], unique=False)
    op.create_index("weigh_slip_producer", "weigh_slip", ["producer_id", "delivered_on"], unique=False)
    op.create_table(
        "distribution_share",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("distribution_id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sa.Uuid(), nullable=False),
        sa.Column("weight", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("cash_minor", sa.BigInteger(), nullable=False),
        sa.Column("retained_minor", sa.BigInteger(), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "weight >= 0 AND cash_minor >= 0 AND retained_minor >= 0", name=op.f("distribution_share_parts_check")
        ),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("distribution_share_coop_id_fkey")),
        sa.ForeignKeyConstraint(["distribution_id"], ["distribution.id"], name=op.f("distribution_share_distribution_id_fkey")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f("distribution_share_producer_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("distribution_share_pkey")),
        sa.UniqueConstraint("distribution_id", "producer_id", name=op.f("distribution_share_distribution_id_producer_id_key")),
    )
    op.create_index(op.f("distribution_share_coop_id_idx"), "distribution_share", ["coop_id"], unique=False)
    op.create_table(
        "payable_correction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'proposed'"), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name=op.f("payable_correction_decided_check"),
        ),
        sa.CheckConstraint("state IN ('proposed', 'booked', 'declined')", name=op.f("payable_correction_state_check")),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("payable_correction_amount_check")),
        sa.CheckConstraint("decided_by <> proposed_by", name=op.f("payable_correction_four_eyes_check")),
        sa.CheckConstraint("length(reason) >= 3", name=op.f("payable_correction_reason_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("payable_correction_coop_id_fkey")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f("payable_correction_producer_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("payable_correction_pkey")),
    )
    op.create_index(op.f("payable_correction_coop_id_idx"), "payable_correction", ["coop_id"], unique=False)
    op.create_table(
        "payable_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("appeal", sa.Text(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("source_kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(ended_by IS NULL) = (ended_at IS NULL)", name=op.f("payable_hold_ended_check")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("payable_hold_amount_check")),
        sa.CheckConstraint("length(reason) >= 3 AND length(appeal) >= 3", name=op.f("payable_hold_words_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("payable_hold_coop_id_fkey")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f("payable_hold_producer_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("payable_hold_pkey")),
        sa.UniqueConstraint(
            "coop_id",
            "source_kind",
            "source_id",
            "producer_id",
            name=op.f("payable_hold_coop_id_source_kind_source_id_producer_id_key"),
        ),
    )
    op.create_index(op.f("payable_hold_coop_id_idx"), "payable_hold", ["coop_id"], unique=False)
    op.create_index("payable_hold_open", "payable_hold", ["ends_on"], unique=False, postgresql_where=sa.text("ended_at IS NULL"))
    op.create_table(
        "advance_recovery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("advance_id", sa.Uuid(), nullable=False),
        sa.Column("payable_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("recovered_on", sa.Date(), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("advance_recovery_amount_check")),
        sa.ForeignKeyConstraint(["advance_id"], ["advance.id"], name=op.f("advance_recovery_advance_id_fkey")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("advance_recovery_coop_id_fkey")),
        sa.ForeignKeyConstraint(["payable_id"], ["payable.id"], name=op.f("advance_recovery_payable_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("advance_recovery_pkey")),
        sa.UniqueConstraint("advance_id", "payable_id", name=op.f("advance_recovery_advance_id_payable_id_key")),
    )
    op.create_index(op.f("advance_recovery_coop_id_idx"), "advance_recovery", ["coop_id"], unique=False)
    enable_rls(*_OWN)
    append_only("weigh_slip", "advance_recovery", "distribution_share")


def downgrade() -> None:
    """Take back."""
    for table in reversed(_OWN):
        op.drop_table(table)
    _payable_checks("")
