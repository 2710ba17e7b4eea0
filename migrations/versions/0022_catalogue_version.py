"""Let every change of the catalogue leave its transaction's number, from which a page learns that it still stands."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import UserDefinedType

revision = "0022_catalogue_version"
down_revision = "0021_sets"

_SHOWN = ("listing_card", "search_posting", "search_term")


class _Xid8(UserDefinedType):
    cache_ok = True

    def get_col_spec(self, **_) -> str:
        return "xid8"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "catalogue_change",
        sa.Column("xid", _Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("xid", "at", name=op.f("catalogue_change_pkey")),
    )
    op.execute(
        "CREATE FUNCTION catalogue_changed() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN INSERT INTO catalogue_change DEFAULT VALUES ON CONFLICT DO NOTHING; RETURN NULL; END $$"
    )
    for table in _SHOWN:
        op.execute(
            f"CREATE TRIGGER {table}_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changed()"
        )


def downgrade() -> None:
    """Take back."""
    for table in _SHOWN:
        op.execute(f"DROP TRIGGER {table}_changed ON {table}")
    op.execute("DROP FUNCTION catalogue_changed()")
    op.drop_table("catalogue_change")
