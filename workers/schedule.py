"""What runs by the clock, each entry with its reason. Every periodic task takes an advisory lock: two beats do no harm."""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    # Facts reach the broker within seconds even when the wake-up after a commit was lost.
    "outbox": {"task": "outbox.dispatch", "schedule": 2.0},
    # A payout whose wake-up was lost, whose worker died or whose outcome is open is taken up again (money.md 6.3).
    "payouts": {"task": "payouts.sweep", "schedule": 15.0},
    # Law 5: nobody is forgotten. Once an hour is often enough for days.
    "payouts-overdue": {"task": "payouts.overdue", "schedule": 3600.0},
}
