"""The Celery app, bound to the web app's settings and database: `celery -A workers.app worker`."""

import gc
import os

from celery import Celery
from celery.signals import worker_process_init
from flask import Flask

from config import Settings
from market import embedded
from market.app import create_app
from market.http.db import db
from workers.base import COLLECT, InApp
from workers.queues import MODULES, QUEUES, ROUTES
from workers.schedule import SCHEDULE


def settings_from_environment() -> Settings:
    """Return the settings of this process, with the embedded servers' addresses where none are given."""
    return Settings.from_env(embedded.fill(os.environ))


def make_celery(flask_app: Flask, redis_url: str) -> "Celery[InApp]":
    """Return a Celery app whose tasks run inside `flask_app`; settings and their reasons stand in stack.md 5."""
    celery = Celery("market", task_cls=InApp, include=list(MODULES))
    InApp.flask_app = flask_app
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


def _build() -> "Celery[InApp]":
    settings = settings_from_environment()
    return make_celery(create_app(settings), settings.redis_url)


@worker_process_init.connect
def _begin(**_: object) -> None:
    gc.freeze()
    gc.set_threshold(*COLLECT)
    # A forked child must not share its parent's sockets.
    with InApp.flask_app.app_context():
        for engine in db.engines.values():
            engine.dispose(close=False)


app = _build()
