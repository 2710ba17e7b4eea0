"""A bank file that holds statements of several accounts: a row for each account, the bytes kept with the first."""

import sqlalchemy as sa
from alembic import op

revision = "0065_files_of_several_accounts"
down_revision = "0064_return_taken_back"


def upgrade() -> None:
    """Apply."""
    op.add_column("statement_file", sa.Column("original_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("statement_file_original_id_fkey"), "statement_file", "statement_file", ["original_id"], ["id"])
    op.alter_column("statement_file", "body_zlib", nullable=True)
    op.create_check_constraint(
        op.f("statement_file_bytes_check"), "statement_file", "(body_zlib IS NULL) = (original_id IS NOT NULL)"
    )


def downgrade() -> None:
    """Undo: each row gets its own bytes again."""
    op.drop_constraint(op.f("statement_file_bytes_check"), "statement_file", type_="check")
    op.execute("UPDATE statement_file f SET body_zlib = o.body_zlib FROM statement_file o WHERE o.id = f.original_id")
    op.alter_column("statement_file", "body_zlib", nullable=False)
    op.drop_constraint(op.f("statement_file_original_id_fkey"), "statement_file", type_="foreignkey")
    op.drop_column("statement_file", "original_id")
