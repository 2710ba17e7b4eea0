"""Cash bags of a run, and cheques."""

from alembic import op

from migrations.kit import enable_rls

revision = "0037_bags_cheques"
down_revision = "0036_treasury"

_UP = """
CREATE TABLE cash_bag (
  id uuid NOT NULL, number bigint NOT NULL, run_id uuid NOT NULL, officer text NOT NULL, currency char(3) NOT NULL,
  issued_minor bigint NOT NULL, issued_on date NOT NULL, issued_by text NOT NULL, issued_at timestamptz NOT NULL,
  returned_minor bigint, missing_minor bigint, returned_on date, closed_by text, closed_at timestamptz, explanation text,
  coop_id uuid NOT NULL,
  CONSTRAINT cash_bag_pkey PRIMARY KEY (id), CONSTRAINT cash_bag_coop_id_number_key UNIQUE (coop_id, number),
  CONSTRAINT cash_bag_coop_id_fkey FOREIGN KEY (coop_id) REFERENCES coop (id),
  CONSTRAINT cash_bag_run_id_fkey FOREIGN KEY (run_id) REFERENCES payout_run (id),
  CONSTRAINT cash_bag_amounts_check CHECK (issued_minor > 0 AND returned_minor >= 0 AND missing_minor >= 0),
  CONSTRAINT cash_bag_closed_check CHECK (num_nulls(returned_minor, missing_minor, returned_on, closed_by, closed_at) IN (0, 5)),
  CONSTRAINT cash_bag_explained_check CHECK (missing_minor = 0 OR explanation <> ''));
CREATE INDEX cash_bag_coop_id_idx ON cash_bag (coop_id);
CREATE INDEX cash_bag_run_id_idx ON cash_bag (run_id);
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF id, number, run_id, officer, currency, issued_minor, issued_on, issued_by, coop_id
  ON cash_bag FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
CREATE TRIGGER closed BEFORE UPDATE ON cash_bag FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL)
  EXECUTE FUNCTION market_refuse_change();
CREATE TABLE cheque (
  payout_id uuid NOT NULL, number text NOT NULL, issued_on date NOT NULL, issued_by text NOT NULL, issued_at timestamptz NOT NULL,
  voided_by text, voided_at timestamptz, void_reason text, coop_id uuid NOT NULL,
  CONSTRAINT cheque_pkey PRIMARY KEY (payout_id), CONSTRAINT cheque_coop_id_number_key UNIQUE (coop_id, number),
  CONSTRAINT cheque_payout_id_fkey FOREIGN KEY (payout_id) REFERENCES payout (id),
  CONSTRAINT cheque_coop_id_fkey FOREIGN KEY (coop_id) REFERENCES coop (id),
  CONSTRAINT cheque_voided_check CHECK (num_nulls(voided_by, voided_at, void_reason) IN (0, 3) AND voided_by <> issued_by));
CREATE INDEX cheque_coop_id_idx ON cheque (coop_id);
CREATE TRIGGER fixed BEFORE DELETE OR UPDATE OF payout_id, number, issued_on, issued_by, coop_id
  ON cheque FOR EACH ROW EXECUTE FUNCTION market_refuse_change();
ALTER TABLE cash_receipt ADD COLUMN bag_id uuid CONSTRAINT cash_receipt_bag_id_fkey REFERENCES cash_bag (id);
CREATE INDEX cash_receipt_bag_id_idx ON cash_receipt (bag_id);
"""
_DOWN = """
ALTER TABLE cash_receipt DROP COLUMN bag_id;
DROP TABLE cheque;
DROP TABLE cash_bag;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_UP)
    enable_rls("cash_bag", "cheque")


def downgrade() -> None:
    """Take back."""
    op.execute(_DOWN)
