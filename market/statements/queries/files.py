"""Statement files, and what the bank announced in them without having booked it."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel import paging
from market.kernel.paging import Page
from market.statements.models import MoneyAccount, StatementFile
from market.statements.service.keeping import file_of, packed

PAGE = 50


@dataclass(frozen=True, slots=True)
class FileView:
    """A statement file and what became of it."""

    id: UUID
    account_id: UUID
    name: str
    sha256: str
    size_bytes: int
    outcome: str
    reason: str | None
    code: str | None
    format: str
    balances: Sequence[dict[str, Any]]
    read_bytes: int
    findings: Sequence[dict[str, Any]]
    new_lines: int
    known_lines: int
    provisional_lines: int
    uploaded_at: datetime


@dataclass(frozen=True, slots=True)
class SameFile:
    """The same bytes in another account of the co-op: what became of the statements that they have for it."""

    id: UUID
    account_id: UUID
    account: str
    outcome: str
    new_lines: int


def files(session: Session, account_id: UUID, *, cursor: str | None = None, limit: int = PAGE) -> Page[FileView]:
    """Return a page of an account's files, newest first."""
    statement = select(StatementFile).where(StatementFile.money_account_id == account_id)
    if cursor:
        (last,) = paging.read(cursor, UUID)
        statement = statement.where(StatementFile.id < last)
    rows = session.execute(statement.order_by(StatementFile.id.desc()).limit(limit + 1)).scalars().all()
    more = paging.encode([rows[limit - 1].id]) if len(rows) > limit else None
    return Page([_file(row) for row in rows[:limit]], more)


def file(session: Session, file_id: UUID) -> FileView:
    """Return one file. Raises FileNotFound outside this scope."""
    return _file(file_of(session, file_id))


def same_file(session: Session, file_id: UUID) -> list[SameFile]:
    """Return what became of a file in the co-op's other accounts. Raises FileNotFound outside this scope."""
    row = file_of(session, file_id)
    statement = (
        select(StatementFile.id, MoneyAccount.id, MoneyAccount.name, StatementFile.outcome, StatementFile.new_lines)
        .join(MoneyAccount, MoneyAccount.id == StatementFile.money_account_id)
        .where(MoneyAccount.coop_id == row.coop_id, StatementFile.sha256 == row.sha256, StatementFile.id != row.id)
        .order_by(MoneyAccount.mirror, MoneyAccount.id)
    )
    return [SameFile(*each) for each in session.execute(statement)]


def file_body(session: Session, file_id: UUID) -> bytes:
    """Return a file as it came. Raises FileNotFound outside this scope."""
    return zlib.decompress(packed(session, file_of(session, file_id)))


def _file(row: StatementFile) -> FileView:
    return FileView(
        row.id, row.money_account_id, row.name, row.sha256, row.size_bytes, row.outcome, row.reason, row.code, row.format,
        row.balances, row.read_bytes, row.findings, row.new_lines, row.known_lines, row.provisional_lines,
        row.uploaded_at,
    )  # fmt: skip
