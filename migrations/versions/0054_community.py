"""Community currency: the scheme, its holders with limits, transfers, and members who leave with a debt."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.kit import enable_rls

revision = "0054_community"
down_revision = "0053_authorisations"

_DECIDED = "(state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)"


def _proposals(name: str, states: str, *columns: Any) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Uuid(), nullable=False),
        *columns,
        sa.Column("state", sa.Text(), server_default=sa.text("'proposed'"), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(f"state IN ({states})", name=op.f(f"{name}_state_check")),
        sa.CheckConstraint("decided_by <> proposed_by", name=op.f(f"{name}_four_eyes_check")),
        sa.CheckConstraint(_DECIDED, name=op.f(f"{name}_decided_check")),
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f(f"{name}_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"{name}_pkey")),
    )
    op.create_index(op.f(f"{name}_coop_id_idx"), name, ["coop_id"])
    enable_rls(name)


def _scheme_and_holders() -> None:
    _proposals(
        "community_scheme",
        "'proposed', 'open', 'declined'",
        sa.Column("legal_check", sa.Text(), nullable=False),
        sa.Column("authorise_above_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(legal_check) >= 10 AND authorise_above_minor >= 0", name=op.f("community_scheme_terms_check")),
    )
    live = sa.text("state <> 'declined'")
    op.create_index("community_scheme_one", "community_scheme", ["coop_id"], unique=True, postgresql_where=live)
    name = "community_holder"
    _proposals(
        name,
        "'proposed', 'open', 'declined', 'left'",
        sa.Column("producer_id", sa.Uuid(), nullable=False),
        sa.Column("limit_down_minor", sa.BigInteger(), nullable=False),
        sa.Column("limit_up_minor", sa.BigInteger(), nullable=True),
        sa.Column("growth_cap_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("limit_down_minor > 0 AND growth_cap_minor >= limit_down_minor", name=op.f(f"{name}_down_check")),
        sa.CheckConstraint("limit_up_minor > 0", name=op.f(f"{name}_up_check")),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.id"], name=op.f(f"{name}_producer_id_fkey")),
    )
    op.create_index(f"{name}_one", name, ["producer_id"], unique=True, postgresql_where=live)


def upgrade() -> None:
    """Apply."""
    _scheme_and_holders()
    _proposals(
        "community_leaving",
        "'proposed', 'booked', 'declined'",
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("minutes", sa.Text(), nullable=False),
        sa.CheckConstraint("length(minutes) >= 3", name=op.f("community_leaving_words_check")),
        sa.ForeignKeyConstraint(["holder_id"], ["community_holder.id"], name=op.f("community_leaving_holder_id_fkey")),
    )
    op.create_index(op.f("community_leaving_holder_id_idx"), "community_leaving", ["holder_id"])
    name = "community_transfer"
    sides = [
        sa.ForeignKeyConstraint([side], ["community_holder.id"], name=op.f(f"{name}_{side}_fkey"))
        for side in ("payer_id", "payee_id")
    ]
    op.create_table(
        name,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payer_id", sa.Uuid(), nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("needs_second", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("authorised_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("coop_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('pending', 'committed', 'denied')", name=op.f(f"{name}_state_check")),
        sa.CheckConstraint("amount_minor > 0 AND payer_id <> payee_id AND length(words) >= 2", name=op.f(f"{name}_facts_check")),
        sa.CheckConstraint("authorised_by <> asked_by", name=op.f(f"{name}_second_check")),
        sa.CheckConstraint("(state = 'pending') = (ended_at IS NULL)", name=op.f(f"{name}_ended_check")),
        sa.CheckConstraint(
            "state <> 'committed' OR NOT needs_second OR authorised_by IS NOT NULL", name=op.f(f"{name}_authorised_check")
        ),
        *sides,
        sa.ForeignKeyConstraint(["coop_id"], ["coop.id"], name=op.f(f"{name}_coop_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"{name}_pkey")),
    )
    for column in ("coop_id", "payer_id", "payee_id"):
        op.create_index(op.f(f"{name}_{column}_idx"), name, [column])
    enable_rls(name)


def downgrade() -> None:
    """Take back."""
    for name in ("community_transfer", "community_leaving", "community_holder", "community_scheme"):
        op.drop_table(name)
