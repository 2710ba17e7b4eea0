"""The web server: `python serve.py [--host 127.0.0.1] [--port 8000]`, two processes unless WEB_CONCURRENCY says otherwise.

The application is loaded before the processes fork, so that they share its memory and start at once. Two threads each: more
would wait for each other's turn on the interpreter; what takes long belongs into workers. WEB_THREADS gives more to a site
whose staff download large reports while others wait (docs/decisions, 0091).
"""

import argparse
import multiprocessing
import os
import socket
import sys
from typing import Any

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from market.http import connections
from market.kernel.memory import loading_for_forks

_TABLE = connections.Table()


def load(_: str) -> Any:
    """Return the application; a forked process has it already."""
    import wsgi

    return connections.Evened(wsgi.app, _TABLE)


def main() -> int:
    """Serve until asked to stop; return the exit code."""
    parser = argparse.ArgumentParser(prog="serve", description="Serve the market.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    if sys.platform == "linux" and _taken(options.host, options.port):
        print(f"error: Port {options.port} is taken by another program.", file=sys.stderr)
        return 1
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork")  # from 3.14 on Python would start each process from nothing
    with loading_for_forks():
        load("")
    server = Granian(
        "wsgi:app",
        address=options.host,
        port=options.port,
        interface=Interfaces.WSGI,
        workers=int(os.environ.get("WEB_CONCURRENCY", "2")),
        blocking_threads=int(os.environ.get("WEB_THREADS", "2")),
        blocking_threads_idle_timeout=600,
        loop=Loops.asyncio,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=load)
    return 0


def _taken(host: str, port: int) -> bool:
    """Whether somebody listens there: the server's own sockets would share the port with an older site of the same user."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
        return False


if __name__ == "__main__":
    sys.exit(main())
