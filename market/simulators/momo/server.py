"""The provider's HTTP server: the API, callbacks, and control calls, on one loopback port.

Control calls, POST JSON to `/_control/NAME` with the user's key as bearer: `faults` {kind, path, method, count, probability,
seed, seconds} · `faults/clear` · `decide` (all that is pending) · `wallets` {msisdn, given_name, family_name} · `effects` ·
`statement` {opening} · `forget_tokens`. Faults of calls: `drop_before`, `drop_after`, `slow`, `500_before`, `500_after`,
`429`, `409`; of callbacks: `duplicate`, `late`, `lost`.
"""

import base64
import binascii
import http.client
import json
import logging
import re
import socket
import threading
import time
from decimal import Decimal, InvalidOperation
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from market.simulators.momo.store import Body, Store
from market.simulators.stripe.faults import Faults, Rule

log = logging.getLogger(__name__)
LARGEST_BODY = 100_000
_TRANSFER = re.compile(r"/disbursement/v1_0/transfer/([0-9a-f-]{36})")
_NAME = re.compile(r"/disbursement/v1_0/accountholder/msisdn/(\d{6,15})/basicuserinfo")
Answer = tuple[int, Body]


class Server(ThreadingHTTPServer):
    """Everything behind one port."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, store: Store, *, user: str, key: str) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.store, self.faults, self.user, self.key = store, Faults(), user, key
        self._ended = threading.Event()

    def run(self) -> None:
        """Serve until `shutdown`, then close the store."""
        courier = threading.Thread(target=self._call_back, name="callbacks", daemon=True)
        courier.start()
        try:
            self.serve_forever(poll_interval=0.1)
        finally:
            self._ended.set()
            courier.join(timeout=3)
            self.server_close()
            self.store.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: callers die in the middle of calls here."""

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> Answer:
        """Answer one API call."""
        if path == "/disbursement/token/":
            return self._token(headers)
        if not self.store.knows_token(headers.get("Authorization", "").removeprefix("Bearer ")):
            return 401, {"message": "Unauthorized"}
        if method == "POST" and path == "/disbursement/v1_0/transfer":
            return self._transfer(headers, body)
        if method == "GET" and (found := _TRANSFER.fullmatch(path)):
            transfer = self.store.transfer(found[1])
            return (200, transfer) if transfer else (404, {"code": "RESOURCE_NOT_FOUND", "message": "no such reference"})
        if method == "GET" and (found := _NAME.fullmatch(path)):
            name = self.store.name(found[1])
            return (200, name) if name else (404, {"code": "RESOURCE_NOT_FOUND", "message": "no such account holder"})
        return 404, {"message": "no such resource"}

    def control(self, name: str, facts: Body) -> Body:
        """Let happen what is asked for."""
        match name:
            case "faults":
                self.faults.add(Rule(**facts))
            case "faults/clear":
                self.faults.clear()
            case "decide":
                self.store.decide_due(everything=True)
            case "wallets":
                self.store.register(**facts)
            case "forget_tokens":
                self.store.forget_tokens()
            case "effects":
                return {"effects": self.store.effects()}
            case "statement":
                return {"csv": self.store.statement(Decimal(facts.get("opening", "0")))}
            case _:
                raise LookupError(name)
        return {"done": True}

    def _token(self, headers: Any) -> Answer:
        try:
            given = base64.b64decode(headers.get("Authorization", "").removeprefix("Basic ")).decode()
        except (binascii.Error, UnicodeDecodeError):
            given = ""
        if given != f"{self.user}:{self.key}":
            return 401, {"error": "login_failed"}
        return 200, {"access_token": self.store.new_token(), "token_type": "access_token", "expires_in": 3600}

    def _transfer(self, headers: Any, body: bytes) -> Answer:
        reference = headers.get("X-Reference-Id", "")
        if problem := _problem(reference, body):
            return 400, {"code": "INVALID_REQUEST", "message": problem}
        order = json.loads(body)
        if str(order["payee"]["partyId"]).endswith("51"):
            return 400, {"code": "PAYEE_LIMIT_REACHED", "message": "this wallet takes no more"}
        if not self.store.take(reference, order, headers.get("X-Callback-Url")):
            return 409, {"code": "RESOURCE_ALREADY_EXIST", "message": "Duplicated reference id. Creation of resource failed."}
        return 202, {}

    def _call_back(self) -> None:
        while not self._ended.wait(0.2):
            for reference, address, body in self.store.to_tell():
                fault = self.faults.for_webhook("transfer")
                if fault and fault.kind == "late":
                    time.sleep(fault.seconds)
                for _ in range(0 if fault and fault.kind == "lost" else 2 if fault and fault.kind == "duplicate" else 1):
                    _put(address, body)
                self.store.told(reference)


class Handler(BaseHTTPRequestHandler):
    """Reads a request, meets its fault, writes the answer."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "MobileMoneySimulator"
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:
        """Answer a GET."""
        self._handle("GET")

    def do_POST(self) -> None:
        """Answer a POST."""
        self._handle("POST")

    def _handle(self, method: str) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), LARGEST_BODY)
        body = self.rfile.read(length)
        path = urlsplit(self.path).path
        if path == "/healthz":
            self._send(200, {"ok": True})
        elif path.startswith("/_control/"):
            self._control(path.removeprefix("/_control/"), body)
        else:
            self._api(method, path, body)

    def _control(self, name: str, body: bytes) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.server.key}":
            self._send(401, {"message": "Unauthorized"})
            return
        try:
            self._send(200, self.server.control(name, json.loads(body or b"{}")))
        except (LookupError, TypeError, ValueError) as error:
            self._send(400, {"message": repr(error)})

    def _api(self, method: str, path: str, body: bytes) -> None:
        fault = self.server.faults.next(method, path)
        kind = fault.kind if fault else ""
        if kind == "drop_before":
            self._drop()
        elif kind in ("429", "409", "500_before"):
            self._send(int(kind[:3]), {"message": "on demand"})
        else:
            answer = self.server.answer(method, path, self.headers, body)
            if kind == "drop_after":
                self._drop()
                return
            if fault and kind == "slow":
                time.sleep(fault.seconds)
            self._send(*((500, {"message": "on demand"}) if kind == "500_after" else answer))

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, body: Body) -> None:
        content = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Keep the log quiet unless debugging."""
        log.debug(format, *args)


def _problem(reference: str, body: bytes) -> str | None:
    """Return what is wrong with an order, as the provider's validation does."""
    try:
        if UUID(reference).version != 4:
            return "X-Reference-Id must be a UUID of version 4"
        order = json.loads(body)
        payee = order["payee"]
        if Decimal(order["amount"]) <= 0 or not re.fullmatch(r"[A-Z]{3}", order["currency"]) or not order["externalId"]:
            return "amount, currency or externalId cannot be read"
        if payee["partyIdType"] != "MSISDN" or not re.fullmatch(r"[1-9]\d{6,14}", payee["partyId"]):
            return "payee is no MSISDN"
    except (ValueError, KeyError, TypeError, InvalidOperation) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _put(address: str, body: Body) -> None:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request("PUT", parts.path, json.dumps(body), {"Content-Type": "application/json"})
        connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        log.warning("a callback did not arrive: %s", error)
    finally:
        connection.close()
