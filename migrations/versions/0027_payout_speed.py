"""Check a run's rows by sets: what cannot be taken away afterwards is looked up once per statement, and nothing is kept twice.

The reasons stand in docs/decisions/0093-keys-of-a-run.md.
"""

from alembic import op

revision = "0027_payout_speed"
down_revision = "0026_disputes"

_POSTINGS = """
ALTER TABLE ledger_posting DROP CONSTRAINT ledger_posting_book_id_transaction_id_fkey,
  DROP CONSTRAINT ledger_posting_book_id_debit_id_currency_fkey, DROP CONSTRAINT ledger_posting_book_id_credit_id_currency_fkey;
ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_book_id_id_currency_key;
ALTER TABLE ledger_transaction DROP CONSTRAINT ledger_transaction_book_id_fkey, DROP CONSTRAINT ledger_transaction_book_id_reverses_id_key;
CREATE UNIQUE INDEX ledger_transaction_book_id_reverses_id_key ON ledger_transaction (book_id, reverses_id) WHERE reverses_id IS NOT NULL;
CREATE OR REPLACE FUNCTION ledger_no_late_leg() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT FROM added a
    WHERE (SELECT t.xid FROM ledger_transaction t WHERE (t.book_id, t.id) = (a.book_id, a.transaction_id)) IS DISTINCT FROM pg_current_xact_id())
  THEN RAISE EXCEPTION 'posting added to a finished transaction, or to none' USING ERRCODE = 'restrict_violation'; END IF;
  IF EXISTS (SELECT FROM added a
    WHERE (SELECT d.currency FROM ledger_account d WHERE (d.book_id, d.id) = (a.book_id, a.debit_id)) IS DISTINCT FROM a.currency
       OR (SELECT c.currency FROM ledger_account c WHERE (c.book_id, c.id) = (a.book_id, a.credit_id)) IS DISTINCT FROM a.currency)
  THEN RAISE EXCEPTION 'posting between accounts that this book does not have in this currency' USING ERRCODE = 'foreign_key_violation'; END IF;
  RETURN NULL; END $$;
CREATE TRIGGER gone BEFORE DELETE ON ledger_account FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER kept BEFORE TRUNCATE ON ledger_account FOR EACH STATEMENT EXECUTE FUNCTION market_refuse_change();
"""
_POSTINGS_BACK = """
DROP TRIGGER gone ON ledger_account;
DROP TRIGGER kept ON ledger_account;
CREATE OR REPLACE FUNCTION ledger_no_late_leg() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT FROM added a WHERE (SELECT t.xid FROM ledger_transaction t WHERE (t.book_id, t.id) = (a.book_id, a.transaction_id)) <> pg_current_xact_id())
  THEN RAISE EXCEPTION 'posting added to a finished transaction' USING ERRCODE = 'restrict_violation'; END IF; RETURN NULL; END $$;
DROP INDEX ledger_transaction_book_id_reverses_id_key;
ALTER TABLE ledger_transaction ADD CONSTRAINT ledger_transaction_book_id_reverses_id_key UNIQUE (book_id, reverses_id),
  ADD CONSTRAINT ledger_transaction_book_id_fkey FOREIGN KEY (book_id) REFERENCES ledger_book;
ALTER TABLE ledger_account ADD CONSTRAINT ledger_account_book_id_id_currency_key UNIQUE (book_id, id, currency);
ALTER TABLE ledger_posting ADD CONSTRAINT ledger_posting_book_id_transaction_id_fkey FOREIGN KEY (book_id, transaction_id) REFERENCES ledger_transaction,
  ADD CONSTRAINT ledger_posting_book_id_debit_id_currency_fkey FOREIGN KEY (book_id, debit_id, currency) REFERENCES ledger_account (book_id, id, currency),
  ADD CONSTRAINT ledger_posting_book_id_credit_id_currency_fkey FOREIGN KEY (book_id, credit_id, currency) REFERENCES ledger_account (book_id, id, currency);
"""
_FIXED = "run_id, number, coop_id, payee_id, rail, currency, gross_minor, deducted_minor, amount_minor, source_account, details, reference"
_PAYOUTS = f"""
DROP TRIGGER fixed ON payout;
ALTER TABLE payout DROP COLUMN idem_key, DROP COLUMN uetr, DROP CONSTRAINT payout_run_id_fkey, DROP CONSTRAINT payout_coop_id_fkey;
ALTER TABLE payout_run ADD CONSTRAINT payout_run_id_coop_id_key UNIQUE (id, coop_id);
ALTER TABLE payout ADD CONSTRAINT payout_run_id_coop_id_fkey FOREIGN KEY (run_id, coop_id) REFERENCES payout_run (id, coop_id);
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF id, {_FIXED} ON payout FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER kept BEFORE TRUNCATE ON payout FOR EACH STATEMENT EXECUTE FUNCTION market_refuse_change();
DROP TRIGGER fixed ON payable;
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF id, coop_id, payee_id, currency, amount_minor, kind, due_on, source_kind, source_id, part
  ON payable FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
ALTER TABLE payout_item DROP CONSTRAINT payout_item_coop_id_fkey, DROP CONSTRAINT payout_item_payout_id_fkey,
  DROP CONSTRAINT payout_item_payable_id_fkey;
CREATE FUNCTION payout_item_belongs() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$ BEGIN
  IF EXISTS (SELECT FROM added a WHERE (SELECT p.coop_id FROM payout p WHERE p.id = a.payout_id) IS DISTINCT FROM a.coop_id
    OR (SELECT o.coop_id FROM payable o WHERE o.id = a.payable_id) IS DISTINCT FROM a.coop_id)
  THEN RAISE EXCEPTION 'an item needs a payout and a payable of its co-op' USING ERRCODE = 'foreign_key_violation'; END IF; RETURN NULL; END $$;
CREATE TRIGGER belongs AFTER INSERT ON payout_item REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION payout_item_belongs();
"""
_PAYOUTS_BACK = f"""
DROP TRIGGER belongs ON payout_item;
DROP FUNCTION payout_item_belongs;
ALTER TABLE payout_item ADD CONSTRAINT payout_item_coop_id_fkey FOREIGN KEY (coop_id) REFERENCES coop,
  ADD CONSTRAINT payout_item_payout_id_fkey FOREIGN KEY (payout_id) REFERENCES payout,
  ADD CONSTRAINT payout_item_payable_id_fkey FOREIGN KEY (payable_id) REFERENCES payable;
DROP TRIGGER fixed ON payable;
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF coop_id, payee_id, currency, amount_minor, kind, due_on, source_kind, source_id, part
  ON payable FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
DROP TRIGGER kept ON payout;
DROP TRIGGER fixed ON payout;
ALTER TABLE payout DROP CONSTRAINT payout_run_id_coop_id_fkey, ADD CONSTRAINT payout_run_id_fkey FOREIGN KEY (run_id) REFERENCES payout_run,
  ADD CONSTRAINT payout_coop_id_fkey FOREIGN KEY (coop_id) REFERENCES coop,
  ADD COLUMN idem_key text NOT NULL GENERATED ALWAYS AS ('po-' || id::text || '-v1') STORED,
  ADD COLUMN uetr uuid NOT NULL GENERATED ALWAYS AS (market_derived_id('uetr:' || id::text)) STORED;
ALTER TABLE payout_run DROP CONSTRAINT payout_run_id_coop_id_key;
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF id, {_FIXED} ON payout FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
"""
# A payable's way from taken to scheduled touches no index and finds room on its page: its state stands in none.
_PAYABLES = """
ALTER TABLE payable SET (fillfactor = 50);
DROP INDEX payable_coop_id_idx, payable_open, payable_payee;
CREATE INDEX payable_open ON payable (coop_id, due_on) WHERE taken_by IS NULL;
CREATE INDEX payable_payee ON payable (payee_id, currency);
"""
_PAYABLES_BACK = """
ALTER TABLE payable RESET (fillfactor);
DROP INDEX payable_open, payable_payee;
CREATE INDEX payable_coop_id_idx ON payable (coop_id);
CREATE INDEX payable_open ON payable (coop_id, due_on) WHERE state = 'open';
CREATE INDEX payable_payee ON payable (payee_id, currency, state);
"""


def upgrade() -> None:
    """Apply."""
    for step in (_POSTINGS, _PAYOUTS, _PAYABLES):
        op.execute(step)


def downgrade() -> None:
    """Take back."""
    for step in (_PAYABLES_BACK, _PAYOUTS_BACK, _POSTINGS_BACK):
        op.execute(step)
