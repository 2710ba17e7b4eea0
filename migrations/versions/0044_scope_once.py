"""On the tables that staff read in tens of thousands of rows, the transaction's scope is read once and not once a row.

What is written is checked as before, row by row.
"""

from alembic import op

revision = "0044_scope_once"
down_revision = "0043_reversals"

TABLES = ("payable", "payout", "statement_line")

_FUNCTIONS = """
CREATE FUNCTION market_sees_all() RETURNS boolean STABLE PARALLEL SAFE LANGUAGE sql AS $$
  SELECT coalesce(current_setting('market.scope', true) = '*', false) $$;
CREATE FUNCTION market_coops() RETURNS uuid[] STABLE PARALLEL SAFE LANGUAGE sql AS $$
  SELECT CASE WHEN current_setting('market.scope', true) <> '*'
    THEN string_to_array(current_setting('market.scope', true), ',')::uuid[] END $$;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_FUNCTIONS)
    for table in TABLES:
        # A sub-select of its own runs once in a statement; a call with the row's column would run for each row.
        op.execute(
            f"ALTER POLICY coop ON {table} USING ((SELECT market_sees_all()) OR coop_id = ANY ((SELECT market_coops())::uuid[]))"
        )


def downgrade() -> None:
    """Take back."""
    for table in TABLES:
        op.execute(f"ALTER POLICY coop ON {table} USING (market_sees(coop_id))")
    op.execute("DROP FUNCTION market_sees_all, market_coops")
