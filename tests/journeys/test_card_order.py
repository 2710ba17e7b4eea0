"""A guest's order by card: our pages, the simulator's pages, the webhook, the books. Real gateways, real HTTP to them."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from market.gateways.stripe_cards import StripeCards
from market.kernel.inbox import InboxRow
from market.ledger import queries as books
from market.payments import queries
from market.ports import Ports
from market.simulators.stripe.webhooks import signature
from tests.domain.payments.reading import topics
from tests.factories.accounts import csrf_token
from tests.factories.catalogue import make_listing
from tests.stripe_server import CHALLENGE, DECLINED, KEY, SECRET, StripeServer
from tests.web.test_checkout import FORM
from workers import payments as tasks

LATELY = datetime.now(UTC) - timedelta(minutes=5)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = StripeServer(tmp_path_factory.mktemp("stripe"))
    yield running
    running.stop()


@pytest.fixture
def real(app, server, clock, session, monkeypatch):
    clock.instant = datetime.now(UTC)  # the simulator's clock is the machine's
    cards = StripeCards(key=KEY, webhook_secret=SECRET, api_base=server.url, retries=0, timeout=5)
    monkeypatch.setitem(app.extensions, "ports", Ports(cards=cards))
    return cards


def place(client, session) -> str:
    listing = make_listing(session)
    session.commit()
    client.post("/basket/lines", data={"listing_id": listing.id, "quantity": "2", "csrf_token": csrf_token(client)})
    answer = client.post("/checkout", data=FORM | {"method": "card", "csrf_token": csrf_token(client)})
    assert answer.status_code == 303
    return answer.headers["Location"]


def come_back(client, location: str):
    parts = urlsplit(location)
    return client.get(f"{parts.path}?{parts.query}", follow_redirects=True)


def test_a_guest_is_declined_confirms_in_a_second_step_and_has_paid(client, session, real, server):
    page = place(client, session)
    assert page.startswith(server.url)
    status, _, body = server.submit(page, test=DECLINED)
    assert (status, "Your card was declined." in body) == (402, True)
    back = server.pay(page, CHALLENGE)
    for _ in range(2):  # a reload changes nothing
        assert come_back(client, back).status_code == 200
    assert topics(session).count("payments.paid") == 1
    assert topics(session).count("orders.paid") == 1
    assert books.check(session) == []


def test_a_closed_browser_is_no_loss_the_webhook_tells(client, session, real, server):
    server.pay(place(client, session))
    event = [event for event in real.events_since(LATELY) if event.kind == "payment_intent.succeeded"][-1]
    _, _, body = server.request("GET", f"/v1/events/{event.event_id}", Authorization=f"Bearer {KEY}")
    signed = signature(body, SECRET, int(datetime.now(UTC).timestamp()))
    assert client.post("/hooks/stripe", data=body, headers={"Stripe-Signature": signed}).status_code == 200
    row_id = session.scalars(select(InboxRow.id).order_by(InboxRow.id.desc())).first()
    assert tasks.handle_event(inbox_id=str(row_id)) == "applied"
    tasks.compare_events()
    tasks.sweep()
    assert topics(session).count("payments.paid") == 1
    assert queries.unexplained_lines(session) == []
