"""What runs by the clock, each entry with its reason. Every periodic task takes an advisory lock: two beats do no harm."""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    # Stock that nobody paid for in time goes back on the shelf within the minute.
    "catalogue-holds": {"task": "catalogue.expire_holds", "schedule": 30.0},
    # Price rows become effective and certificates end by the day, in every zone of the world: look every hour.
    "catalogue-reevaluate": {"task": "catalogue.reevaluate", "schedule": 3600.0},
    # Facts reach the broker within seconds even when the wake-up after a commit was lost.
    "outbox": {"task": "outbox.dispatch", "schedule": 2.0},
    # A broker that was flushed knows nothing of what it took; nobody else would look.
    "outbox-again": {"task": "outbox.repeat", "schedule": 60.0},
    # Events not handled, payments nobody asked about, refunds whose turn it is, paid without order (money.md 4.3).
    "payments": {"task": "payments.sweep", "schedule": 60.0},
    # Deliveries get lost; the processor keeps its own list.
    "payments-compare": {"task": "payments.compare_events", "schedule": 3600.0},
    # The processor's statement: clearing and suspense empty within minutes.
    "payments-balance": {"task": "payments.sync_balance", "schedule": 60.0},
    # A payout whose wake-up was lost, whose worker died or whose outcome is open is taken up again (money.md 6.3).
    "payouts": {"task": "payouts.sweep", "schedule": 15.0},
    # The day of a co-op's rhythm begins in its own zone; drafted once per day, whoever looks (money.md 6.1).
    "payouts-scheduled": {"task": "payouts.draft_scheduled", "schedule": 900.0},
    # Law 5: nobody is forgotten. Once an hour is often enough for days.
    "payouts-overdue": {"task": "payouts.overdue", "schedule": 3600.0},
    # A hold on what is owed ends by itself (law 5).
    "earnings-holds": {"task": "earnings.end_holds", "schedule": 3600.0},
    # A hold that nobody pays gives its goods back to others.
    "orders-expire": {"task": "orders.expire", "schedule": 30.0},
    # Producers do not wait for a buyer who forgot to say that it came.
    "orders-confirmed-by-silence": {"task": "orders.confirm_silent", "schedule": 3600.0},
    # What has arrived is earned within seconds; a look that finds nothing is one short query.
    "orders-settle": {"task": "orders.settle", "schedule": 5.0},
    # Law 5 again: who does not open the desk is told by mail, once a day for each kind of thing that waits too long.
    "notifications-ring": {"task": "notifications.ring", "schedule": 3600.0},
    # Mail that failed is tried again when its time has come, and a lost wake-up is made good.
    "notifications": {"task": "notifications.deliver", "schedule": 15.0},
    # Whoever follows a co-op hears of its goods within the hour, and once a day at most.
    "notifications-news": {"task": "notifications.news", "schedule": 3600.0},
}
