"""What somebody at the card processor did not take of an authorisation is no refund: nobody gave it back."""

from alembic import op

revision = "0059_untaken"
down_revision = "0058_views_of_the_site"

_COUNT = """
CREATE OR REPLACE FUNCTION refund_count() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  {whole}
  IF NEW.kind <> 'surplus' THEN
    UPDATE payment_part SET refunded_goods_minor = refunded_goods_minor + NEW.goods_minor,
      refunded_premium_minor = refunded_premium_minor + NEW.premium_minor,
      refunded_charges_minor = refunded_charges_minor + NEW.charges_minor, refunded_tax_minor = refunded_tax_minor + NEW.tax_minor
      WHERE payment_id = NEW.payment_id AND subject_id = NEW.subject_id AND coop_id = NEW.coop_id AND currency = NEW.currency;
    IF NOT FOUND THEN RAISE EXCEPTION 'refund of a part that was not paid' USING ERRCODE = 'check_violation'; END IF;
  END IF;
  RETURN NULL; END $$
"""
_WHOLE = "UPDATE payment SET refunded_minor = refunded_minor + NEW.amount_minor WHERE id = NEW.payment_id;"


def upgrade() -> None:
    """Apply."""
    op.drop_constraint("refund_kind_check", "refund")
    op.create_check_constraint(op.f("refund_kind_check"), "refund", "kind IN ('part', 'surplus', 'elsewhere', 'untaken')")
    op.execute(_COUNT.format(whole=f"IF NEW.kind <> 'untaken' THEN {_WHOLE} END IF;"))


def downgrade() -> None:
    """Undo."""
    op.execute(_COUNT.format(whole=_WHOLE))
    op.drop_constraint("refund_kind_check", "refund")
    op.create_check_constraint(op.f("refund_kind_check"), "refund", "kind IN ('part', 'surplus', 'elsewhere')")
