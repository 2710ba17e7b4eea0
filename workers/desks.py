"""Long lists for the staff, written while they do something else."""

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded

from market.desks import service
from market.kernel.words import N_
from workers.base import now, unit_of_work


@shared_task(name="desks.make_report", soft_time_limit=540, time_limit=600)
def make_report(*, job_id: str, **_: Any) -> None:
    """Make a list as a file. Running it twice makes it once; a list that is too long says so to whoever asked."""
    # The desks load with the first list that somebody asks for: the pages stay out of workers that never make one.
    from market.console import exports

    try:
        exports.make(UUID(job_id))
    except SoftTimeLimitExceeded:
        with unit_of_work() as session:
            service.fail_report(session, job_id=UUID(job_id), problem=N_("It took too long. Ask for fewer days."), now=now())
