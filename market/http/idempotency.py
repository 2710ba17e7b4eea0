"""`Idempotency-Key` for writes of the API: the same call twice has one effect and one answer."""

import hashlib
from collections.abc import Callable
from typing import Any

from flask import Response, json, request
from sqlalchemy.orm import Session

from market.http.auth import current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.kernel import direct, idempotency
from market.kernel.errors import Conflict, Invalid


class KeyNeeded(Invalid):
    """The call moves money or stock and names no key."""

    code = "idempotency.key_needed"


class StillRunning(Conflict):
    """The same call is being carried out by another request."""

    code = "idempotency.still_running"


def once(
    payload: dict[str, Any],
    act: Callable[[Session], tuple[int, dict[str, Any]]],
    *,
    required: bool = True,
    guest: str | None = None,
) -> Response:
    """Carry `act` out in one unit of work under the request's key, or answer as before.

    `act` gets the session and returns status and JSON body. `guest` is the e-mail address of a caller without an account:
    keys are each caller's own, and guests who choose the same one never meet. Raises KeyNeeded without a key where one is
    required, and KeyUsedDifferently when the key was used with another payload.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        if required:
            raise KeyNeeded("Send an Idempotency-Key header, a fresh random text per order or act, so that a repeat is harmless.")
        with unit_of_work() as session:
            status, body = act(session)
        return _answer(status, body)
    if not 8 <= len(key) <= 200 or not key.isprintable():
        raise KeyNeeded("An Idempotency-Key has 8 to 200 characters that can be printed.")
    scope = f"{_whose(guest)}:{request.method}:{request.endpoint}"
    with unit_of_work() as session:
        direct.plan_once(session)
        before = idempotency.recall(session, scope=scope, key=key, payload=payload)
        if before is not None:
            return _answer(*before, replayed=True)
        status, body = act(session)
        if not idempotency.remember(session, scope=scope, key=key, payload=payload, status=status, body=body, now=now()):
            raise StillRunning("The same request is being carried out right now. Ask again in a moment.")
    return _answer(status, body)


def _whose(guest: str | None) -> str:
    actor = current_actor()
    if actor.account_id is None and guest is not None:
        return "guest " + hashlib.sha256(guest.strip().lower().encode()).hexdigest()
    return f"{actor.label} for {actor.coop_id}" if actor.coop_id else actor.label  # one person may work for two co-ops


def _answer(status: int, body: dict[str, Any], *, replayed: bool = False) -> Response:
    response = Response(json.dumps(body), status, content_type="application/json")
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response
