"""The dispatcher: hands announced facts to the broker, at least once, oldest first.

Rows are claimed and committed before anything is published, so that no transaction waits for the broker; a claim that
ends without `sent_at` is taken again after its time. A broker that was flushed has forgotten what it took, and a task may
have met a fault: whatever no task recorded as done is handed over again, each time after a longer while.
"""

import json
from datetime import timedelta
from typing import Any

from celery import current_app, shared_task
from redis import Redis, RedisError
from sqlalchemy import text

from workers.base import now, unit_of_work

# topic -> tasks; each is called with the row's payload and its topic as keyword arguments
TOPICS: dict[str, tuple[str, ...]] = {
    "accounts.letter": ("notifications.tell",),
    "earnings.held": ("notifications.tell",),
    "desks.report_asked": ("desks.make_report",),
    "desks.report_done": ("notifications.tell",),
    "orders.authorised": ("notifications.tell",),
    "orders.cancelled": ("notifications.tell", "invoices.credit_ended"),
    "orders.changed": ("notifications.tell", "invoices.credit"),
    "orders.goods_withdrawn": ("notifications.tell",),
    "orders.lot_withdrawn": ("orders.stop_withdrawn", "notifications.tell"),
    "orders.lot_withdrawal_ended": ("orders.let_parts_go", "notifications.tell"),
    "orders.packed": ("orders.charge_packed",),
    "orders.paid": ("provenance.refresh_sold", "notifications.tell", "invoices.issue"),
    "orders.placed": ("notifications.tell",),
    "orders.unpaid": ("provenance.refresh_sold", "notifications.tell"),
    "orders.problem": ("notifications.tell",),
    "orders.refunded": ("provenance.refresh_sold", "notifications.tell", "invoices.credit"),
    "orders.settled": ("orders.hold_disputed",),
    "orders.substitute_offered": ("notifications.tell",),
    "orders.shipped": ("notifications.tell",),
    "payments.authorisation_decided": ("payments.settle_authorisation",),
    "payments.authorised": ("orders.mark_authorised",),
    "payments.closed": (),  # orders look themselves when their time is over
    "payments.dispute_changed": ("orders.note_dispute",),
    "payments.event_stored": ("payments.handle_event",),
    "payments.paid": ("orders.mark_paid",),
    "payments.refund_decided": ("payments.send_refund",),
    "payments.refunded": ("orders.note_refund", "notifications.tell"),
    "payments.refund_taken_back": ("notifications.tell",),
    "payments.surplus": ("notifications.tell",),
    "payments.surplus_taken_back": ("notifications.tell",),
    "payouts.approved": ("payouts.send",),
    "payouts.failed": ("payouts.alarm", "notifications.tell"),
    "payouts.needs_person": ("payouts.alarm", "notifications.tell"),
    "payouts.printed": ("notifications.tell",),
    "payouts.returned": ("payouts.alarm", "notifications.tell"),
    "payouts.stayed_paid": ("notifications.tell",),
    "payouts.stopped": ("notifications.tell",),
    "payouts.settled": ("payouts.print",),
    "payouts.unsettled": ("notifications.tell",),
    "pricing.rows_changed": ("catalogue.reevaluate",),
    "producers.certificate_changed": ("catalogue.reevaluate", "provenance.refresh_coop"),
    "producers.membership_ended": ("catalogue.reevaluate",),
    "producers.payee_account_confirmed": ("notifications.tell",),
    "producers.payee_account_entered": ("notifications.tell", "payouts.check_wallet"),
    "provenance.capture_accepted": ("provenance.capture",),
    "provenance.lots_changed": ("catalogue.keep_to_lots", "provenance.refresh_pages"),
    "producers.shown_changed": ("catalogue.reevaluate", "provenance.refresh_coop"),
    "statements.imported": ("statements.match",),
    "statements.received": ("statements.read",),
}
_NAMES = json.dumps(TOPICS)
_CLAIM = text(
    """
    UPDATE outbox SET claimed_until = :until,
      awaits = coalesce(awaits, ARRAY(SELECT jsonb_array_elements_text(CAST(:names AS jsonb) -> topic)))
    WHERE id IN (SELECT id FROM outbox WHERE sent_at IS NULL AND (claimed_until IS NULL OR claimed_until < :now)
                 ORDER BY id LIMIT :size FOR UPDATE SKIP LOCKED)
    RETURNING id, topic, payload, awaits"""
)
_SENT = text("UPDATE outbox SET sent_at = :now, attempts = attempts + 1 WHERE id = ANY(:ids)")
_FAILED = text("UPDATE outbox SET last_error = :error WHERE id = :id")
_AGAIN = text(
    """
    UPDATE outbox SET sent_at = NULL, claimed_until = NULL
    WHERE id IN (SELECT id FROM outbox WHERE sent_at IS NOT NULL AND cardinality(awaits) > 0 AND attempts < :most
                   AND (:forgotten OR sent_at < :now - least(:first * 2 ^ (attempts - 1), :longest))
                 ORDER BY id LIMIT :size FOR UPDATE SKIP LOCKED)"""
)
_MARK = "market:outbox"
"""Stands in the broker for as long as it remembers what it took."""
AGAIN_AFTER, LONGEST = timedelta(minutes=30), timedelta(days=1)
"""Longer than any task may run or waits between two tries, so that what is only slow is not done twice for nothing."""

AT_ONCE = 5_000
MOST = 12
"""Times that a fact is handed over, within a week; what then still fails is a defect, and `market_outbox_unfinished` shows it."""


@shared_task(name="outbox.dispatch", soft_time_limit=60, time_limit=90)
def dispatch(**_: Any) -> int:
    """Publish waiting rows until none is left; return how many."""
    count = 0
    while batch := _dispatch_batch():
        count += batch
    return count


@shared_task(name="outbox.repeat", soft_time_limit=60, time_limit=90)
def repeat(**_: Any) -> int:
    """Let facts whose tasks have not recorded that they are done wait for the dispatcher again; return how many.

    Each when its time has come, or all of them when the broker has forgotten its mark, and so what it took.
    """
    with _broker() as broker:
        forgotten = _has_forgotten(broker)
        given = {"now": now(), "first": AGAIN_AFTER, "longest": LONGEST, "most": MOST, "size": AT_ONCE, "forgotten": forgotten}
        count, more = 0, AT_ONCE
        while more == AT_ONCE:
            with unit_of_work() as session:
                more = int(session.execute(_AGAIN, given).rowcount)  # type: ignore[attr-defined]
            count += more
        if forgotten:
            broker.set(_MARK, now().isoformat())  # only now: whoever dies before leaves it to the next
    return count


def _broker() -> Redis:
    """Return the broker as what it is, a store of keys; it is asked once and not waited for."""
    return Redis.from_url(current_app.conf.broker_url, socket_timeout=2, socket_connect_timeout=2)


def _has_forgotten(broker: Redis) -> bool:
    try:
        return not broker.exists(_MARK)
    except RedisError:  # it is away: nothing can be handed to it
        return False


def _dispatch_batch(size: int = 200) -> int:
    instant = now()
    with unit_of_work() as session:
        claimed = {"now": instant, "until": instant + timedelta(seconds=60), "size": size, "names": _NAMES}
        rows = session.execute(_CLAIM, claimed).all()
    sent: list[int] = []
    failed: dict[int, str] = {}
    for row in sorted(rows):
        try:
            for task in row.awaits:
                current_app.send_task(task, kwargs=row.payload | {"topic": row.topic, "fact_id": row.id})
            sent.append(row.id)
        except Exception as error:
            failed[row.id] = repr(error)
    with unit_of_work() as session:
        session.execute(_SENT, {"now": now(), "ids": sent})
        for row_id, problem in failed.items():
            session.execute(_FAILED, {"id": row_id, "error": problem})
    return len(sent)
