"""The site whose parts die on order: `python -m tests.faults.mortal PORT FOLDER`.

It loads while its servers are made: the first line on standard input is JSON, the `environ` that names them and PostgreSQL's
folder. Then `serve.py` serves on PORT with one process, which is started anew when it dies. A line on standard input forks a worker that
runs what the outbox holds and what the clock would start; its exit code is the answer, one line. Everything is the
product's own; only the driver's commit and the calls of gateways look first whether somebody has to die there:
FOLDER/order names the point, at which passage, and whom SIGKILL meets: the process itself, or PostgreSQL with all its
children; or it flushes the broker, a Valkey, and FOLDER/forgotten gets a line with the number of
messages that waited there or were in hand. FOLDER/clock says by how much the clock is fast.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import wraps
from itertools import cycle
from pathlib import Path
from typing import Any

import psycopg
from kombu import Message
from kombu.transport.redis import Channel
from redis import Redis

from market.embedded.ports import runs, wait_until
from market.kernel import clock, uow

PORT, FOLDER = sys.argv[1], Path(sys.argv[2])
ORDER, FORGOTTEN, FAST = FOLDER / "order", FOLDER / "forgotten", FOLDER / "clock"
CLOCKED = ("payments.sweep", "payouts.sweep", "orders.settle", "payments.sync_balance", "notifications.deliver", "outbox.repeat")


def reach(point: str) -> bool:
    """Pass a point; say whether the database was killed there."""
    try:
        order = json.loads(ORDER.read_text())
    except FileNotFoundError:
        return False
    if order["point"] != point:
        return False
    order["passage"] -= 1
    if order["passage"]:
        ORDER.write_text(json.dumps(order))
        return False
    ORDER.unlink()
    if order["victim"] == "itself":
        os.kill(os.getpid(), signal.SIGKILL)
    if order["victim"] == "broker":
        flush()
        return False
    server = int((POSTGRES / "postmaster.pid").read_text().split()[0])
    command = ["ps", "-o", "pid=", "--ppid", str(server)]
    children = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    for pid in (server, *map(int, children)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    # While it seems to live, whoever starts it anew would ask it to stop and wait for that, seconds where nobody buries it.
    assert wait_until(lambda: not runs(server, ("postgres",)), seconds=60)
    return True


def flush() -> None:
    """Let the broker forget all that it holds."""
    with Redis.from_url(os.environ["REDIS_URL"]) as broker:
        forgotten = sum(broker.llen(name) for name in NAMES) + broker.hlen("unacked")
        broker.flushall()
    with FORGOTTEN.open("a") as lines:
        lines.write(f"{forgotten}\n")


def mortal_commit(connection: psycopg.Connection[Any]) -> None:
    """Commit, unless somebody dies before; who dies afterwards has committed and does not know it."""
    reach("before_commit")
    commit(connection)
    if reach("after_commit"):
        connection.execute("SELECT")  # the answer to the commit never came


def mortal_call(function: Callable[..., Any]) -> Callable[..., Any]:
    """Guard a gateway's method as the product does, and let somebody die before or after the call."""
    guarded = guard(function)

    @wraps(guarded)
    def call(*args: Any, **kwargs: Any) -> Any:
        reach("before_call")
        result = guarded(*args, **kwargs)
        reach("after_call")
        return result

    return call


def fast_clock(_: clock.SystemClock) -> datetime:
    """Return the machine's time, and what the tests have let pass."""
    return datetime.now(UTC) + timedelta(minutes=int(FAST.read_text()))


commit, guard = psycopg.Connection.commit, uow._guarded
psycopg.Connection.commit, uow._guarded, clock.SystemClock.now = mortal_commit, mortal_call, fast_clock

from sqlalchemy.orm import configure_mappers  # noqa: E402

import market.app  # noqa: E402, F401  (the gateways are guarded as their modules are read)

told = json.loads(sys.stdin.readline())
os.environ.update(told["environ"])
POSTGRES = Path(told["postgres"])

import serve  # noqa: E402
from market.http.db import db  # noqa: E402
from workers import app as celery_app  # noqa: E402
from workers.queues import NAMES  # noqa: E402


def messages(channel: Channel) -> Iterator[Message]:
    """Give what waits in the broker, one message after the other; it forgets each once it was carried out, well or badly."""
    empty = 0
    for name in cycle(NAMES):
        message = channel.basic_get(name)
        empty = 0 if message else empty + 1
        if empty == len(NAMES):
            return
        if message:
            try:
                yield message
            finally:
                message.ack()


def carry_out(name: str, *, message: Message | None = None) -> None:
    """Run one task as a worker does; what the product wants to try again it puts into the broker, other faults are lost."""
    task = celery_app.app.tasks[name]
    args, kwargs, _ = message.payload if message else ((), {}, None)
    about = message.headers | {"delivery_info": message.delivery_info} if message else {"id": "clock", "retries": 0}
    task.push_request(**about | {"called_directly": False, "args": args, "kwargs": kwargs})
    try:
        task(*args, **kwargs)
    finally:
        task.pop_request()


def work() -> None:
    """Do what waits: facts, then what the clock starts, then the facts of that. The first fault ends it.

    First comes what a worker had in hand who died: its time is over.
    """
    with celery_app.app.connection_for_read() as connection:
        channel = connection.default_channel
        channel.visibility_timeout = 0
        channel.qos.restore_visible(num=1000)
        for clocked in ((), CLOCKED, CLOCKED):
            for name in (*clocked, "outbox.dispatch"):
                carry_out(name)
            with contextlib.closing(messages(channel)) as waiting:
                for message in waiting:
                    carry_out(message.headers["task"], message=message)


def work_when_told() -> None:
    """Fork a worker for each line that comes in, and answer how it ended."""
    for _ in sys.stdin:
        if (pid := os.fork()) == 0:
            try:
                work()
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def keep_serving() -> None:
    """Be `serve.py`, again and again: it gives up when its process dies twice within seconds, and a supervisor starts it."""
    os.setpgrp()
    os.dup2(2, 1)  # what it says is no answer of a worker
    sys.argv = ["serve.py", "--port", PORT]
    while True:
        if (server := os.fork()) == 0:
            os._exit(serve.main())
        os.waitpid(server, 0)


def main() -> None:
    """Serve in children, work here."""
    serve.load("")
    celery_app.app.loader.import_default_modules()
    configure_mappers()  # here once, not in each worker, as the statements of what the clock starts
    for name in CLOCKED:
        carry_out(name)
    with celery_app.InApp.flask_app.app_context():
        db.engine.dispose()
    if (keeper := os.fork()) == 0:
        keep_serving()
    try:
        work_when_told()
    finally:
        os.killpg(keeper, signal.SIGKILL)
        os.waitpid(keeper, 0)


if __name__ == "__main__":
    main()
