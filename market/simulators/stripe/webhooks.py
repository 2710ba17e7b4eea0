"""Deliver events to the product: signed, at least once, in no promised order, with retries for three days."""

import hashlib
import hmac
import http.client
import json
import threading
from typing import Any
from urllib.parse import urlsplit

from .faults import Faults
from .store import public
from .world import World

WAITS = (1, 2, 4, 8, 15, 30, 60, 300, 1800, 3600)  # seconds before each repeat; then every three hours
GIVE_UP_AFTER = 3 * 86_400
WEEK = 7 * 86_400


def signature(body: bytes, secret: str, at: int) -> str:
    """The `Stripe-Signature` header (docs.stripe.com/webhooks#verify-manually)."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class Courier(threading.Thread):
    """One thread that takes due deliveries from the store, oldest first."""

    def __init__(self, world: World, faults: Faults) -> None:
        super().__init__(name="webhooks", daemon=True)
        self.world, self.faults = world, faults
        self.wake, self._stop_asked = threading.Event(), threading.Event()

    def stop(self) -> None:
        """Ask the thread to end after the delivery in hand."""
        self._stop_asked.set()
        self.wake.set()

    def run(self) -> None:
        """Deliver until asked to stop."""
        while not self._stop_asked.is_set():
            if not self.deliver_due():
                self.wake.wait(0.25)
                self.wake.clear()

    def waiting(self) -> int:
        """Deliveries due by now."""
        return int(self.world.store.rows("SELECT count(*) FROM delivery WHERE due_at <= ?", self.world.now())[0][0])

    def deliver_due(self) -> bool:
        """Try one due delivery; False when none is due."""
        due = self.world.store.rows(
            "SELECT rowid, event, attempts FROM delivery WHERE due_at <= ? ORDER BY due_at, rowid LIMIT 1", self.world.now()
        )
        if not due:
            return False
        row, identity, attempts = due[0]
        event = self.world.need("event", identity)
        fault = self.faults.for_webhook(event["type"]) if attempts == 0 else None
        kind = fault.kind if fault else ""
        if kind == "late" and fault:
            self.world.store.rows(
                "UPDATE delivery SET due_at = ?, attempts = 1 WHERE rowid = ?", self.world.now() + fault.seconds, row
            )
            return True
        if kind == "lost" or self._post(event, kind):
            if kind == "duplicate":
                self._post(event, "")
            self.world.store.rows("DELETE FROM delivery WHERE rowid = ?", row)
            return True
        wait = WAITS[attempts] if attempts < len(WAITS) else 10_800
        if self.world.now() - event["created"] + wait > GIVE_UP_AFTER:
            self.world.store.rows("DELETE FROM delivery WHERE rowid = ?", row)
        else:
            self.world.store.rows(
                "UPDATE delivery SET due_at = ?, attempts = attempts + 1 WHERE rowid = ?", self.world.now() + wait, row
            )
        return True

    def _post(self, event: dict[str, Any], fault: str) -> bool:
        body = json.dumps(public(event), indent=2).encode()
        secret = "whsec_of_somebody_else" if fault == "forged" else self.world.options.webhook_secret
        header = signature(body, secret, self.world.seconds() - (WEEK if fault == "old" else 0))
        if fault == "tampered":
            body = body.replace(b'"livemode": false', b'"livemode": true ')
        try:
            return 200 <= send(self.world.options.webhook_url or "", body, header) < 300 or fault in ("forged", "old", "tampered")
        except (OSError, http.client.HTTPException):
            return False


def send(url: str, body: bytes, header: str) -> int:
    """Post one delivery and return the status of the answer."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(parts.netloc, timeout=10)
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": header,
            "User-Agent": "Stripe/1.0 (simulator)",
        }
        connection.request("POST", parts.path or "/", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()
