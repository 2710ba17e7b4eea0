"""What earnings do by the clock."""

from typing import Any

from celery import shared_task

from market.earnings import service
from workers.base import now, unit_of_work


@shared_task(name="earnings.end_holds", soft_time_limit=60, time_limit=90)
def end_holds(**_: Any) -> None:
    """End holds whose last day is over, a batch at a time."""
    while True:
        with unit_of_work() as session:
            if not service.end_due_holds(session, now=now()):
                return
