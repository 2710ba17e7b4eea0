"""The days of the books find their bookings."""

from alembic import op

revision = "0060_days_of_the_books"
down_revision = "0059_untaken"


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ledger_transaction_effective_on",
        "ledger_transaction",
        ["effective_on"],
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 32},
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("ledger_transaction_effective_on", "ledger_transaction")
