"""Closed days that two persons open again: who, and for what reason; the protocol of the close stays."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0067_periods_opened_again"
down_revision = "0066_closing_days"

_NAME = "period_reopening"
_DECIDED = "(state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)"
_CLOSED = "(state {}) = (closed_by IS NOT NULL AND closed_at IS NOT NULL)"
_REOPEN = r"""
CREATE FUNCTION ledger_reopen(p_book bigint, p_first date, p_last date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
-- Open the closed days from p_first to p_last again, the last ones that are closed; all of them without p_first. Waits for postings in flight.
BEGIN
  PERFORM FROM ledger_book WHERE id = p_book AND (coop_id IS NULL OR market_sees(coop_id));
  IF NOT FOUND THEN RAISE EXCEPTION 'no book % in this scope', p_book USING ERRCODE = 'FM002'; END IF;
  PERFORM pg_advisory_xact_lock(7201, p_book::int);
  IF p_last IS DISTINCT FROM (SELECT max(ends_on) FROM ledger_period WHERE book_id = p_book AND state <> 'open')
    OR EXISTS (SELECT FROM ledger_period WHERE book_id = p_book AND state = 'closing')
  THEN RAISE EXCEPTION 'book % is not closed through %, or days of it are being closed', p_book, p_last USING ERRCODE = 'FM005'; END IF;
  UPDATE ledger_period SET state = 'open', closed_by = NULL, closed_at = NULL
    WHERE book_id = p_book AND state = 'closed' AND ends_on >= coalesce(p_first, ends_on);
END $$;
"""


def _states(words: str, closed: str) -> None:
    op.drop_constraint(op.f("period_close_state_check"), "period_close", type_="check")
    op.create_check_constraint(op.f("period_close_state_check"), "period_close", f"state IN ({words})")
    op.drop_constraint(op.f("period_close_closed_check"), "period_close", type_="check")
    op.create_check_constraint(op.f("period_close_closed_check"), "period_close", _CLOSED.format(closed))


def upgrade() -> None:
    """Apply."""
    _states("'prepared', 'taken_back', 'closed', 'reopened'", "IN ('closed', 'reopened')")
    op.drop_constraint(op.f("period_close_coop_id_ends_on_key"), "period_close", type_="unique")
    once = {"unique": True, "postgresql_where": sa.text("state <> 'reopened'")}
    op.create_index("period_close_one", "period_close", ["coop_id", "ends_on"], **once)
    op.create_table(
        _NAME,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("close_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'proposed'"), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('proposed', 'opened', 'declined')", name=op.f(f"{_NAME}_state_check")),
        sa.CheckConstraint("decided_by <> proposed_by", name=op.f(f"{_NAME}_four_eyes_check")),
        sa.CheckConstraint(_DECIDED, name=op.f(f"{_NAME}_decided_check")),
        sa.CheckConstraint("length(reason) >= 10", name=op.f(f"{_NAME}_words_check")),
        sa.ForeignKeyConstraint(["close_id"], ["period_close.id"], name=op.f(f"{_NAME}_close_id_fkey")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f(f"{_NAME}_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"{_NAME}_pkey")),
    )
    op.create_index(op.f(f"{_NAME}_coop_id_idx"), _NAME, ["coop_id"])
    op.create_index(op.f(f"{_NAME}_close_id_idx"), _NAME, ["close_id"])
    op.create_index("period_reopening_waits", _NAME, ["close_id"], unique=True, postgresql_where=sa.text("state = 'proposed'"))
    enable_rls(_NAME)
    op.execute(f"REVOKE UPDATE, DELETE ON {_NAME} FROM market_app")
    op.execute(f"GRANT UPDATE (state, decided_by, decided_at) ON {_NAME} TO market_app")
    op.execute(_REOPEN)
    op.execute("REVOKE ALL ON FUNCTION ledger_reopen FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION ledger_reopen TO market_app")


def downgrade() -> None:
    """Take back: of a period that was opened again only its newest protocol is kept; without one it counts as taken back."""
    op.execute("DROP FUNCTION ledger_reopen")
    op.drop_table(_NAME)
    op.execute(
        "DELETE FROM period_close c WHERE state = 'reopened' AND EXISTS (SELECT FROM period_close n WHERE n.coop_id = c.coop_id"
        " AND n.ends_on = c.ends_on AND (n.state <> 'reopened' OR n.prepared_at > c.prepared_at))"
    )
    op.execute("UPDATE period_close SET state = 'taken_back', closed_by = NULL, closed_at = NULL WHERE state = 'reopened'")
    op.drop_index("period_close_one", "period_close")
    op.create_unique_constraint(op.f("period_close_coop_id_ends_on_key"), "period_close", ["coop_id", "ends_on"])
    _states("'prepared', 'taken_back', 'closed'", "= 'closed'")
