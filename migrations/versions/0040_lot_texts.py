"""Names of lots in several languages, by the people themselves."""

from alembic import op

revision = "0040_lot_texts"
down_revision = "0039_split_proposal"

_CHECK = "own_text_subject_kind_check"


def upgrade() -> None:
    """Apply."""
    op.drop_constraint(op.f(_CHECK), "own_text")
    op.create_check_constraint(op.f(_CHECK), "own_text", "subject_kind IN ('coop', 'producer', 'listing', 'lot')")


def downgrade() -> None:
    """Take back."""
    op.execute("DELETE FROM own_text WHERE subject_kind = 'lot'")
    op.drop_constraint(op.f(_CHECK), "own_text")
    op.create_check_constraint(op.f(_CHECK), "own_text", "subject_kind IN ('coop', 'producer', 'listing')")
