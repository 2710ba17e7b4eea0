"""The floor price on a weigh slip, below which no advance is recovered."""

import sqlalchemy as sa
from alembic import op

revision = "0046_slip_floor"
down_revision = "0045_outbox_awaits"


def upgrade() -> None:
    """Apply."""
    op.add_column("weigh_slip", sa.Column("floor_price", sa.Numeric(18, 6), nullable=True))
    op.create_check_constraint(
        op.f("weigh_slip_floor_check"), "weigh_slip", "floor_price > 0 AND unit_price - deduction >= floor_price"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_constraint(op.f("weigh_slip_floor_check"), "weigh_slip")
    op.drop_column("weigh_slip", "floor_price")
