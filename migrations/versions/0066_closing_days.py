"""Days that are being closed: nothing posts into them from the preparation on, until they are closed or opened again."""

from alembic import op

revision = "0066_closing_days"
down_revision = "0065_files_of_several_accounts"

_CLOSE = r"""
CREATE OR REPLACE FUNCTION ledger_close(p_book bigint, p_last date, p_by text, p_at timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
-- Close the days of a book up to p_last; a period that goes on after it is split there. Waits for postings in flight.
BEGIN
  PERFORM ledger_split(p_book, p_last);
  UPDATE ledger_period SET state = 'closed', closed_by = p_by, closed_at = p_at WHERE book_id = p_book AND ends_on <= p_last AND state <> 'closed';
END $$;
"""
_SPLIT = r"""
CREATE FUNCTION ledger_split(p_book bigint, p_last date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
-- Let a period that is not closed end on p_last, and another like it go on after it. Waits for postings in flight.
DECLARE r record; BEGIN
  PERFORM FROM ledger_book WHERE id = p_book AND (coop_id IS NULL OR market_sees(coop_id));
  IF NOT FOUND THEN RAISE EXCEPTION 'no book % in this scope', p_book USING ERRCODE = 'FM002'; END IF;
  PERFORM pg_advisory_xact_lock(7201, p_book::int);
  SELECT * INTO r FROM ledger_period WHERE book_id = p_book AND p_last BETWEEN starts_on AND ends_on AND state <> 'closed' FOR UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'no open period for % in book %', p_last, p_book USING ERRCODE = 'FM002'; END IF;
  UPDATE ledger_period SET ends_on = p_last WHERE book_id = p_book AND starts_on = r.starts_on;
  IF r.ends_on > p_last THEN
    INSERT INTO ledger_period (book_id, starts_on, ends_on, state) VALUES (p_book, p_last + 1, r.ends_on, r.state);
  END IF;
END $$;
"""
_CLOSING = r"""
CREATE FUNCTION ledger_closing(p_book bigint, p_last date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
-- Of the days that are not closed, let those up to p_last wait for their close and the others be open; all of them without p_last.
BEGIN
  PERFORM ledger_split(p_book, coalesce(p_last, (SELECT max(ends_on) FROM ledger_period WHERE book_id = p_book)));
  UPDATE ledger_period SET state = CASE WHEN ends_on <= p_last THEN 'closing' ELSE 'open' END WHERE book_id = p_book AND state <> 'closed';
END $$;
"""
_BEFORE = r"""
CREATE OR REPLACE FUNCTION ledger_close(p_book bigint, p_last date, p_by text, p_at timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
-- Close the days of a book up to p_last; a period that goes on after it is split there. Waits for postings in flight.
DECLARE v_ends date; BEGIN
  PERFORM FROM ledger_book WHERE id = p_book AND (coop_id IS NULL OR market_sees(coop_id));
  IF NOT FOUND THEN RAISE EXCEPTION 'no book % in this scope', p_book USING ERRCODE = 'FM002'; END IF;
  PERFORM pg_advisory_xact_lock(7201, p_book::int);
  SELECT ends_on INTO v_ends FROM ledger_period WHERE book_id = p_book AND p_last BETWEEN starts_on AND ends_on AND state = 'open' FOR UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'no open period for % in book %', p_last, p_book USING ERRCODE = 'FM002'; END IF;
  UPDATE ledger_period SET ends_on = p_last WHERE book_id = p_book AND ends_on = v_ends;
  IF v_ends > p_last THEN INSERT INTO ledger_period (book_id, starts_on, ends_on) VALUES (p_book, p_last + 1, v_ends); END IF;
  UPDATE ledger_period SET state = 'closed', closed_by = p_by, closed_at = p_at WHERE book_id = p_book AND ends_on <= p_last AND state <> 'closed';
END $$;
"""


def _states(words: str) -> None:
    op.drop_constraint(op.f("period_close_state_check"), "period_close", type_="check")
    op.create_check_constraint(op.f("period_close_state_check"), "period_close", f"state IN ({words})")


def upgrade() -> None:
    """Apply."""
    op.execute(_SPLIT)
    op.execute(_CLOSE)
    op.execute(_CLOSING)
    op.execute("REVOKE ALL ON FUNCTION ledger_split, ledger_closing FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION ledger_closing TO market_app")
    _states("'prepared', 'taken_back', 'closed'")
    op.execute("GRANT UPDATE (starts_on) ON period_close TO market_app")


def downgrade() -> None:
    """Undo: days that wait for their close are open again, and closes that were taken back wait."""
    op.execute("UPDATE ledger_period SET state = 'open' WHERE state = 'closing'")
    op.execute("UPDATE period_close SET state = 'prepared' WHERE state = 'taken_back'")
    _states("'prepared', 'closed'")
    op.execute("REVOKE UPDATE (starts_on) ON period_close FROM market_app")
    op.execute(_BEFORE)
    op.execute("DROP FUNCTION ledger_closing, ledger_split")
