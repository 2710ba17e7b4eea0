"""The HTTP server: API calls, the buyer's pages, and control calls, on one loopback port."""

import json
import logging
import socket
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from . import balance, pages, sessions
from .calls import Answer, Desk, Dropped
from .control import Control
from .faults import Faults
from .problems import Refusal
from .store import Store
from .webhooks import Courier
from .world import Options, World

log = logging.getLogger(__name__)
LARGEST_BODY = 1_000_000


class Server(ThreadingHTTPServer):
    """Everything behind one port."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, folder: Path, options: Options, seed: str | None = None) -> None:
        self.world = World(Store(folder, seed), options)
        self.faults = Faults()
        self.desk = Desk(self.world, self.faults)
        self.courier = Courier(self.world, self.faults)
        self.control = Control(self.world, self.faults, self.courier)
        super().__init__(("127.0.0.1", options.port), Handler)
        if not options.port:  # the system chose one
            address = f"http://127.0.0.1:{self.server_address[1]}"
            self.world.options = replace(options, port=self.server_address[1], public_url=address)
        self._ticking = threading.Event()

    def run(self) -> None:
        """Serve until `shutdown`, then let the threads end and close the store."""
        ticker = threading.Thread(target=self._tick, name="clock", daemon=True)
        ticker.start()
        self.courier.start()
        try:
            self.serve_forever(poll_interval=0.1)
        finally:
            self._ticking.set()
            self.courier.stop()
            self.courier.join(timeout=3)
            ticker.join(timeout=3)
            self.server_close()
            self.world.store.close()

    def _tick(self) -> None:
        last_payout = self.world.now()
        while not self._ticking.wait(0.5):
            with self.world.store.transaction():
                sessions.tick(self.world)
                every = self.world.options.payout_every
                if every and self.world.now() - last_payout >= every:
                    balance.make_payouts(self.world)
                    last_payout = self.world.now()


class Handler(BaseHTTPRequestHandler):
    """Reads a request, lets the right part answer it, writes the answer."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "StripeSimulator"
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:
        """Answer a GET."""
        self._handle("GET", b"")

    def do_POST(self) -> None:
        """Answer a POST."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self._json(413, {"error": {"type": "invalid_request_error", "message": "Too large."}}, {})
            return
        self._handle("POST", self.rfile.read(length))

    def _handle(self, method: str, body: bytes) -> None:
        parts = urlsplit(self.path)
        try:
            if parts.path.startswith(("/v1/", "/v2/")):
                answer = self.server.desk.answer(method, parts.path, parts.query, body, dict(self.headers.items()))
                self.server.courier.wake.set()
                self._json(answer.status, answer.body, answer.headers)
            elif parts.path.startswith("/_control/") and method == "POST":
                self._control(parts.path.removeprefix("/_control/"), body)
            elif parts.path == "/healthz":
                self._json(200, {"ok": True}, {})
            else:
                form = dict(parse_qsl(parts.query)) | dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
                page = pages.answer(self.server.world, method, parts.path, form, self.headers.get("Accept-Language", ""))
                self.server.courier.wake.set()
                self._page(page)
        except Dropped:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _control(self, name: str, body: bytes) -> None:
        try:
            self.server.desk.identify(dict(self.headers.items()))
            answer = Answer(200, self.server.control.answer(name, json.loads(body or b"{}")), {})
        except Refusal as refusal:
            answer = Answer(refusal.status, refusal.body, {})
        self._json(answer.status, answer.body, {})

    def _json(self, status: int, body: object, headers: dict[str, str]) -> None:
        self._send(status, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})

    def _page(self, page: pages.Page) -> None:
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Cache-Control": "no-store",
            "Content-Security-Policy": pages.POLICY,
        }
        if page.location:
            headers["Location"] = page.location
        self._send(page.status, page.html.encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the log quiet unless debugging."""
        log.debug(format, *args)
