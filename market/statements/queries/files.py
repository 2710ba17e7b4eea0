"""Statement files, and what the bank announced in them without having booked it."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from market.kernel import paging
from market.kernel.money import Money
from market.kernel.paging import Page
from market.statements.errors import FileNotFound
from market.statements.models import (
    StatementFile,
)

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
class AnnouncedView:
    """An entry that the bank announced and has not booked."""

    id: UUID
    expected_on: date
    money: Money
    status: str
    format: str
    counterparty_name: str
    text: str
    references: Sequence[str]


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
    row = session.get(StatementFile, file_id)
    if row is None:
        raise FileNotFound("There is no such statement file here.")
    return _file(row)


def file_body(session: Session, file_id: UUID) -> bytes:
    """Return a file as it came. Raises FileNotFound outside this scope."""
    row = session.get(StatementFile, file_id)
    if row is None:
        raise FileNotFound("There is no such statement file here.")
    return zlib.decompress(row.body_zlib)


_ANNOUNCED = """
SELECT i.id, i.expected_on, i.amount_minor, i.currency, i.status, i.format, i.counterparty_name, i.text, i.creditor_refs
FROM statement_interim_line i
WHERE i.money_account_id = :account
  AND i.expected_on > (SELECT coalesce(max(to_on), '-infinity') FROM statement WHERE money_account_id = :account)
  AND NOT EXISTS (SELECT FROM statement_line l WHERE l.money_account_id = i.money_account_id AND l.amount_minor = i.amount_minor
    AND l.booked_on >= i.expected_on - 7 AND (l.identity = i.identity OR (i.bank_ref <> '' AND l.bank_ref = i.bank_ref)))
ORDER BY i.expected_on, i.id LIMIT :limit"""


def announced(session: Session, account_id: UUID, *, limit: int = PAGE) -> list[AnnouncedView]:
    """Return what the bank announced and no statement has booked yet, the oldest first. Nothing of it is in the books."""
    rows = session.execute(text(_ANNOUNCED), {"account": account_id, "limit": limit})
    return [
        AnnouncedView(row.id, row.expected_on, Money(row.amount_minor, row.currency.strip()), row.status, row.format,
                      row.counterparty_name, row.text, row.creditor_refs)
        for row in rows
    ]  # fmt: skip


def _file(row: StatementFile) -> FileView:
    return FileView(
        row.id, row.money_account_id, row.name, row.sha256, row.size_bytes, row.outcome, row.reason, row.code, row.format,
        row.balances, row.read_bytes, row.findings, row.new_lines, row.known_lines, row.provisional_lines,
        row.uploaded_at,
    )  # fmt: skip
