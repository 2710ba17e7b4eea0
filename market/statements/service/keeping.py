"""The file as it came: a row for each account that it has something for, and its bytes kept once."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.statements.errors import FileNotFound
from market.statements.models import MoneyAccount, StatementFile
from market.statements.service.preparing import Prepared, Unpacked


def new_file(
    session: Session, account: MoneyAccount, prepared: Prepared, *, actor: Actor, now: datetime, came_as: UUID | None = None
) -> StatementFile:
    """Add the row of a file that the account has not seen before, waiting to be read.

    Its bytes are kept with it, unless the co-op has them: with `came_as`, or with another account's row.
    """
    original = came_as or session.scalar(
        select(StatementFile.id)
        .where(
            StatementFile.coop_id == account.coop_id,
            StatementFile.sha256 == prepared.sha256,
            StatementFile.original_id.is_(None),
            StatementFile.outcome != "refused",  # of what earlier releases refused, the end may be missing
        )
        .limit(1)
    )
    file = StatementFile(
        id=new_id(),
        coop_id=account.coop_id,
        money_account_id=account.id,
        original_id=original,
        sha256=prepared.sha256,
        name=prepared.name,
        size_bytes=prepared.size_bytes,
        body_zlib=prepared.body_zlib if original is None else None,
        outcome="waiting",
        findings=[],
        uploaded_by=actor.label,
        uploaded_at=now,
    )
    session.add(file)
    return file


def known_files(session: Session, account_ids: Iterable[UUID], sha256: str) -> dict[UUID, StatementFile]:
    """Return the rows of these bytes by account, of the accounts that have them."""
    statement = select(StatementFile).where(StatementFile.money_account_id.in_(account_ids), StatementFile.sha256 == sha256)
    return {file.money_account_id: file for file in session.scalars(statement)}


def file_of(session: Session, file_id: UUID) -> StatementFile:
    """Return a kept file of this scope. Raises FileNotFound."""
    file = session.get(StatementFile, file_id)
    if file is None:
        raise FileNotFound("There is no such statement file here.")
    return file


def packed(session: Session, file: StatementFile) -> bytes:
    """Return the bytes of a kept file as they are stored, compressed, wherever they were kept."""
    body = file.body_zlib if file.original_id is None else file_of(session, file.original_id).body_zlib
    assert body is not None  # the table holds: the bytes, or a row that has them
    return body


def unpacked(session: Session, file_id: UUID) -> Unpacked:
    """Return the bytes of a kept file as a stream. Raises FileNotFound."""
    return Unpacked(packed(session, file_of(session, file_id)))
