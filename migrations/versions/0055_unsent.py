"""What of a part was not there when it was packed, and so never charged, beside what was given back."""

import sqlalchemy as sa
from alembic import op

revision = "0055_unsent"
down_revision = "0054_community"

_RETURNED = "goods_refunded_minor + premium_refunded_minor + charges_refunded_minor + tax_refunded_minor"


def upgrade() -> None:
    """Apply."""
    op.add_column("seller_order", sa.Column("unsent_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(op.f("seller_order_unsent_check"), "seller_order", f"unsent_minor BETWEEN 0 AND {_RETURNED}")
    op.execute("GRANT UPDATE (unsent_minor) ON seller_order TO market_app")


def downgrade() -> None:
    """Undo."""
    op.drop_column("seller_order", "unsent_minor")
