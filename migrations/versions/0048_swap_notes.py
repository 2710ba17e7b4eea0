"""A credit note for goods that were replaced at the same price."""

import sqlalchemy as sa
from alembic import op

revision = "0048_swap_notes"
down_revision = "0047_explained"

OLD_CORRECTS = "(kind = 'credit_note') = (invoice_id IS NOT NULL AND refund_id IS NOT NULL)"
OLD_TOTAL = "total_minor > 0 AND total_minor = net_minor + tax_minor"
CAUSE = "num_nonnulls(refund_id, substitution_id) = (kind = 'credit_note')::int"
AMOUNT = "CASE WHEN substitution_id IS NULL THEN total_minor > 0 ELSE total_minor = 0 END"


def upgrade() -> None:
    """Apply."""
    op.add_column("invoice", sa.Column("substitution_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("invoice_substitution_id_fkey"), "invoice", "substitution", ["substitution_id"], ["id"])
    op.create_unique_constraint(op.f("invoice_substitution_id_key"), "invoice", ["substitution_id"])
    _checks(corrects="(kind = 'credit_note') = (invoice_id IS NOT NULL)", total="total_minor = net_minor + tax_minor")
    op.create_check_constraint(op.f("invoice_cause_check"), "invoice", CAUSE)
    op.create_check_constraint(op.f("invoice_amount_check"), "invoice", AMOUNT)


def downgrade() -> None:
    """Take back."""
    op.drop_constraint(op.f("invoice_amount_check"), "invoice")
    op.drop_constraint(op.f("invoice_cause_check"), "invoice")
    _checks(corrects=OLD_CORRECTS, total=OLD_TOTAL)
    op.drop_constraint(op.f("invoice_substitution_id_key"), "invoice")
    op.drop_constraint(op.f("invoice_substitution_id_fkey"), "invoice")
    op.drop_column("invoice", "substitution_id")


def _checks(**checks: str) -> None:
    for name, condition in checks.items():
        op.drop_constraint(op.f(f"invoice_{name}_check"), "invoice")
        op.create_check_constraint(op.f(f"invoice_{name}_check"), "invoice", condition)
