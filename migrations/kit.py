"""What the steps share: row-level security for a co-op's rows, tables that only grow, grants."""

from alembic import op


def enable_rls(*tables: str) -> None:
    """Hide rows whose `coop_id` lies outside the transaction's scope, for reading and writing."""
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY coop ON {table} USING (market_sees(coop_id)) WITH CHECK (market_sees(coop_id))")


def append_only(*tables: str) -> None:
    """Refuse every change and deletion of rows once written."""
    for table in tables:
        op.execute(
            f"CREATE TRIGGER fixed BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION market_refuse_change()"
        )
        op.execute(f"CREATE TRIGGER kept BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION market_refuse_change()")
