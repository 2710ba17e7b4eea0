"""Views that are saved of lists of the site, which are no co-op's."""

from alembic import op

revision = "0058_views_of_the_site"
down_revision = "0057_tenders"

_KEY = "saved_view_account_id_coop_id_desk_name_key"


def upgrade() -> None:
    """Apply."""
    op.execute(f"""ALTER TABLE saved_view ALTER coop_id DROP NOT NULL, DROP CONSTRAINT {_KEY},
      ADD CONSTRAINT {_KEY} UNIQUE NULLS NOT DISTINCT (account_id, coop_id, desk, name)""")
    op.execute("""ALTER POLICY coop ON saved_view USING (coop_id IS NULL OR market_sees(coop_id))
      WITH CHECK (coop_id IS NULL OR market_sees(coop_id))""")


def downgrade() -> None:
    """Take back; views of the site go."""
    op.execute("DELETE FROM saved_view WHERE coop_id IS NULL")
    op.execute("ALTER POLICY coop ON saved_view USING (market_sees(coop_id)) WITH CHECK (market_sees(coop_id))")
    op.execute(f"""ALTER TABLE saved_view ALTER coop_id SET NOT NULL, DROP CONSTRAINT {_KEY},
      ADD CONSTRAINT {_KEY} UNIQUE (account_id, coop_id, desk, name)""")
