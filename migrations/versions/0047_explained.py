"""What a person said of a processor's line, so that it can be taken back alone."""

import sqlalchemy as sa
from alembic import op

revision = "0047_explained"
down_revision = "0046_slip_floor"


def upgrade() -> None:
    """Apply."""
    op.add_column("processor_line", sa.Column("explained_as", sa.Text(), nullable=True))
    op.add_column("processor_line", sa.Column("explained", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(
        op.f("processor_line_explained_check"),
        "processor_line",
        "explained_as IS NULL OR (state = 'matched' AND explained > 0)",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_constraint(op.f("processor_line_explained_check"), "processor_line")
    op.drop_column("processor_line", "explained")
    op.drop_column("processor_line", "explained_as")
