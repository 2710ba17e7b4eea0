"""One API call from bytes to answer: who calls, idempotency, faults, parameters, the handler.

Idempotency as documented (docs.stripe.com/api/idempotent_requests): the answer of a call that began to work is
kept under its key, 500s included, in the same transaction as its effect, and replayed with
`Idempotent-Replayed: true`; the same key with other parameters is an error; a key in use answers 409; failed
validation, 409 and 429 are not kept; keys are forgotten after 24 hours of this server's clock.
"""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import faults as fault_rules
from .params import check, nested
from .problems import Refusal
from .routes import Route, match
from .store import Body, public
from .world import Request, World, expand

KEPT_FOR = 86_400
BROKEN = {"error": {"type": "api_error", "message": "An unexpected error occurred in the simulator, on demand."}}


class Dropped(Exception):
    """The connection ends without an answer."""


@dataclass
class Answer:
    """Status, body and headers."""

    status: int
    body: Body
    headers: dict[str, str]


class Desk:
    """Answers calls, one effect per idempotency key."""

    def __init__(self, world: World, faults: fault_rules.Faults) -> None:
        self.world, self.faults = world, faults
        self._running: set[str] = set()
        self._lock = threading.Lock()

    def answer(self, method: str, path: str, query: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer one call; raises Dropped when the connection shall die."""
        request_id = f"req_{hashlib.sha256(f'{time.perf_counter_ns()}'.encode()).hexdigest()[:14]}"
        base = {"Request-Id": request_id, "Stripe-Version": headers.get("Stripe-Version", "")}
        key = headers.get("Idempotency-Key") if method == "POST" else None
        try:
            self.identify(headers)
            found = match(method, path)
            if found is None:
                raise Refusal(404, f"Unrecognized request URL ({method}: {path}).", executed=False)
            if key is not None and not 1 <= len(key) <= 255:
                raise Refusal(400, "Idempotency keys are 1 to 255 characters long.", executed=False)
            request = Request(method, path, found[1], {}, key, headers.get("Stripe-Account"), request_id)
            if key:
                base["Idempotency-Key"] = key
            return self._once(found[0], request, query, body, headers, base)
        except Refusal as refusal:
            return Answer(refusal.status, public(refusal.body), base)

    def identify(self, headers: Mapping[str, str]) -> None:
        """Refuse callers without the API key."""
        given = headers.get("Authorization", "")
        if given.startswith("Basic "):
            given = "Bearer " + base64.b64decode(given[6:]).decode(errors="replace").split(":")[0]
        if given != f"Bearer {self.world.options.key}":
            raise Refusal(401, "Invalid API Key provided.", executed=False)

    def _once(
        self, route: Route, request: Request, query: str, body: bytes, headers: Mapping[str, str], base: dict[str, str]
    ) -> Answer:
        key = request.key
        if key is None:
            return self._perform(route, request, query, body, base, "")
        digest = hashlib.sha256(f"{request.path}\n{headers.get('Stripe-Account', '')}\n".encode() + body).hexdigest()
        with self._lock:
            if key in self._running:
                raise Refusal(
                    409,
                    f"There is currently another in-progress request using this idempotency key ({key}).",
                    kind="idempotency_error",
                    code="idempotency_key_in_use",
                )
            kept = self.world.store.rows("SELECT at, request, status, answer FROM idempotency WHERE key = ?", key)
            if kept and self.world.now() - kept[0][0] < KEPT_FOR:
                if kept[0][1] != digest:
                    raise Refusal(
                        400,
                        f"Keys for idempotent requests can only be used with the same parameters ({key}).",
                        kind="idempotency_error",
                    )
                return Answer(kept[0][2], json.loads(kept[0][3]), {**base, "Idempotent-Replayed": "true"})
            self._running.add(key)
        try:
            return self._perform(route, request, query, body, base, digest)
        finally:
            with self._lock:
                self._running.discard(key)

    def _perform(self, route: Route, request: Request, query: str, body: bytes, base: dict[str, str], digest: str) -> Answer:
        fault = self.faults.next(request.method, request.path)
        kind = fault.kind if fault else ""
        if kind == "drop_before":
            raise Dropped
        if kind == "429":
            raise Refusal(429, "Request rate limit exceeded.", code="rate_limit", executed=False)
        if kind == "409":
            raise Refusal(
                409,
                "This object cannot be accessed right now because another request is accessing it.",
                code="lock_timeout",
                executed=False,
            )
        if kind == "500_before":
            return self._keep(request, digest, Answer(500, BROKEN, base))
        request.params = check(read_params(request, query, body), route.parameters())
        answer = self._run(route, request, digest, base, broken=kind == "500_after")
        if kind == "drop_after":
            raise Dropped
        if kind == "slow" and fault:
            time.sleep(fault.seconds)
        return answer

    def _run(self, route: Route, request: Request, digest: str, base: dict[str, str], *, broken: bool) -> Answer:
        """Run the handler and keep its answer in one transaction; a refusal without `keep` undoes its writes."""
        try:
            with self.world.store.transaction():
                self.world.request = request
                try:
                    body = route.handler(self.world, request)
                    answer = Answer(200, public(expand(self.world, body, request.params.get("expand", []))), base)
                except Refusal as refusal:
                    if not refusal.keep:
                        raise
                    answer = Answer(refusal.status, public(refusal.body), base)
                finally:
                    self.world.request = None
                if broken:
                    answer = Answer(500, BROKEN, base)
                self._write(request, digest, answer)
                return answer
        except Refusal as refusal:
            answer = Answer(refusal.status, public(refusal.body), base)
            return self._keep(request, digest, answer) if refusal.executed else answer

    def _keep(self, request: Request, digest: str, answer: Answer) -> Answer:
        with self.world.store.transaction():
            self._write(request, digest, answer)
        return answer

    def _write(self, request: Request, digest: str, answer: Answer) -> None:
        if request.key:
            self.world.store.rows(
                "INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?)",
                request.key,
                self.world.seconds(),
                digest,
                answer.status,
                json.dumps(answer.body),
            )


def read_params(request: Request, query: str, body: bytes) -> dict[str, Any]:
    """Parameters as nested text, or as JSON for version 2."""
    if request.method == "GET":
        return nested(query)
    if not request.path.startswith("/v2/"):
        return nested(body.decode("utf-8", "replace"))
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Refusal(400, "The body is not a JSON object.", executed=False)
    return given
