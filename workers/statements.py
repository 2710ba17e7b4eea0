"""Read large statement files, and match the lines of imported ones: plan once, apply in portions."""

from typing import Any
from uuid import UUID

from celery import shared_task

from market.kernel.actor import system
from market.statements import service
from workers.base import now, unit_of_work


@shared_task(name="statements.match", soft_time_limit=540, time_limit=600)
def match(*, money_account_id: str, **_: Any) -> None:
    """Match what is certain and suggest the rest for one bank account. Running it twice changes nothing more."""
    account_id, actor = UUID(money_account_id), system("matching")
    with unit_of_work() as session:
        proposals = service.plan_matching(session, money_account_id=account_id)
    for portion in service.slices(proposal for proposal in proposals if proposal.automatic):
        with unit_of_work() as session:
            service.apply_slice(session, money_account_id=account_id, proposals=portion, actor=actor, now=now())
    with unit_of_work() as session:
        service.keep_suggestions(session, money_account_id=account_id, proposals=proposals)
        service.stop_on_unknown_payouts(session, money_account_id=account_id, now=now())


@shared_task(name="statements.read", soft_time_limit=1500, time_limit=1560)
def read(*, file_id: str, **_: Any) -> None:
    """Read and import one received file. Running it twice reads it once."""
    service.read_file(unit_of_work, file_id=UUID(file_id), now=now())
