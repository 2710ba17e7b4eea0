"""Read large statement files, and match the lines of imported ones: planned month by month, applied in portions."""

from typing import Any
from uuid import UUID

from celery import shared_task

from market.kernel.actor import system
from market.statements import service
from workers.base import now, side_by_side, unit_of_work


@shared_task(name="statements.match", soft_time_limit=540, time_limit=600)
def match(*, money_account_id: str, **_: Any) -> None:
    """Match what is certain and suggest the rest for one bank account. Running it twice changes nothing more."""
    account_id = UUID(money_account_id)
    service.match_lines(unit_of_work, money_account_id=account_id, actor=system("matching"), now=now(), side_by_side=side_by_side)


@shared_task(name="statements.read", soft_time_limit=840, time_limit=870)
def read(*, file_id: str, **_: Any) -> None:
    """Read and import one received file. Running it twice reads it once."""
    service.read_file(unit_of_work, file_id=UUID(file_id), now=now())
