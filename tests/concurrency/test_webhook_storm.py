"""Webhooks duplicated, late, lost, forged, changed, old and replayed: our side ends where the processor's effect log says."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from werkzeug.serving import make_server

from market.app import create_app
from market.gateways.stripe_cards import StripeCards
from market.http import db as http_db
from market.http.db import unit_of_work
from market.kernel import tenancy
from market.kernel.inbox import InboxRow
from market.ledger import queries as books
from market.payments import queries, service
from market.payments.models import Dispute
from market.ports import Ports
from tests.conftest import settings_for
from tests.domain.payments.reading import balances
from tests.factories.payments import make_part, make_payment
from tests.factories.producers import make_coop
from tests.stripe_server import KEY, SECRET, StripeServer

NOW = datetime.now(UTC)
MANY = 8
STORM = {"forged": 0.15, "tampered": 0.15, "old": 0.15, "lost": 0.2, "duplicate": 0.3, "late": 0.4}


@pytest.fixture
def app(make_database, servers):
    app = create_app(settings_for(make_database("storm"), servers["REDIS_URL"]), ports=Ports())
    with app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        yield app
        for engine in http_db.db.engines.values():
            engine.dispose()


@pytest.fixture
def server(app, tmp_path):
    """The simulator, which delivers to our own door over HTTP."""
    door = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=door.serve_forever, daemon=True)
    thread.start()
    running = StripeServer(tmp_path, "--webhook-url", f"http://127.0.0.1:{door.server_port}/hooks/stripe")
    app.extensions["ports"] = Ports(
        cards=StripeCards(key=KEY, webhook_secret=SECRET, api_base=running.url, retries=0, timeout=60)
    )
    yield running
    running.stop()
    door.shutdown()
    thread.join(timeout=5)
    door.server_close()


def opened(cards, coop):
    with unit_of_work() as session:
        payment = make_payment(session, parts=[make_part(coop)], now=NOW, expires_at=NOW + timedelta(hours=2))
    return service.start_checkout(
        unit_of_work, cards, payment_id=payment.id, return_url="http://r", cancel_url="http://c", now=NOW
    )


def delivered(server) -> None:
    for _ in range(2):
        server.control("deliver", seconds=5)
        server.control("clock", advance=120)


def stored() -> list[InboxRow]:
    with unit_of_work() as session:
        return list(session.scalars(select(InboxRow).order_by(InboxRow.id)))


def test_whatever_the_deliveries_do_each_payment_counts_once(app, server):
    cards = app.extensions["ports"].cards
    with unit_of_work() as session:
        coop = make_coop(session)
    for number, (kind, probability) in enumerate(STORM.items()):
        server.control("faults", kind=kind, path=".*", probability=probability, seed=number, seconds=60)
    pages = [opened(cards, coop) for _ in range(MANY)]
    for page in pages[1:]:
        server.pay(page.checkout_url)
    intents = [cards.checkout(page.checkout_id).intent_id for page in pages]
    ref = server.control("dispute", payment_intent=intents[2])["dispute"]
    server.control("dispute_closes", dispute=ref, outcome="won")
    delivered(server)

    sent = {event.event_id for event in cards.events_since(NOW - timedelta(hours=1))}
    known = [row.external_id for row in stored()]
    assert 0 < len(known) < len(sent), "some were lost, and some came"
    assert set(known) <= sent
    assert set(Counter(known).values()) == {1}

    for row in reversed(stored()):  # in no order, each twice
        for _ in range(2):
            service.handle_event(unit_of_work, cards, inbox_id=row.id, now=NOW)
    service.compare_events(unit_of_work, cards, now=NOW)
    server.control("faults/clear")
    for event in sorted(sent)[:10]:
        server.control("replay", event=event)
    delivered(server)
    assert len(stored()) == len(cards.events_since(NOW - timedelta(hours=1)))
    service.sweep(unit_of_work, cards, now=NOW)
    service.sync_balance(unit_of_work, cards, now=NOW)

    charged = Counter(effect["metadata"]["payment_id"] for effect in server.effects("charge"))
    assert set(charged.values()) == {1}
    with unit_of_work() as session:
        paid = {str(page.id) for page in pages if queries.payment(session, page.id).is_paid}
        assert paid == set(charged)
        assert session.scalars(select(Dispute.state)).all() == ["won"]
        assert balances(session, coop)["stripe:1"] == len(charged) * 9825 - 2000
        assert not {"disputed", "suspense:s", "card_clearing"} & balances(session, coop).keys()
        assert books.check(session) == []
