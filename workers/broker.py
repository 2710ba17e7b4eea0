"""What a worker and the beat share: the broker, its queues and how long anybody waits. Loads nothing of the market itself."""

import os
from typing import Any

from celery import Celery

from config import Settings
from workers.queues import QUEUES, ROUTES
from workers.schedule import SCHEDULE


def settings_from_environment() -> Settings:
    """Return the settings of this process, with the embedded servers' addresses where none are given."""
    if all(os.environ.get(name) for name in ("DATABASE_URL", "REDIS_URL")):
        return Settings.from_env(os.environ)
    # A driver of PostgreSQL would be a fifth of what the clock takes.
    from market import embedded

    return Settings.from_env(embedded.fill(os.environ))


def celery_on(redis_url: str, **options: Any) -> "Celery[Any]":
    """Return a Celery app on the broker at `redis_url`; the settings and their reasons stand in stack.md 5."""
    celery = Celery("market", **options)
    celery.conf.update(
        broker_url=redis_url,
        task_default_queue="default",
        task_queues=QUEUES,
        task_routes=ROUTES,
        beat_schedule=SCHEDULE,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_time_limit=600,
        task_soft_time_limit=540,
        worker_prefetch_multiplier=1,
        worker_autoscaler="workers.pool:WhenTasksWait",
        # What a process touched it holds for itself: some twenty minutes of the clock, then one that shares again.
        worker_max_tasks_per_child=1000,
        worker_hijack_root_logger=False,
        worker_soft_shutdown_timeout=10,
        broker_connection_retry_on_startup=True,
        # Longer than the hard limit of every task, or a long task would run twice.
        broker_transport_options={
            "visibility_timeout": 900,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 25,
        },
        redbeat_redis_url=redis_url,
        beat_scheduler="redbeat.RedBeatScheduler",
        # A beat that was killed holds its lock until this time is over (25 minutes unless said); it renews it every loop.
        redbeat_lock_timeout=30,
        beat_max_loop_interval=5,
        enable_utc=True,
    )
    return celery
