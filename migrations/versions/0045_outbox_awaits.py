"""Which tasks of an announced fact are not done yet: the broker may forget what it took."""

import sqlalchemy as sa
from alembic import op

revision = "0045_outbox_awaits"
down_revision = "0044_scope_once"


def upgrade() -> None:
    """Apply. What was handed over before has no such list, and counts as done."""
    op.add_column("outbox", sa.Column("awaits", sa.ARRAY(sa.Text()), nullable=True))
    where = sa.text("sent_at IS NOT NULL AND cardinality(awaits) > 0")
    op.create_index("outbox_under_way", "outbox", ["sent_at"], postgresql_where=where)


def downgrade() -> None:
    """Take back."""
    op.drop_index("outbox_under_way", table_name="outbox")
    op.drop_column("outbox", "awaits")
