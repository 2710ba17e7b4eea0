"""Webhooks that somebody else signs: localstripe delivers to our own door over HTTP (decision 0096)."""

import http.client
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import make_server

from market.app import create_app
from market.gateways.stripe_cards import StripeCards
from market.http import db as http_db
from market.http.db import unit_of_work
from market.kernel import tenancy
from market.kernel.ids import new_id
from market.kernel.inbox import InboxRow
from market.ports import Ports
from market.simulators.stripe.webhooks import signature
from tests.conftest import settings_for
from tests.simulators.asking import paid
from tests.stripe_server import KEY, SECRET

KIND = "payment_intent.succeeded"
CHANGE = (b'"amount": 10000', b'"amount": 90000')


@dataclass
class Way:
    """What lies between localstripe and the door: it passes each delivery on, changed or not, and keeps what was answered."""

    door: int
    answers: queue.Queue = field(default_factory=queue.Queue)

    def carry(self, path: str, body: bytes, header: str) -> int:
        """Deliver to the door; what goes by `changed` says another amount."""
        sent = body.replace(*CHANGE) if path == "/changed" else body
        connection = http.client.HTTPConnection("127.0.0.1", self.door, timeout=10)
        try:
            headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": header}
            connection.request("POST", "/hooks/stripe", sent, headers)
            status = connection.getresponse().status
        finally:
            connection.close()
        self.answers.put((path, status, body, header))
        return status


@pytest.fixture
def app(make_database, servers) -> Iterator[Flask]:
    cards = StripeCards(key=KEY, webhook_secret=SECRET, api_base="http://127.0.0.1:1", retries=0)
    app = create_app(settings_for(make_database("foreign"), servers["REDIS_URL"]), ports=Ports(cards=cards))
    with app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        yield app
        for engine in http_db.db.engines.values():
            engine.dispose()


@pytest.fixture
def way(app) -> Iterator[tuple[Way, str]]:
    door = make_server("127.0.0.1", 0, app, threaded=True)

    class Relay(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(between.carry(self.path, body, self.headers["Stripe-Signature"]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_): ...

    between = Way(door.server_port)
    relay = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threads = [threading.Thread(target=server.serve_forever, daemon=True) for server in (door, relay)]
    for thread in threads:
        thread.start()
    yield between, f"http://127.0.0.1:{relay.server_address[1]}"
    for server, thread in zip((relay, door), (threads[1], threads[0]), strict=True):
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()


def test_our_door_believes_what_localstripe_signed_and_nothing_else(app, way, theirs, localstripe):
    between, url = way
    secrets = {"changed": SECRET, "strange": "whsec_of_somebody_else", "sent": SECRET, "again": SECRET}
    for name, secret in secrets.items():
        localstripe.register_webhook(name, f"{url}/{name}", secret, [KIND])
    try:
        payment_id = str(new_id())
        intent = paid(theirs, metadata={"payment_id": payment_id})
        answers = {}
        while answers.keys() != {f"/{name}" for name in secrets}:  # events of other tests come by, too
            path, status, body, header = between.answers.get(timeout=20)
            if payment_id.encode() in body:
                answers[path] = (status, body, header)
    finally:
        for name, secret in secrets.items():
            localstripe.register_webhook(name, f"{url}/{name}", secret, [])
    assert {path: status for path, (status, _, _) in answers.items()} == {
        "/changed": 400,
        "/strange": 400,
        "/sent": 200,
        "/again": 200,
    }
    _, body, header = answers["/sent"]
    assert signature(body, SECRET, int(header.partition(",")[0].removeprefix("t="))) == header  # our stand-in signs alike
    with unit_of_work() as session:
        rows = session.scalars(select(InboxRow)).all()
        stored = [
            (row.kind, row.payload["payment_id"], row.payload["intent_id"]) for row in rows if row.payload.get("payment_id")
        ]
    assert stored == [(KIND, payment_id, intent.id)]
