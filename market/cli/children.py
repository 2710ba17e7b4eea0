"""Child processes of the supervisor: each in a session of its own, its output in a file, stopped in order.

A session of its own keeps Ctrl-C from reaching all of them at once: the supervisor alone hears it and stops the web
server before the worker and the worker before the databases.
"""

import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOUD = re.compile(r"\b(ERROR|CRITICAL|FATAL)\b|\"level\": ?\"(error|critical)\"")
PATIENCE_SECONDS = 20
LARGEST_LOG_BYTES = 20 * 1024**2


@dataclass
class Child:
    """One process and the thread that carries its lines into `log`."""

    name: str
    command: list[str]
    environ: Mapping[str, str]
    process: subprocess.Popen[str]
    log: Path
    shown: bool
    carrier: threading.Thread = field(init=False)
    last: deque[str] = field(default_factory=lambda: deque(maxlen=15))
    falls: list[float] = field(default_factory=list)

    def carry(self) -> None:
        """Copy the output into the log file until it ends, and show errors at once."""
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.last.append(line.rstrip())
                if self.shown:
                    print(line, end="", flush=True)
                elif LOUD.search(line):
                    print(f"  {self.name} | {line.rstrip()}", flush=True)
                with contextlib.suppress(OSError):  # a full disk must not block the process whose lines these are
                    self._write(line)

    def _write(self, line: str) -> None:
        """Append to the log; beyond its largest size it becomes NAME.log.1 and a new one begins."""
        with self.log.open("a") as file:
            file.write(line)
            full = file.tell() > LARGEST_LOG_BYTES
        if full:
            self.log.replace(self.log.with_suffix(".log.1"))

    def signal(self, number: int) -> None:
        """Send a signal to the process; one that ended already is no error."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def sweep(self) -> None:
        """End whatever is left of the child's session."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return


class Children:
    """The running children, in the order of their start."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []

    def start(self, name: str, command: list[str], environ: Mapping[str, str], *, shown: bool = False) -> Child:
        """Start `command`; its output goes to `NAME.log`, and with `shown` to the console as well."""
        process = subprocess.Popen(
            [*_dies_with_us(), *command],
            env=dict(environ) | {"PYTHONUNBUFFERED": "1"},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            umask=0o077,  # logs, mails and photos are the business of whoever runs the site
        )
        child = Child(name, command, environ, process, self._logs / f"{name}.log", shown)
        child.carrier = threading.Thread(target=child.carry, name=f"{name}-output", daemon=True)
        child.carrier.start()
        self._children.append(child)
        return child

    def again(self, fallen: Child) -> None:
        """Start a part that ended once more, in its place in the order."""
        place = self._children.index(fallen)
        fallen.sweep()
        child = self.start(fallen.name, fallen.command, fallen.environ, shown=fallen.shown)
        child.falls = fallen.falls
        self._children.pop()
        self._children[place] = child

    def fallen(self) -> Child | None:
        """Return a child that ended by itself, its last words read."""
        found = next((child for child in self._children if child.process.poll() is not None), None)
        if found is not None:
            found.carrier.join(timeout=2)
        return found

    def finish(self, child: Child) -> int:
        """Forget a child that was meant to end and return its exit code."""
        self._children.remove(child)
        child.sweep()
        child.carrier.join(timeout=2)  # its last lines
        return child.process.wait()

    def stop(self) -> None:
        """Stop all, the last started first: politely, then by force."""
        while self._children:
            child = self._children[-1]
            child.signal(signal.SIGTERM)
            try:
                child.process.wait(timeout=PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                print(f"  {child.name} does not stop within {PATIENCE_SECONDS} s and is ended", flush=True)
            child.sweep()
            child.process.wait()
            self._children.pop()


@functools.cache
def _dies_with_us() -> tuple[str, ...]:
    """Return a prefix that lets the kernel stop a child whose supervisor was killed outright (Linux)."""
    prefix = ("setpriv", "--pdeathsig", "TERM")
    if shutil.which("setpriv") and subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode == 0:
        return prefix
    return ()


class Interrupted(Exception):
    """A person or the system asked the supervisor to stop."""


class Stop:
    """Remembers that SIGINT, SIGTERM or SIGHUP came."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._asked.set())

    def pause(self, seconds: float) -> None:
        """Wait; raise Interrupted as soon as somebody asked to stop."""
        if self._asked.wait(seconds):
            raise Interrupted
