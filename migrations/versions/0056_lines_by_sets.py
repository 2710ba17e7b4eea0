"""Check the lines of a file and their matches by sets, and let a line's identity begin with its day.

Keys that are looked up once per statement, instead of a row at a time, need that nothing they name goes away afterwards. An
identity that begins with the day is entered beside those of the same day, not anywhere in an index of a million.
"""

from alembic import op

revision = "0056_lines_by_sets"
down_revision = "0055_unsent"

_LINES = """
ALTER TABLE statement_line DROP CONSTRAINT statement_line_coop_id_fkey, DROP CONSTRAINT statement_line_money_account_id_fkey,
  DROP CONSTRAINT statement_line_statement_id_fkey;
CREATE FUNCTION statement_line_belongs() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$ BEGIN
  IF EXISTS (SELECT FROM (SELECT DISTINCT statement_id, money_account_id, coop_id FROM added) a
    WHERE NOT EXISTS (SELECT FROM statement s
      WHERE s.id = a.statement_id AND s.money_account_id = a.money_account_id AND s.coop_id = a.coop_id))
  THEN RAISE EXCEPTION 'a line needs a statement of its account and co-op' USING ERRCODE = 'foreign_key_violation'; END IF; RETURN NULL; END $$;
CREATE TRIGGER belongs AFTER INSERT ON statement_line REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION statement_line_belongs();
ALTER TABLE statement_match DROP CONSTRAINT statement_match_coop_id_fkey, DROP CONSTRAINT statement_match_line_id_fkey;
CREATE FUNCTION statement_match_belongs() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$ BEGIN
  IF EXISTS (SELECT FROM added a WHERE (SELECT l.coop_id FROM statement_line l WHERE l.id = a.line_id) IS DISTINCT FROM a.coop_id)
  THEN RAISE EXCEPTION 'a match needs a line of its co-op' USING ERRCODE = 'foreign_key_violation'; END IF; RETURN NULL; END $$;
CREATE TRIGGER belongs AFTER INSERT ON statement_match REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION statement_match_belongs();
"""
_KEPT = """
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF id, coop_id, money_account_id ON statement FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER kept BEFORE TRUNCATE ON statement FOR EACH STATEMENT EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF id, coop_id, money_account_id, statement_id ON statement_line
  FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER kept BEFORE TRUNCATE ON statement_line FOR EACH STATEMENT EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF id, coop_id, line_id ON statement_match FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER kept BEFORE TRUNCATE ON statement_match FOR EACH STATEMENT EXECUTE FUNCTION market_refuse_change();
"""
_BACK = """
DROP TRIGGER fixed ON statement; DROP TRIGGER kept ON statement;
DROP TRIGGER fixed ON statement_line; DROP TRIGGER kept ON statement_line; DROP TRIGGER belongs ON statement_line;
DROP TRIGGER fixed ON statement_match; DROP TRIGGER kept ON statement_match; DROP TRIGGER belongs ON statement_match;
DROP FUNCTION statement_line_belongs, statement_match_belongs;
ALTER TABLE statement_line ADD CONSTRAINT statement_line_coop_id_fkey FOREIGN KEY (coop_id) REFERENCES coop,
  ADD CONSTRAINT statement_line_money_account_id_fkey FOREIGN KEY (money_account_id) REFERENCES money_account,
  ADD CONSTRAINT statement_line_statement_id_fkey FOREIGN KEY (statement_id) REFERENCES statement;
ALTER TABLE statement_match ADD CONSTRAINT statement_match_coop_id_fkey FOREIGN KEY (coop_id) REFERENCES coop,
  ADD CONSTRAINT statement_match_line_id_fkey FOREIGN KEY (line_id) REFERENCES statement_line;
"""
# The first twelve bytes of what stood there before, behind the day as statements.rules.identity counts it.
_DAY_FIRST = """
UPDATE {table} SET identity = encode(int4send(coalesce({day}, DATE '0001-01-01') - DATE '0001-01-01' + 1)
  || substring(uuid_send(identity) FROM 1 FOR 12), 'hex')::uuid"""


def upgrade() -> None:
    """Apply."""
    for table, day in (("statement_line", "booked_on"), ("statement_interim_line", "expected_on")):
        op.execute(_DAY_FIRST.format(table=table, day=day))
    op.execute(_LINES)
    op.execute(_KEPT)


def downgrade() -> None:
    """Take back; identities stay as they are, because what they were cannot be told from them."""
    op.execute(_BACK)
