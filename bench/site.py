"""The site under load: its own database on the embedded (or given) server, filled by COPY, two web processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from bench.load import Plan

ROOT = Path(__file__).parents[1]
DATABASE = "market_bench"


@dataclass(frozen=True)
class Site:
    """Where everything is. `database_url` is the owner's plain libpq address."""

    url: str
    database_url: str
    environ: dict[str, str]
    web: subprocess.Popen[bytes]
    cold_start_s: float
    plan: Plan

    def memory_mb(self) -> float:
        """Return the memory of the web processes together (proportional set size: shared pages count once)."""
        return memory_mb(self.web.pid)


def memory_mb(pid: int) -> float:
    """Return the memory of a process and its children together (proportional set size: shared pages count once)."""
    return sum(_memory_kb(each) for each in [pid, *_children(pid)]) / 1024


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _memory_kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        return 0
    return 0


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def plain(url: str) -> str:
    """Return an address as libpq wants it."""
    return url.replace("postgresql+psycopg://", "postgresql://")


def environment() -> dict[str, str]:
    """Return the settings of a site for the bench, with servers running."""
    from market import embedded

    data = ROOT / "var" / "bench"
    data.mkdir(parents=True, exist_ok=True)
    filled = embedded.fill(
        {name: value for name, value in os.environ.items() if not name.startswith("MARKET_")} | {"MARKET_DATA": str(data)}
    )
    made = {
        "SECRET_KEY": "bench-" * 8,
        "PASSWORD_SALT": "bench-" * 8,
        "STRIPE_KEY": "sk_test_bench",
        "STRIPE_WEBHOOK_SECRET": "whsec_bench",
        "MARKET_ENV": "development",
        "FILES_URL": str(data / "files"),
        # One machine plays a hundred thousand buyers: their addresses differ, the network is the same.
        "GUEST_ORDERS_PER_ADDRESS": "0",
    }
    return made | filled


def new_database(server_url: str) -> str:
    """Drop and make the bench's own database; return its address."""
    server = plain(server_url)
    with psycopg.connect(server, autocommit=True) as connection:
        # What a stopped bench left connected goes first; WITH (FORCE) is refused while autovacuum works in the database.
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user", (DATABASE,)
        )
        for statement in ("DROP DATABASE IF EXISTS {}", "CREATE DATABASE {} TEMPLATE template0"):
            connection.execute(sql.SQL(statement).format(sql.Identifier(DATABASE)))
    base, _, query = server.partition("?")
    return base.rsplit("/", 1)[0] + "/" + DATABASE + (f"?{query}" if query else "")


def start_web(environ: dict[str, str]) -> tuple[subprocess.Popen[bytes], str, float]:
    """Start the web server as the product is served; return it, its address and the seconds to the first answer."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "serve.py", "--port", str(port)]
    begun = time.perf_counter()
    web = subprocess.Popen(command, cwd=ROOT, env=environ | {"PUBLIC_URL": url}, start_new_session=True)
    while True:
        if web.poll() is not None:
            raise RuntimeError("the web processes did not start")
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
                if answer.status == 200:
                    return web, url, time.perf_counter() - begun
        except OSError:
            if time.perf_counter() - begun > 60:
                raise
            time.sleep(0.01)


@contextmanager
def running(plan: Plan) -> Iterator[Site]:
    """Build the site, give it, and stop what was started."""
    from bench import data
    from market.cli import migrations

    environ = environment()
    database_url = new_database(environ["DATABASE_URL"])
    migrations.upgrade(database_url)
    environ["DATABASE_URL"] = database_url
    begun = time.perf_counter()
    data.fill(database_url, listings=plan.listings)
    print(f"{plan.listings:,} listings built in {time.perf_counter() - begun:.1f} s", flush=True)
    web, url, cold = start_web(environ)
    try:
        yield Site(url=url, database_url=database_url, environ=environ, web=web, cold_start_s=cold, plan=plan)
    finally:
        os.killpg(web.pid, signal.SIGTERM)
        web.wait(30)
