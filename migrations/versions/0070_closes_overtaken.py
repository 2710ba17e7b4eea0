"""Closes that waited for their second person while a later period was closed: they are over, and stand in nobody's way."""

from alembic import op

revision = "0070_closes_overtaken"
down_revision = "0069_opening_corrected"

_OVERTAKEN = """
UPDATE period_close w SET state = 'overtaken' WHERE state = 'prepared' AND EXISTS (
  SELECT FROM period_close c WHERE c.coop_id = w.coop_id AND c.state = 'closed' AND c.ends_on > w.ends_on)"""


def _states(words: str) -> None:
    op.drop_constraint(op.f("period_close_state_check"), "period_close", type_="check")
    op.create_check_constraint(op.f("period_close_state_check"), "period_close", f"state IN ({words})")


def upgrade() -> None:
    """Apply."""
    _states("'prepared', 'taken_back', 'overtaken', 'closed', 'reopened'")
    op.execute(_OVERTAKEN)


def downgrade() -> None:
    """Take back: what was overtaken counts as taken back."""
    op.execute("UPDATE period_close SET state = 'taken_back' WHERE state = 'overtaken'")
    _states("'prepared', 'taken_back', 'closed', 'reopened'")
