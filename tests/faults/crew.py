"""Workers that die: `python -m tests.faults.crew` forks them for each line that comes in, JSON, until no payout waits.

A line names `url` of the database, `port` of the rail, `momo` (the address of the wallets), `mode` and `seed`; the answer is the
number of deaths.
Each worker runs the product's own `drain` and kills itself (SIGKILL) by dice at named points; the foreman kills some of them
from outside, at any moment of their lives. Time runs hundreds of times faster, and in the short form it jumps to when the next
payout wakes up, once nobody has anything to do; the workers' clocks disagree by up to two hours. MODE `naive` makes a new key
for each attempt, as careless code does; everything else is the same.
"""

import contextlib
import http.client
import json
import math
import mmap
import os
import random
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.orm import Session, configure_mappers

from config import Settings
from market.cli.migrations import import_models
from market.gateways.mobile_money import MobileMoney
from market.http.db import engine_options
from market.kernel import tenancy, uow
from market.kernel.ids import new_id
from market.kernel.uow import gateway
from market.payouts.ports import Accepted, Answer, NotFound, TransferOrder, Unsure
from market.payouts.rules.timing import Capabilities
from tests.momo_server import wallets_at
from workers.payouts import AT_ONCE, drain

WORKERS, FIRST = 6, 4
LONG = os.environ.get("FAULTS") == "long"
SPEED = 200 if LONG else 450  # a key is good for 23 hours, and the long form needs minutes
DEATH = {
    "after_claim": 0.02,
    "before_send": 0.02,
    "after_effect": 0.03,
    "after_answer": 0.03,
    "in_commit": 0.01,
    "after_commit": 0.01,
}
CALL_TIMEOUT = 120 / SPEED  # below the lease of three minutes
SHORT_LIVES, SHORT = 0.6, 1.5 if LONG else 1.0
"""How many workers are killed from outside, and within how many seconds: counted by lives, a slow machine kills no more."""
SKEW = timedelta(hours=1)
QUIET = 2 * CALL_TIMEOUT
"""Time jumps when no call began for so many seconds: nobody alive is in the middle of one."""

SETTINGS = {"REDIS_URL": "redis://127.0.0.1:1/0", "SECRET_KEY": "test-" * 8, "PASSWORD_SALT": "salt-" * 8, "MARKET_ENV": "test"}
SETTINGS |= {"STRIPE_KEY": "sk_test_local", "STRIPE_WEBHOOK_SECRET": "whsec_local"}
Die = Callable[[str], None]


class Time:
    """What time it is for everybody: faster than outside, and in the short form it jumps over what all would wait for."""

    def __init__(self) -> None:
        self._started, self._shared = time.time(), mmap.mmap(-1, 16)  # with whoever is forked later: seconds jumped, last call
        self.called()

    def now(self) -> datetime:
        """Return the time of a clock that goes right."""
        (jumped,) = struct.unpack_from("d", self._shared)
        return datetime(2026, 11, 25, 12, tzinfo=UTC) + timedelta(seconds=(time.time() - self._started) * SPEED + jumped)

    def called(self) -> None:
        """Note that somebody calls a rail."""
        struct.pack_into("d", self._shared, 8, time.time())

    def jump(self, to: datetime) -> None:
        """Let it be `to` unless it is later, or somebody may be at work."""
        jumped, called = struct.unpack_from("dd", self._shared)
        if not LONG and time.time() - called > QUIET:
            struct.pack_into("d", self._shared, 0, jumped + max(0, (to - self.now()).total_seconds()))


@gateway
class LoopbackRail:
    """`market.payouts.ports.Rail` over HTTP to the misbehaving rail."""

    capabilities = Capabilities(idempotent=True, askable=True, statement=True, reversible=False)

    def __init__(self, port: int, die: Die, passing: Time, *, naive: bool) -> None:
        self._port, self._die, self._passing, self._naive = port, die, passing, naive

    def check_details(self, details: object) -> None:
        """Everybody can be paid here."""

    def send(self, order: TransferOrder) -> Answer:
        """Order the transfer."""
        if self._naive:
            order = replace(order, key=str(new_id()))
        self._passing.called()
        self._die("before_send")
        body = json.dumps({"payout_id": str(order.payout_id), "key": order.key, "minor": order.money.minor})
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=CALL_TIMEOUT)
        try:
            connection.request("POST", "/send", body)
            response = connection.getresponse()
            self._die("after_effect")
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            return Unsure(repr(error))
        finally:
            connection.close()
        self._die("after_answer")
        if response.status != 200:
            return Unsure(f"status {response.status}")
        return Accepted(json.loads(content)["reference"])

    def ask(self, order: TransferOrder) -> Answer:
        """Nobody answers questions here before the key is forgotten."""
        return NotFound()

    def cancel(self, order: TransferOrder) -> Answer:
        """Nothing can be stopped."""
        return Unsure("cannot be stopped")


@gateway
class MortalWallets:
    """The product's own mobile-money rail over a provider that misbehaves, with death before and after each call."""

    capabilities = MobileMoney.capabilities

    def __init__(self, url: str, die: Die, passing: Time, *, naive: bool) -> None:
        self._inner, self._die, self._passing, self._naive = wallets_at(url, timeout=CALL_TIMEOUT), die, passing, naive

    def check_details(self, details: Mapping[str, str]) -> str | None:
        """Say what is wrong with them."""
        return self._inner.check_details(details)

    def send(self, order: TransferOrder) -> Answer:
        """Order the transfer."""
        self._passing.called()
        self._die("before_send")
        answer = self._inner.send(replace(order, key=str(new_id())) if self._naive else order)
        self._die("after_effect")
        return answer

    def ask(self, order: TransferOrder) -> Answer:
        """Ask, unless careless code has thrown its key away."""
        if self._naive:
            return Accepted(str(new_id()))
        self._passing.called()
        answer = self._inner.ask(order)
        self._die("after_answer")
        return answer

    def cancel(self, order: TransferOrder) -> Answer:
        """Nothing can be stopped."""
        return self._inner.cancel(order)


@dataclass(frozen=True)
class Crew:
    """What all workers share: the database, the rails' addresses, whether each attempt gets a new key, and the time."""

    engine: Engine
    port: int
    momo: str
    naive: bool
    passing: Time

    def drain(self, die: Die, skew: timedelta, *, limit: int = AT_ONCE) -> None:
        """Do what waits, by a clock that is wrong by `skew`."""
        units = iter(range(10**9))

        @contextlib.contextmanager
        def unit() -> Iterator[Session]:
            with uow.unit_of_work(lambda: Session(self.engine, expire_on_commit=False)) as session:
                event.listen(session, "before_commit", lambda _session: die("in_commit"))
                yield session
            die("after_commit" if next(units) % 2 else "after_claim")

        stripe = LoopbackRail(self.port, die, self.passing, naive=self.naive)
        rails = {"stripe": stripe, "momo": MortalWallets(self.momo, die, self.passing, naive=self.naive)}
        drain(unit, rails, lambda: self.passing.now() + skew, limit=limit)

    def work(self, seed: int) -> None:
        """Be one worker until nothing waits, or until death."""
        dice = random.Random(seed)
        skew = SKEW / 60 * dice.randint(-60, 60)

        def die(point: str) -> None:
            if dice.random() < DEATH[point]:
                os.kill(os.getpid(), signal.SIGKILL)

        self.engine.dispose(close=False)  # the foreman's connections are its own
        while True:
            self.drain(die, skew)
            with Session(self.engine) as session:
                wakes = session.execute(text("SELECT min(wake_at) FROM payout")).scalar_one()
            if wakes is None:
                return
            self.passing.jump(wakes)
            time.sleep(0.1)


def gather(url: str, port: int, momo: str, mode: str) -> Crew:
    """Make ready once what would be made in each worker: the foreman sends the first payouts, and does not die."""
    options = engine_options(Settings.from_env(SETTINGS | {"DATABASE_URL": url})) | {"pool_size": 1}
    crew = Crew(create_engine(options.pop("url"), **options), port, momo, mode == "naive", Time())
    crew.drain(lambda point: None, timedelta(0), limit=FIRST)
    return crew


def keep_at_work(crew: Crew, seed: int) -> int:
    """Keep the crew at work until no payout waits; return how many died."""
    dice, deaths, born = random.Random(seed), 0, 0
    ends: dict[int, float] = {}
    finished, failed = False, 0
    while ends or not finished:
        while not finished and len(ends) < WORKERS:
            born += 1
            if (pid := os.fork()) == 0:
                with contextlib.suppress(BaseException):
                    crew.work(seed * 100_000 + born)
                    os._exit(0)
                os._exit(1)
            ends[pid] = time.time() + dice.uniform(0, SHORT) if dice.random() < SHORT_LIVES else math.inf
        for pid, end in ends.items():
            if end < time.time():
                ends[pid] = math.inf
                os.kill(pid, signal.SIGKILL)
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            del ends[pid]
            finished = finished or (os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0)
            deaths += os.WIFSIGNALED(status)
            failed += os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0
            if failed > WORKERS * 5:
                raise RuntimeError("workers cannot work")
        time.sleep(0.01)
    return deaths


def main() -> None:
    """Load what all workers need, then be a foreman for each line."""
    import_models()
    configure_mappers()
    tenancy.enter(tenancy.EVERYTHING)
    for line in sys.stdin:
        wanted = json.loads(line)
        seed = wanted.pop("seed")
        print(keep_at_work(gather(**wanted), seed), flush=True)


if __name__ == "__main__":
    main()
