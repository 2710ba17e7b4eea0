"""A transfer rail on loopback that misbehaves by seed; its effect log, one line per money moved, is the oracle.

`python -m tests.faults.rail_server LOG SEED` prints its port. POST /send moves money once per key and answers with a
reference; before or after the effect it may drop the connection, answer 500, or wait past every time-out.
"""

import json
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What happens to a call, and how often. `ok` is the rest.
FAULTS = (("drop_before", 0.10), ("drop_after", 0.15), ("error_after", 0.07), ("slow_after", 0.03))
SLOW_SECONDS = 1.0


class Rail(ThreadingHTTPServer):
    """The rail's memory: keys with their references, the log, and the dice."""

    daemon_threads = True

    def __init__(self, log: str, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.log = open(log, "a", buffering=1)  # noqa: SIM115 - open as long as the server lives
        self.dice = random.Random(seed)
        self.lock = threading.Lock()
        self.known: dict[str, str] = {}

    def move(self, order: dict[str, object]) -> str:
        """Move the money of an order, once per key."""
        with self.lock:
            key = str(order["key"])
            if key not in self.known:
                self.known[key] = f"tr_{len(self.known) + 1}"
                self.log.write(json.dumps({"payout_id": order["payout_id"], "key": key, "minor": order["minor"]}) + "\n")
            return self.known[key]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: callers die in the middle of calls here."""

    def fate(self) -> str:
        """Throw the dice for one call."""
        with self.lock:
            at = self.dice.random()
        for name, share in FAULTS:
            if at < share:
                return name
            at -= share
        return "ok"


class Handler(BaseHTTPRequestHandler):
    """One call."""

    server: Rail
    protocol_version = "HTTP/1.0"

    def do_POST(self) -> None:
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fate = self.server.fate()
        if fate == "drop_before":
            return
        reference = self.server.move(order)
        if fate == "drop_after":
            return
        if fate == "slow_after":
            time.sleep(SLOW_SECONDS)
        body = json.dumps({"reference": reference}).encode()
        self.send_response(500 if fate == "error_after" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    rail = Rail(sys.argv[1], int(sys.argv[2]))
    print(rail.server_address[1], flush=True)
    rail.serve_forever()
