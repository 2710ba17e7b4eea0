"""A producer opens an account at the card company, tells it who they are, and is paid there once the co-op has agreed."""

import pytest

from market.gateways.stripe_recipients import StripeRecipients
from market.gateways.stripe_transfers import StripeTransfers
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.payouts.ports import Accepted, Refused, TransferOrder
from market.ports import Ports
from market.producers import queries
from market.treasury import share_queries
from tests.factories.accounts import actor_for, csrf_token, make_producer_account, make_staff, sign_in
from tests.factories.producers import make_coop, make_producer
from tests.stripe_server import KEY, StripeServer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = StripeServer(tmp_path_factory.mktemp("stripe"))
    yield running
    running.stop()


def transfer(server, account: str):
    order = TransferOrder(new_id(), f"po-{new_id()}", "RF1", Money(1000, "EUR"), {"stripe_account": account}, "payout-run-1")
    return StripeTransfers(key=KEY, api_base=server.url, retries=0, timeout=5).send(order)


def test_an_account_is_opened_once_completed_there_and_paid_to(client, session, app, server, monkeypatch):
    port = StripeRecipients(key=KEY, api_base=server.url, retries=0, timeout=5)
    monkeypatch.setitem(app.extensions, "ports", Ports(recipients=port))
    producer = make_producer(session, coop=make_coop(session))
    account = make_producer_account(session, producer=producer)
    sign_in(client, session, account)
    page = "/producer/money/account"
    assert "Open an account" in client.get(page).text
    for _ in range(2):
        assert client.post(page, data={"csrf_token": csrf_token(client)}).status_code == 303
    (known,) = queries.payee_accounts(session, actor=actor_for(session, account), producer_id=producer.id)
    assert (known.rail, known.confirmed_at) == ("stripe", None)
    assert "external account" in client.get(page).text
    server.control("fund", amount=10_000, currency="eur")
    assert isinstance(transfer(server, known.stripe_account), Refused), "nobody is paid before they are known there"
    status, back, _ = server.submit(client.get(f"{page}/details").location)
    assert (status, back) == (303, f"{app.extensions['settings'].public_url}{page}")
    assert "The account is ready." in client.get(page).text
    assert isinstance(transfer(server, known.stripe_account), Accepted)


def test_a_co_op_opens_an_account_of_its_own_and_a_second_person_confirms_it(client, session, app, server, monkeypatch):
    monkeypatch.setitem(app.extensions, "ports", Ports(recipients=StripeRecipients(key=KEY, api_base=server.url, retries=0)))
    coop = make_coop(session)
    people = {role: make_staff(session, coop=coop, role=role) for role in ("preparer", "approver")}
    page = "/console/processor/account"
    sign_in(client, session, people["preparer"])
    assert "Open an account" in client.get(page).text
    for _ in range(2):
        assert client.post(page, data={"csrf_token": csrf_token(client)}).status_code == 303
    assert "external account" in client.get(page).text
    assert server.submit(client.get(f"{page}/details").location)[0] == 303
    known = share_queries.recipient(session, coop.id)
    assert (known.state, known.account[:5]) == ("proposed", "acct_")
    sign_in(client, session, people["approver"])
    said = {"csrf_token": csrf_token(client), "word": "yes"}
    assert client.post(f"{page}/{known.id}", data=said).status_code == 303
    sign_in(client, session, people["preparer"])
    assert "At most" in client.post(f"{page}/shares", data={"csrf_token": csrf_token(client), "amount": "5.00"}).text


def test_nothing_is_offered_where_nobody_can_be_paid_so(client, session, app, monkeypatch):
    monkeypatch.setitem(app.extensions, "ports", Ports())
    sign_in(client, session, make_producer_account(session, producer=make_producer(session, coop=make_coop(session))))
    assert "Not offered here" in client.get("/producer/money/account").text
    assert client.get("/producer/money/account/details").status_code == 303
