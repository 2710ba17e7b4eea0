"""Who a seller is for the tax office (Directive (EU) 2021/514, DAC7)."""

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0028_tax_identity"
down_revision = "0027_payout_speed"

_TEXTS = (
    "legal_name", "street", "building", "town", "postcode", "country", "tax_number", "tax_country", "vat_number",
    "birth_place", "registration_number",
)  # fmt: skip


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "tax_identity",
        sa.Column("producer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), server_default=sa.text("'person'"), nullable=False),
        *(sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False) for name in _TEXTS),
        sa.Column("born_on", sa.Date(), nullable=True),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('person', 'organisation')", name=op.f("tax_identity_kind_check")),
        sa.CheckConstraint(
            "country ~ '^([A-Z]{2})?$' AND tax_country ~ '^([A-Z]{2})?$'", name=op.f("tax_identity_country_check")
        ),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f("tax_identity_coop_id_fkey")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f("tax_identity_producer_id_fkey")),
        sa.PrimaryKeyConstraint("producer_id", name=op.f("tax_identity_pkey")),
    )
    op.create_index(op.f("tax_identity_coop_id_idx"), "tax_identity", ["coop_id"])
    enable_rls("tax_identity")


def downgrade() -> None:
    """Take back."""
    op.drop_table("tax_identity")
