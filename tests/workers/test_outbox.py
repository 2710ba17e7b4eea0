"""A broker that forgets: what it took is handed over again until the task has recorded it, and each effect happens once."""

from collections import Counter
from datetime import timedelta

import pytest
import redis
from celery import Celery, current_app
from kombu import Queue
from sqlalchemy import select, text

from market import embedded
from market.embedded.servers import read_record
from market.kernel.outbox import OutboxRow, announce
from tests.conftest import NOW
from tests.domain.invoices.test_invoices import taxed_order
from workers import outbox
from workers.base import InApp
from workers.queues import MODULES, NAMES, QUEUES, ROUTES


@pytest.fixture(scope="module")
def valkey(tmp_path_factory):
    """A Valkey of its own, which may be flushed."""
    data = tmp_path_factory.mktemp("valkey")
    embedded.ensure(data, {"REDIS_URL"})
    record = read_record(data)
    client = redis.Redis.from_url(record.redis_url)
    client.url = record.redis_url
    yield client
    client.close()
    embedded.remove(data)


@pytest.fixture
def celery(app, session, valkey, monkeypatch):
    """The product's Celery on that broker."""
    monkeypatch.setattr(InApp, "flask_app", app, raising=False)
    before = current_app._get_current_object()
    made = Celery("forgetful", task_cls=InApp, include=list(MODULES), broker=valkey.url)
    made.conf.update(task_default_queue="default", task_queues=QUEUES, task_routes=ROUTES, task_ignore_result=True)
    made.loader.import_default_modules()
    valkey.flushall()
    session.execute(text("DELETE FROM outbox"))
    session.commit()
    outbox.repeat()  # leaves its mark in the broker
    yield made
    made.close()
    before.set_current()


def work(celery, valkey) -> Counter[str]:
    """Do whatever the broker holds, as a worker does; return what was done, and how often."""
    done: Counter[str] = Counter()
    with celery.connection_for_read() as connection:
        for name in NAMES:
            waiting = connection.SimpleQueue(Queue(name))
            while valkey.llen(name):
                message = waiting.get_nowait()
                args, kwargs, _ = message.payload
                celery.tasks[message.headers["task"]](*args, **kwargs)
                message.ack()
                done[message.headers["task"]] += 1
            waiting.close()
    return done


def unfinished(session) -> list[str]:
    session.expire_all()
    return [task for row in session.scalars(select(OutboxRow).order_by(OutboxRow.id)) for task in row.awaits or ()]


def effects(session) -> tuple[int, int]:
    """How many mails are written and invoices issued."""
    return tuple(session.execute(text("SELECT (SELECT count(*) FROM notification), (SELECT count(*) FROM invoice)")).one())


def test_a_flush_of_the_broker_loses_no_mail_and_no_invoice(celery, session, valkey, clock):
    taxed_order(session)
    session.commit()
    told = outbox.dispatch()
    assert told > 0
    assert sum(valkey.llen(name) for name in NAMES) > 0
    valkey.flushall()
    assert work(celery, valkey) == {}
    assert effects(session) == (0, 0)

    assert (outbox.repeat(), outbox.dispatch()) == (told, told), "the mark is gone, and with it all that the broker took"
    clock.instant = NOW + outbox.AGAIN_AFTER
    assert outbox.repeat() == 0, "a slow worker gets its time"
    assert {"notifications.tell", "invoices.issue", "provenance.refresh_sold"} <= set(work(celery, valkey))
    made = effects(session)
    assert made[0] > 0
    assert made[1] == 1
    assert unfinished(session) == []

    clock.instant += timedelta(days=30)
    assert (outbox.repeat(), outbox.dispatch()) == (0, 0)


def test_what_the_broker_gives_twice_is_done_once(celery, session, valkey, clock):
    taxed_order(session)
    session.commit()
    outbox.dispatch()
    session.execute(text("UPDATE outbox SET sent_at = NULL, claimed_until = NULL"))
    session.commit()
    outbox.dispatch()
    assert work(celery, valkey)["invoices.issue"] == 2
    once = effects(session)
    assert once[1] == 1
    mails = session.execute(text("SELECT fact, email FROM notification")).all()
    assert len(mails) == len(set(mails)) == once[0]


def test_what_a_task_could_not_do_is_tried_ever_more_rarely_and_not_for_ever(celery, session, valkey, clock):
    announce(session, "orders.settled", {"seller_order_id": "no-id"})
    session.commit()
    wait = outbox.AGAIN_AFTER
    for time in range(1, outbox.MOST + 1):
        outbox.dispatch()
        with pytest.raises(ValueError, match="badly formed"):
            work(celery, valkey)
        (row,) = session.scalars(select(OutboxRow))
        session.refresh(row)
        assert (row.attempts, row.awaits) == (time, ["orders.hold_disputed"])
        assert "badly formed" in row.last_error
        clock.instant += wait
        assert outbox.repeat() == 0
        clock.instant += timedelta(seconds=1)
        assert outbox.repeat() == (time < outbox.MOST)
        wait = min(wait * 2, outbox.LONGEST)
    assert timedelta(days=6) < clock.instant - NOW < timedelta(days=8)
    clock.instant += timedelta(days=30)
    assert (outbox.repeat(), outbox.dispatch()) == (0, 0)


def test_only_the_task_that_failed_is_called_again(celery, session, valkey, clock):
    announce(session, "orders.paid", {"order_id": "no-id"})
    session.commit()
    outbox.dispatch()
    session.execute(text("UPDATE outbox SET awaits = ARRAY['invoices.issue']"))
    session.commit()
    valkey.flushall()
    outbox.repeat()
    outbox.dispatch()
    assert {name: valkey.llen(name) for name in NAMES if valkey.llen(name)} == {"default": 1}
