"""Take an uploaded file all the way: read it, import it, match its lines when they are few.

Each step has its own unit of work. The file is read while no transaction is open, because a large one takes a minute; and
an import stands whatever the rules make of its lines. Large imports are matched by a worker (`statements.imported`).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import IO
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.statements.service.accounts import account_of
from market.statements.service.importing import Imported, confirm_file, import_file
from market.statements.service.matching import run_matching
from market.statements.service.preparing import prepare_file

AT_ONCE = 2_000
"""Files with more lines than this are matched by a worker alone."""

Units = Callable[[], AbstractContextManager[Session]]


def take_file(
    units: Units, *, money_account_id: UUID, stream: IO[bytes], name: str, actor: Actor, now: datetime, confirmed: bool = False
) -> Imported:
    """Read, import and match; return what became of the file. Raises AccountNotFound."""
    with units() as session:
        currency = account_of(session, money_account_id).currency
    prepared = prepare_file(stream, name=name, currency=currency)
    with units() as session:
        result = import_file(
            session, money_account_id=money_account_id, prepared=prepared, actor=actor, now=now, confirmed=confirmed
        )
    _match(units, result, money_account_id, actor, now)
    return result


def take_draft(units: Units, *, file_id: UUID, money_account_id: UUID, actor: Actor, now: datetime) -> Imported:
    """Import a draft that a person confirms, and match its lines."""
    with units() as session:
        result = confirm_file(session, file_id=file_id, actor=actor, now=now)
    _match(units, result, money_account_id, actor, now)
    return result


def _match(units: Units, result: Imported, money_account_id: UUID, actor: Actor, now: datetime) -> None:
    if result.outcome == "imported" and 0 < result.new_lines <= AT_ONCE:
        with units() as session:
            run_matching(session, money_account_id=money_account_id, actor=actor, now=now)
