"""A match names its posting by its key, so that writing it needs no second statement; an index that another covers goes."""

import sqlalchemy as sa
from alembic import op

revision = "0041_match_posting"
down_revision = "0040_lot_texts"


def upgrade() -> None:
    """Apply."""
    op.drop_column("statement_match", "transaction_id")
    op.drop_index("statement_line_coop_id_idx", "statement_line")


def downgrade() -> None:
    """Take back: the key of the posting says which it was."""
    op.create_index("statement_line_coop_id_idx", "statement_line", ["coop_id"])
    op.add_column("statement_match", sa.Column("transaction_id", sa.BigInteger(), nullable=True))
    op.execute("UPDATE statement_match m SET transaction_id = t.id FROM ledger_transaction t WHERE t.idem_key = 'match:' || m.id")
