"""Tasks of provenance: read captured documents, keep the stored pages of lots fresh."""

from typing import Any
from uuid import UUID

from celery import shared_task
from flask import current_app
from sqlalchemy.exc import OperationalError

from market.kernel import locks
from market.provenance import queries, service
from market.provenance.rules.identifiers import IdHost
from market.reports.queries.lot_page import lot_page, page_bytes
from market.reports.queries.lot_sales import lots_of_order
from workers.base import now, unit_of_work


@shared_task(name="provenance.capture", soft_time_limit=120, time_limit=150)
def capture(*, capture_id: str, **_: Any) -> None:
    """Read a captured document and store its events; a second run finds the job done.

    A busy database is tried again; a defect of ours ends the job in words, and the error goes to the log.
    """
    host = IdHost(current_app.extensions["settings"].id_url)
    try:
        with unit_of_work() as session:
            service.run_job(session, capture_id=UUID(capture_id), host=host, now=now())
    except OperationalError:
        raise  # a lock or the connection: it is tried again
    except Exception:
        with unit_of_work() as session:
            service.fail_job(session, capture_id=UUID(capture_id), now=now())
        raise


@shared_task(name="provenance.refresh_pages", soft_time_limit=120, time_limit=150)
def refresh_pages(*, lot_ids: str, **_: Any) -> None:
    """Build the stored pages of lots, and of everything made from them, anew."""
    with unit_of_work() as session:
        wanted = {UUID(lot_id) for lot_id in lot_ids.split(",") if lot_id}
        for lot_id in list(wanted):
            wanted |= {UUID(key) for key in queries.lineage(session, lot_id, down=True).lots}
    _build(wanted)


@shared_task(name="provenance.refresh_sold", soft_time_limit=60, time_limit=90)
def refresh_sold(*, order_id: str | None = None, seller_order_id: str | None = None, **_: Any) -> None:
    """Build the pages of the lots of a paid order or of a refunded part anew: who got what has changed."""
    if order_id is None and seller_order_id is None:
        return
    with unit_of_work() as session:
        lots = lots_of_order(
            session,
            order_id=UUID(order_id) if order_id else None,
            seller_order_id=UUID(seller_order_id) if seller_order_id else None,
        )
    _build(lots)


@shared_task(name="provenance.refresh_coop", soft_time_limit=60, time_limit=90)
def refresh_coop(*, coop_id: str, **_: Any) -> None:
    """Have the pages of all lots of a co-op built anew: what its certificates say stands on each of them."""
    with unit_of_work() as session:
        service.refresh_lots_of(session, coop_id=UUID(coop_id))


def _build(lots: set[UUID]) -> None:
    """Build pages one by one, each by one worker at a time: who comes second reads what the first has committed."""
    for lot_id in sorted(lots):
        with unit_of_work() as session:
            locks.turn(session, locks.Turn.LOT_PAGE, lot_id)
            document = lot_page(session, lot_id)
            service.store_page(session, lot_id=lot_id, slug=document["slug"], body=page_bytes(document), now=now())
