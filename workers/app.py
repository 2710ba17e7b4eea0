"""The Celery app, bound to the settings and the database of the site: `celery -A workers.app worker`.

The market is loaded before the processes fork, so that they share its memory.
"""

import gc

from celery import Celery
from celery.signals import worker_process_init

from market.http.db import db
from market.kernel.memory import loading_for_forks
from market.wiring import bare_app
from workers.base import COLLECT, InApp
from workers.broker import celery_on, settings_from_environment
from workers.queues import MODULES


def _build() -> "Celery[InApp]":
    settings = settings_from_environment()
    InApp.flask_app = bare_app(settings)
    celery = celery_on(settings.redis_url, task_cls=InApp, include=list(MODULES))
    celery.loader.import_default_modules()
    return celery


@worker_process_init.connect
def _begin(**_: object) -> None:
    gc.set_threshold(*COLLECT)
    # A forked child must not share its parent's sockets.
    with InApp.flask_app.app_context():
        for engine in db.engines.values():
            engine.dispose(close=False)


with loading_for_forks():
    app = _build()
