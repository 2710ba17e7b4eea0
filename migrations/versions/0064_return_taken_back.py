"""The way back of a payout that a statement seemed to bring back, and what a payment was before money came for it."""

import sqlalchemy as sa
from alembic import op

revision = "0064_return_taken_back"
down_revision = "0063_payment_taken_back"

# What was released stays so, but for the payout that is paid: its return was taken back, in the same unit.
_RELEASED = """
DROP TRIGGER released ON payout_item;
CREATE FUNCTION payout_item_released() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.released_at IS NOT NULL OR (SELECT p.state FROM payout p WHERE p.id = NEW.payout_id) IS DISTINCT FROM 'settled'
  THEN RAISE EXCEPTION 'an item that was released stays so, unless its payout is paid' USING ERRCODE = 'restrict_violation'; END IF;
  RETURN NEW; END $$;
CREATE TRIGGER released BEFORE UPDATE ON payout_item FOR EACH ROW WHEN (OLD.released_at IS NOT NULL)
  EXECUTE FUNCTION payout_item_released();
"""
_RELEASED_BACK = """
DROP TRIGGER released ON payout_item;
DROP FUNCTION payout_item_released;
CREATE TRIGGER released BEFORE UPDATE ON payout_item FOR EACH ROW WHEN (OLD.released_at IS NOT NULL)
  EXECUTE FUNCTION market_refuse_change();
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_RELEASED)
    op.add_column("payout", sa.Column("earlier_reason", sa.Text()))
    op.add_column("payout", sa.Column("times_returned", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("transfer_receipt", sa.Column("was", sa.Text()))


def downgrade() -> None:
    """Undo."""
    op.drop_column("transfer_receipt", "was")
    op.drop_column("payout", "times_returned")
    op.drop_column("payout", "earlier_reason")
    op.execute(_RELEASED_BACK)
