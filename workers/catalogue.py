"""Tasks of the catalogue: holds whose time is over, offers whose price or certificate no longer holds."""

from typing import Any

from celery import shared_task

from market.catalogue import service
from market.kernel import locks
from market.kernel.actor import system
from workers.base import now, unit_of_work

_EXPIRE, _REEVALUATE = 710_001, 710_002


@shared_task(name="catalogue.expire_holds", soft_time_limit=50, time_limit=60)
def expire_holds(**_: Any) -> int:
    """Give back stock that unpaid orders held; return how many holds that were."""
    with unit_of_work() as session:
        return service.expire_holds(session, now=now()) if locks.advisory(session, _EXPIRE) else 0


@shared_task(name="catalogue.reevaluate", soft_time_limit=540, time_limit=600)
def reevaluate(*, kind: str | None = None, **_: Any) -> int:
    """Check published offers, of one kind of product or all, against today's price rows and certificates.

    Returns how many left the shop. After a change of rows only their product is looked at; the hourly round looks at all.
    """
    with unit_of_work() as session:
        if kind is None:
            if not locks.advisory(session, _REEVALUATE):
                return 0
            service.forget_changes(session, now=now())
        done = service.reevaluate_listings(session, actor=system("catalogue.reevaluate"), now=now(), kind=kind)
        return len(done.withdrawn)
