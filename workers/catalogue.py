"""Tasks of the catalogue: holds whose time is over, offers whose price or certificate no longer holds."""

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready

from market.catalogue import service
from market.kernel import locks
from market.kernel.actor import system
from workers.base import now, today, unit_of_work


@shared_task(name="catalogue.expire_holds", soft_time_limit=50, time_limit=60)
def expire_holds(**_: Any) -> int:
    """Give back stock that unpaid orders held; return how many holds that were."""
    with unit_of_work() as session:
        return service.expire_holds(session, now=now()) if locks.advisory(session, locks.Alone.CATALOGUE_EXPIRE) else 0


@shared_task(name="catalogue.reevaluate", soft_time_limit=540, time_limit=600)
def reevaluate(*, kind: str | None = None, coop_id: str | None = None, **_: Any) -> int:
    """Check published offers, of one kind of product, of one co-op or all, against today's price rows and certificates.

    Returns how many left the shop. After a change of rows only their product is looked at, after one of a certificate only
    the co-op that has it; the hourly round looks at all.
    """
    with unit_of_work() as session:
        if kind is None and coop_id is None:
            if not locks.advisory(session, locks.Alone.CATALOGUE_REEVALUATE):
                return 0
            service.forget_changes(session, now=now())
        whose = UUID(coop_id) if coop_id else None
        done = service.reevaluate_listings(session, actor=system("catalogue.reevaluate"), now=now(), kind=kind, coop_id=whose)
        return len(done.withdrawn)


@shared_task(name="catalogue.keep_to_lots", soft_time_limit=50, time_limit=60)
def keep_to_lots(*, lot_ids: str, **_: Any) -> int:
    """Take out of the stock of lots what was made into something else; return of how many lots something was taken."""
    with unit_of_work() as session:
        return len(service.keep_to_lots(session, lot_ids=[UUID(lot_id) for lot_id in lot_ids.split(",") if lot_id]))


@shared_task(name="catalogue.remake_cards", soft_time_limit=540, time_limit=600)
def remake_cards(**_: Any) -> int:
    """Make the cards of another program anew; return how many. A worker that starts asks for it, as a release starts it."""
    done = 0
    while True:
        with unit_of_work() as session:
            made = service.remake_cards(session, on=today()) if locks.advisory(session, locks.Alone.CATALOGUE_REMAKE) else 0
        done += made
        if made < service.BATCH:
            return done


@worker_ready.connect
def look_at_cards(*, sender: Any, **_: Any) -> None:
    """A release starts the workers: cards that the program before it made do not wait for the hourly round."""
    sender.app.send_task("catalogue.remake_cards")
