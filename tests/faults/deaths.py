"""A site of real processes on a database cluster of its own, and the people who use it while parts of it die."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from market import embedded
from market.cli import migrations
from market.embedded import postgres
from market.embedded.ports import free_port
from market.embedded.servers import servers_of
from market.kernel import tenancy
from market.simulators.stripe.webhooks import signature
from tests.conftest import ROOT, trust_the_machine
from tests.stripe_server import KEY, SECRET, StripeServer

LONG = os.environ.get("FAULTS") == "long"
PATIENCE_S = 180
LATER = 2 if LONG else 5
"""How many minutes lie between two workers: the short form waits out each lease, the long one meets claims of the dead first."""

SETTINGS = {"SECRET_KEY": "test-" * 8, "PASSWORD_SALT": "salt-" * 8, "MARKET_ENV": "development", "STRIPE_KEY": KEY}
SETTINGS |= {"STRIPE_WEBHOOK_SECRET": SECRET, "SMTP_HOST": "127.0.0.1", "SMTP_PORT": "1", "WEB_CONCURRENCY": "1"}
ROOM = {"GUEST_ORDERS_PER_EMAIL": "1000", "GUEST_ORDERS_PER_ADDRESS": "1000", "UNPAID_ORDERS": "1000"}


class Gone(Exception):
    """A part of the site died under the call, or what it needs is away: whoever called tries again."""


@dataclass
class Death:
    """Who dies, at which passage of which point: the process `itself`, the `database`, or what the `broker` remembers."""

    victim: str
    point: str
    passage: int = 1


@dataclass
class Site:
    """The running site, its processor, and how many deaths it has seen."""

    data: Path
    folder: Path
    cards: StripeServer
    process: "subprocess.Popen[str]"
    port: int
    url: str
    deaths: dict[str, int] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """Make one call and return its JSON; a fault or a broken connection is Gone, a refusal an answer with its status."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        kind = "application/xml" if isinstance(body, bytes) else "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(
                method, path, content, {"Content-Type": kind} | {n.replace("_", "-"): v for n, v in headers.items()}
            )
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Gone(repr(error)) from error
        finally:
            connection.close()
        if answer.status >= 500:
            raise Gone(f"{method} {path}: {answer.status} {said[:300]!r}")
        found = json.loads(said) if said and b"json" in (answer.headers["Content-Type"] or "").encode() else {"body": said}
        return found | {"status": answer.status}

    def let_pass(self, minutes: int) -> None:
        """Let time pass here and at the processor."""
        clock = self.folder / "clock"
        clock.write_text(str(int(clock.read_text()) + minutes))
        self.cards.control("clock", advance=60 * minutes)

    def work(self) -> dict[str, Any]:
        """Let a worker do what waits, minutes later; Gone when it died or met a fault."""
        self.let_pass(LATER)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("work\n")
        self.process.stdin.flush()
        if (code := int(self.process.stdout.readline())) != 0:
            raise Gone(f"the worker ended with {code}")
        return {"status": 200}

    @property
    def forgotten(self) -> int:
        """Return how many messages the broker held when it was flushed, all times together."""
        lines = self.folder / "forgotten"
        return sum(map(int, lines.read_text().split())) if lines.exists() else 0

    def today(self) -> date:
        """Return the day it is on the site."""
        return (datetime.now(UTC) + timedelta(minutes=int((self.folder / "clock").read_text()))).date()

    def survive(self, act: Callable[[], dict[str, Any]], *deaths: Death, repeat: bool = True) -> dict[str, Any]:
        """Do `act` again after each death, as whoever heard no answer would; return the answer that came at last.

        Without `repeat`, an act that was answered is not done again: nobody hears that the broker forgot.
        """
        order = self.folder / "order"
        for death in deaths:
            order.write_text(json.dumps(vars(death)))
            with contextlib.suppress(Gone):
                answer = self._persist(act, lambda: order.exists())
                met = not order.exists()
                order.unlink(missing_ok=True)
                self.deaths[death.victim] = self.deaths.get(death.victim, 0) + met
                if not (met and repeat):
                    return answer
                self.mend()
                continue
            self.deaths[death.victim] = self.deaths.get(death.victim, 0) + 1
            self.mend()
        return self._persist(act, lambda: True)

    def _persist(self, act: Callable[[], dict[str, Any]], again: Callable[[], bool]) -> dict[str, Any]:
        """Try up to five times: each connection of before a death is noticed by whoever meets it."""
        for tried in range(5):
            try:
                return act()
            except Gone:
                if tried == 4 or not again():
                    raise
        raise AssertionError

    def mend(self) -> None:
        """See that the database runs and the web server answers again."""
        embedded.ensure(self.data, {"DATABASE_URL"})
        self.wait()

    def wait(self) -> None:
        """Wait until the web server answers."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.call("GET", "/healthz")
                return
            except Gone:
                assert time.monotonic() < end, "the web server does not come back"
                assert self.process.poll() is None, "the site is gone"
                time.sleep(0.02)

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """Give a session that sees every co-op and commits at the end."""
        migrations.import_models()
        engine = create_engine(migrations.sqlalchemy_url(self.url))
        with Session(engine, expire_on_commit=False) as session, tenancy.scoped(tenancy.EVERYTHING):
            yield session
            session.commit()
        engine.dispose()

    def all(self, sql: str, **values: Any) -> list[Any]:
        """Return the rows of a question."""
        with self.session() as session:
            return list(session.execute(text(sql), values).all())

    def events(self, named: str) -> list[dict[str, Any]]:
        """Return the processor's events that name a thing, the oldest first."""
        _, _, body = self.cards.request("GET", f"{self.cards.url}/v1/events?limit=100", Authorization=f"Bearer {KEY}")
        return [event for event in reversed(json.loads(body)["data"]) if named in json.dumps(event)]

    def tell(self, named: str) -> list[Callable[[], dict[str, Any]]]:
        """Return the deliveries of all events that name a thing, the oldest first."""

        def deliver(event: dict[str, Any]) -> dict[str, Any]:
            content = json.dumps(event).encode()
            return self.call("POST", "/hooks/stripe", content, Stripe_Signature=signature(content, SECRET, int(time.time())))

        return [lambda event=event: deliver(event) for event in self.events(named)]


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Site]:
    """Start a site with an empty database, its processes loading while the database is made; stop all of it at the end."""
    data, port = folder / "data", free_port(None)
    (folder / "clock").write_text("0")
    command = [sys.executable, "-m", "tests.faults.mortal", str(port), str(folder)]
    log = (folder / "site.log").open("w")
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
    cards = StripeServer(folder / "stripe")
    try:
        record, _ = embedded.ensure(data, {"DATABASE_URL", "REDIS_URL"})
        trust_the_machine(postgres.url("postgres", record.superuser_password, record.postgres_port or 0, "postgres"))
        migrations.upgrade(record.database_url)
        own = SETTINGS | ROOM | {"DATABASE_URL": record.database_url, "REDIS_URL": record.redis_url}
        own |= {"STRIPE_API_BASE": cards.url, "FILES_URL": str(folder / "files"), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
        assert process.stdin is not None
        process.stdin.write(json.dumps({"environ": own, "postgres": str(servers_of(record)[1].folder)}) + "\n")
        process.stdin.flush()
        site = Site(data, folder, cards, process, port, record.database_url)
        site.wait()
        yield site
    finally:
        process.communicate("")
        cards.stop()
        log.close()
        embedded.remove(data)
