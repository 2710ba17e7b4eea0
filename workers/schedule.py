"""What runs by the clock, each entry with its reason. Every periodic task takes an advisory lock: two beats do no harm."""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    # Facts reach the broker within seconds even when the wake-up after a commit was lost.
    "outbox": {"task": "outbox.dispatch", "schedule": 2.0},
}
