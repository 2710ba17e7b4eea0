"""How a co-op pays out: rhythm, least amount, form of the bank file; runs that the clock drafts and a person checks."""

from alembic import op

from migrations.kit import enable_rls

revision = "0033_payout_settings"
down_revision = "0032_bearing"

_UP = """
CREATE TABLE payout_setting (
  coop_id uuid NOT NULL, rhythm text NOT NULL, weekday smallint NOT NULL, day_of_month smallint NOT NULL, minimum_minor bigint NOT NULL,
  file_format text NOT NULL, batch_booking boolean NOT NULL, purpose text NOT NULL, cheque_stale_days smallint NOT NULL, drafted_on date,
  CONSTRAINT payout_setting_pkey PRIMARY KEY (coop_id), CONSTRAINT payout_setting_coop_id_fkey FOREIGN KEY (coop_id) REFERENCES coop (id),
  CONSTRAINT payout_setting_rhythm_check CHECK (rhythm IN ('on_demand', 'weekly', 'monthly')),
  CONSTRAINT payout_setting_days_check CHECK (weekday BETWEEN 0 AND 6 AND day_of_month BETWEEN 1 AND 31),
  CONSTRAINT payout_setting_minimum_check CHECK (minimum_minor >= 0),
  CONSTRAINT payout_setting_file_format_check CHECK (file_format IN ('pain.001.001.09', 'pain.001.001.03')),
  CONSTRAINT payout_setting_purpose_check CHECK (purpose ~ '^([A-Z]{4})?$'));
ALTER TABLE payout_run ADD COLUMN checked_by text, ADD COLUMN checked_at timestamptz,
  DROP CONSTRAINT payout_run_four_eyes_check,
  ADD CONSTRAINT payout_run_four_eyes_check CHECK (approved_by <> prepared_by AND approved_by <> checked_by),
  ADD CONSTRAINT payout_run_checked_check CHECK ((checked_by IS NULL) = (checked_at IS NULL)),
  ADD CONSTRAINT payout_run_checked_first_check
    CHECK (state <> 'approved' OR checked_by IS NOT NULL OR NOT starts_with(prepared_by, 'system:'));
"""
_DOWN = """
ALTER TABLE payout_run DROP COLUMN checked_by, DROP COLUMN checked_at,
  ADD CONSTRAINT payout_run_four_eyes_check CHECK (approved_by <> prepared_by);
DROP TABLE payout_setting;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_UP)
    enable_rls("payout_setting")


def downgrade() -> None:
    """Take back."""
    op.execute(_DOWN)
