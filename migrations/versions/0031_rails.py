"""Mobile money and cheques as ways to be paid, wallets with statements, and names that differ."""

from alembic import op

revision = "0031_rails"
down_revision = "0030_booking_proposal"

_UP = """
ALTER TABLE payee_account ADD COLUMN msisdn text, ADD COLUMN known_name text, ADD COLUMN name_doubt text,
  ADD COLUMN name_agreed_by text, ADD COLUMN name_reason text,
  DROP CONSTRAINT payee_account_rail_check,
  ADD CONSTRAINT payee_account_rail_check CHECK (rail IN ('sepa', 'stripe', 'momo', 'cash', 'cheque')),
  ADD CONSTRAINT payee_account_msisdn_check CHECK ((rail = 'momo') = (msisdn IS NOT NULL)),
  ADD CONSTRAINT payee_account_name_doubt_check CHECK (name_doubt IN ('member', 'provider')),
  ADD CONSTRAINT payee_account_name_agreed_check
    CHECK ((name_agreed_by IS NULL) = (name_reason IS NULL) AND name_agreed_by <> entered_by);
ALTER TABLE payout DROP CONSTRAINT payout_rail_check,
  ADD CONSTRAINT payout_rail_check CHECK (rail IN ('sepa', 'stripe', 'momo', 'cash', 'cheque'));
ALTER TABLE money_account DROP CONSTRAINT money_account_codes_check,
  ADD CONSTRAINT money_account_codes_check CHECK (mirror ~ '^(bank|wallet):[0-9]+$' AND suspense ~ '^suspense:[0-9]+$');
"""
_DOWN = """
ALTER TABLE money_account DROP CONSTRAINT money_account_codes_check,
  ADD CONSTRAINT money_account_codes_check CHECK (mirror ~ '^bank:[0-9]+$' AND suspense ~ '^suspense:[0-9]+$');
ALTER TABLE payout DROP CONSTRAINT payout_rail_check, ADD CONSTRAINT payout_rail_check CHECK (rail IN ('sepa', 'stripe', 'cash'));
ALTER TABLE payee_account DROP CONSTRAINT payee_account_rail_check,
  ADD CONSTRAINT payee_account_rail_check CHECK (rail IN ('sepa', 'stripe', 'cash')),
  DROP COLUMN msisdn, DROP COLUMN known_name, DROP COLUMN name_doubt, DROP COLUMN name_agreed_by, DROP COLUMN name_reason;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_UP)


def downgrade() -> None:
    """Take back."""
    op.execute(_DOWN)
