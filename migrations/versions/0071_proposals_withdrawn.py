"""Whoever proposed to open a period again, or opening balances and their corrections, may withdraw it: nobody else may."""

import sqlalchemy as sa
from alembic import op

revision = "0071_proposals_withdrawn"
down_revision = "0070_closes_overtaken"

_STATES = {"period_reopening": "'proposed', 'opened', 'declined'", "opening_balance": "'proposed', 'booked', 'declined'"}


def _constraints(states: str, four_eyes: str) -> None:
    for table, words in _STATES.items():
        for name, condition in (("state", f"state IN ({words}{states})"), ("four_eyes", four_eyes)):
            op.drop_constraint(op.f(f"{table}_{name}_check"), table, type_="check")
            op.create_check_constraint(op.f(f"{table}_{name}_check"), table, condition)


def _one(over: str) -> None:
    op.drop_index("opening_balance_one", "opening_balance")
    where = sa.text(f"{over} AND NOT corrects")
    op.create_index("opening_balance_one", "opening_balance", ["coop_id"], unique=True, postgresql_where=where)


def upgrade() -> None:
    """Apply."""
    _constraints(", 'withdrawn'", "(decided_by <> proposed_by) = (state <> 'withdrawn')")
    _one("state NOT IN ('declined', 'withdrawn')")


def downgrade() -> None:
    """Take back: a proposal that was withdrawn decided nothing, so it goes; the audit keeps that there was one."""
    for table in _STATES:
        op.execute(f"DELETE FROM {table} WHERE state = 'withdrawn'")
    _one("state <> 'declined'")
    _constraints("", "decided_by <> proposed_by")
