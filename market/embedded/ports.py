"""Free ports, and what still listens or lives."""

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def free_port(preferred: int | None) -> int:
    """Return `preferred` when nothing listens there on loopback, else a port that is free now."""
    for port in ([preferred] if preferred else []) + [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def runs(pid: int, programs: tuple[str, ...]) -> bool:
    """Say whether process `pid` lives and is one of `programs`: after a reboot its number may belong to anything."""
    if Path("/proc/self").exists():
        try:
            name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(")")
        except OSError:
            return False
        return rest.split()[0] != "Z" and name.startswith(programs)
    command = ["ps", "-o", "stat=,comm=", "-p", str(pid)]
    shown = subprocess.run(command, check=False, capture_output=True, text=True).stdout.split()
    return len(shown) > 1 and not shown[0].startswith("Z") and Path(shown[1]).name.startswith(programs)


def wait_until(done: Callable[[], bool], *, seconds: float) -> bool:
    """Ask `done` until it says yes; False when the time is over."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
