"""The Stripe simulator itself: strict with callers, honest about its store, quick to start and stop."""

import json
import time

import pytest
import stripe
from playwright.sync_api import Browser, expect

from market.kernel.languages import LANGUAGES
from tests.journeys.looking import NARROW, findings, too_wide
from tests.stripe_server import KEY, StripeServer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = StripeServer(tmp_path_factory.mktemp("stripe"))
    yield running
    running.stop()


@pytest.fixture
def client(server):
    server.control("faults/clear")
    return stripe.StripeClient(KEY, base_addresses={"api": server.url}, max_network_retries=0)


INTENT = {"amount": 5000, "currency": "eur"}


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"currency": "eur"}, "amount"),
        ({"amount": 5000, "currency": "eur", "amuont": 1}, "amuont"),
        ({"amount": "many", "currency": "eur"}, "amount"),
        ({"amount": 5000, "currency": "EURO"}, "currency"),
        ({"amount": 10, "currency": "eur"}, "amount"),
        ({"amount": 5000, "currency": "eur", "capture_method": "sometimes"}, "capture_method"),
        ({"amount": 5000, "currency": "eur", "shipping": {"name": "A"}}, "shipping[address]"),
    ],
)
def test_wrong_parameters_are_refused_and_named(client, params, param):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_intents.create(params)
    assert refusal.value.param == param


def test_a_wrong_key_and_an_unknown_call_are_refused(server):
    stranger = stripe.StripeClient("sk_test_other", base_addresses={"api": server.url}, max_network_retries=0)
    with pytest.raises(stripe.AuthenticationError):
        stranger.v1.balance.retrieve()
    known = stripe.StripeClient(KEY, base_addresses={"api": server.url}, max_network_retries=0)
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        known.v1.customers.list()


def test_an_intent_is_confirmed_captured_and_cancelled_by_the_rules(client):
    manual = client.v1.payment_intents.create(
        INTENT | {"capture_method": "manual", "confirm": True, "payment_method": "pm_card_visa"}
    )
    assert manual.status == "requires_capture"
    taken = client.v1.payment_intents.capture(manual.id, {"amount_to_capture": 4000})
    assert (taken.status, taken.amount_received) == ("succeeded", 4000)
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        client.v1.payment_intents.cancel(manual.id)
    unpaid = client.v1.payment_intents.create(INTENT)
    assert client.v1.payment_intents.cancel(unpaid.id).status == "canceled"
    with pytest.raises(stripe.CardError) as declined:
        client.v1.payment_intents.create(INTENT | {"confirm": True, "payment_method": "pm_card_chargeDeclined"})
    assert declined.value.code == "card_declined"


def test_an_authorisation_tells_of_its_charge_when_it_is_taken_and_when_its_time_is_over(tmp_path):
    server = StripeServer(tmp_path)
    try:
        client = stripe.StripeClient(KEY, base_addresses={"api": server.url}, max_network_retries=0)
        later = INTENT | {"capture_method": "manual", "confirm": True, "payment_method": "pm_card_visa"}
        taken, over = client.v1.payment_intents.create(later), client.v1.payment_intents.create(later)
        client.v1.payment_intents.capture(taken.id, {"amount_to_capture": 4000})
        server.control("clock", advance=7 * 86_400 + 1)
        ended = client.v1.payment_intents.retrieve(over.id)
        assert (ended.status, ended.cancellation_reason) == ("canceled", "expired")
        events = client.v1.events.list({"types": ["charge.*"]}).data
        told = {charge: [event.type for event in events if event.data.object["id"] == charge] for charge in
                (taken.latest_charge, over.latest_charge)}  # fmt: skip
        assert told == {
            taken.latest_charge: ["charge.captured", "charge.succeeded"],
            over.latest_charge: ["charge.expired", "charge.succeeded"],
        }
        assert client.v1.refunds.list().data == []
    finally:
        server.stop()


CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 34, "cvc": "123"}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"number": "4242424242424241"}, "incorrect_number"),
        ({"number": "4111111111111111"}, "card_declined"),
        ({"exp_month": 13}, "invalid_expiry_month"),
        ({"exp_year": 2020}, "invalid_expiry_year"),
        ({"cvc": "12"}, "invalid_cvc"),
    ],
)
def test_a_card_that_cannot_be_is_refused_with_its_code(client, wrong, code):
    with pytest.raises(stripe.CardError) as refusal:
        client.v1.payment_methods.create({"type": "card", "card": CARD | wrong})
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"type": "card", "card": {"number": "4242424242424242"}}, "card"),
        ({"type": "sepa_debit", "sepa_debit": {"iban": "AT00"}}, "sepa_debit[iban]"),
        ({"type": "blik", "blik": {}}, "type"),
    ],
)
def test_a_way_to_pay_that_cannot_be_is_refused_and_named(client, params, param):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_methods.create(params)
    assert refusal.value.param == param


def test_an_intent_is_paid_with_the_method_named_last(client):
    first, second = (client.v1.payment_methods.create({"type": "card", "card": CARD}) for _ in range(2))
    intent = client.v1.payment_intents.create(INTENT | {"payment_method": first.id})
    paid = client.v1.payment_intents.confirm(intent.id, {"payment_method": second.id})
    assert (intent.payment_method, paid.payment_method, paid.status) == (first.id, second.id, "succeeded")
    assert client.v1.charges.retrieve(paid.latest_charge).payment_method == second.id


def test_what_cannot_be_given_back_says_why(client):
    unpaid = client.v1.payment_intents.create(INTENT)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        client.v1.refunds.create({"payment_intent": unpaid.id})
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        client.v1.payment_intents.confirm(unpaid.id)


def test_a_declined_card_is_replayed_under_its_key(client):
    params = INTENT | {"confirm": True, "payment_method": "pm_card_chargeDeclined"}
    ids = set()
    for _ in range(2):
        with pytest.raises(stripe.CardError) as declined:
            client.v1.payment_intents.create(params, {"idempotency_key": "declined-1"})
        ids.add(declined.value.json_body["error"]["charge"])
    assert len(ids) == 1


def test_lists_are_paged_newest_first_and_filtered(client):
    made = [client.v1.payment_intents.create(INTENT).id for _ in range(5)]
    page = client.v1.payment_intents.list({"limit": 2})
    assert ([intent.id for intent in page.data], page.has_more) == (made[:2:-1], True)
    assert [intent.id for intent in page.auto_paging_iter()][:5] == made[::-1]
    assert client.v1.payment_intents.list({"created": {"gt": int(time.time()) + 60}}).data == []
    after = client.v1.payment_intents.list({"ending_before": made[1], "limit": 3})
    assert [intent.id for intent in after.data] == made[:1:-1]
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.list({"limit": 101})


def test_events_are_filtered_by_kind_and_carry_a_snapshot(client):
    intent = client.v1.payment_intents.create(INTENT | {"confirm": True, "payment_method": "pm_card_visa"})
    event = client.v1.events.list({"types": ["payment_intent.succeeded"], "limit": 1}).data[0]
    assert event.data.object["id"] == intent.id
    assert event.api_version == "2026-10-28.endive"
    assert '"_method"' not in json.dumps(event.to_dict())


def test_money_is_there_before_it_is_sent_on_and_balances_add_up(tmp_path):
    server = StripeServer(tmp_path, "--available-after", "3600")
    try:
        client = stripe.StripeClient(KEY, base_addresses={"api": server.url}, max_network_retries=0)
        server.control("accounts", id="acct_a")
        client.v1.payment_intents.create({"amount": 10000, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"})
        send = {"amount": 9825, "currency": "eur", "destination": "acct_a"}
        with pytest.raises(stripe.InvalidRequestError, match="insufficient available"):
            client.v1.transfers.create(send)
        assert server.control("payouts")["payouts"] == []
        server.control("clock", advance=3601)
        client.v1.transfers.create(send)
        balance = client.v1.balance.retrieve(options={"stripe_account": "acct_a"})
        assert [(part.currency, part.amount) for part in balance.available] == [("eur", 9825)]
    finally:
        server.stop()


def test_a_transfer_from_a_charge_never_exceeds_it(client, server):
    server.control("accounts", id="acct_b")
    charge = client.v1.payment_intents.create(INTENT | {"confirm": True, "payment_method": "pm_card_visa"}).latest_charge
    send = {"amount": 3000, "currency": "eur", "destination": "acct_b", "source_transaction": charge}
    client.v1.transfers.create(send)
    with pytest.raises(stripe.InvalidRequestError, match="exceed its charge"):
        client.v1.transfers.create(send)


def test_a_refund_that_comes_back_is_money_again(client, server):
    intent = client.v1.payment_intents.create(INTENT | {"confirm": True, "payment_method": "pm_card_visa"})
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    server.control("refund_fails", refund=refund.id)
    assert client.v1.refunds.retrieve(refund.id).status == "failed"
    kinds = [line.type for line in client.v1.balance_transactions.list({"source": refund.id}).data]
    assert kinds == ["refund_failure", "refund"]
    assert client.v1.refunds.create({"payment_intent": intent.id}).status == "succeeded"


def test_sessions_expire_by_the_clock(tmp_path):
    server = StripeServer(tmp_path)
    try:
        client = stripe.StripeClient(KEY, base_addresses={"api": server.url}, max_network_retries=0)
        price = {"currency": "eur", "unit_amount": 100, "product_data": {"name": "Honey"}}
        params = {"mode": "payment", "success_url": "http://x", "line_items": [{"price_data": price, "quantity": 2}]}
        session = client.v1.checkout.sessions.create(params)
        assert session.amount_total == 200
        server.control("clock", advance=86_401)
        assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
        with pytest.raises(stripe.InvalidRequestError, match="between 30 minutes"):
            client.v1.checkout.sessions.create(params | {"expires_at": int(time.time()) + 60})
    finally:
        server.stop()


def test_it_starts_quickly_stops_cleanly_and_remembers(tmp_path):
    before = time.monotonic()
    server = StripeServer(tmp_path)
    started = time.monotonic() - before
    client = stripe.StripeClient(KEY, base_addresses={"api": server.url}, max_network_retries=0)
    made = client.v1.payment_intents.create(INTENT, {"idempotency_key": "kept"})
    assert server.stop() == 0
    again = StripeServer(tmp_path)
    client = stripe.StripeClient(KEY, base_addresses={"api": again.url}, max_network_retries=0)
    assert client.v1.payment_intents.create(INTENT, {"idempotency_key": "kept"}).id == made.id
    assert again.stop() == 0
    assert started < 5


def test_ids_are_repeatable_with_a_seed_and_strange_without(tmp_path):
    ids = []
    for name, options in (("a", ("--seed", "s")), ("b", ("--seed", "s")), ("c", ()), ("d", ())):
        server = StripeServer(tmp_path / name, *options)
        ids.append(stripe.StripeClient(KEY, base_addresses={"api": server.url}).v1.payment_intents.create(INTENT).id)
        server.stop()
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_a_busy_port_is_one_sentence(tmp_path, server):
    import subprocess
    import sys

    port = server.url.rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "market.simulators.stripe", "--port", port, "--data", str(tmp_path)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.strip() == f"The Stripe simulator cannot listen on port {port}: Address already in use."


def test_the_page_keeps_what_was_typed_and_says_what_is_wrong(client, server):
    price = {"currency": "eur", "unit_amount": 9876, "product_data": {"name": "<b>Honey</b>"}}
    params = {"mode": "payment", "success_url": "http://x", "line_items": [{"price_data": price}]}
    url = client.v1.checkout.sessions.create(params).url
    status, _, page = server.submit(url, number="4242 4242 4242 4241", expiry="12 / 34", cvc="12", name="Ana Ruiz")
    assert status == 422
    assert "has a wrong digit" in page
    assert 'value="Ana Ruiz"' in page
    assert 'value="12 / 34"' in page
    assert "4241" not in page
    assert "€98.76" in page
    assert "<b>Honey" not in page
    assert server.request("GET", "/c/pay/cs_unknown")[0] == 404


@pytest.mark.browser
def test_axe_finds_nothing_on_the_page_whatever_language_it_speaks(client, server, browser: Browser):
    price = {"currency": "eur", "unit_amount": 9876, "product_data": {"name": "Honey"}}
    params = {
        "mode": "payment",
        "success_url": f"{server.url}/healthz",
        "cancel_url": "http://x",
        "line_items": [{"price_data": price}],
    }
    context, faults = browser.new_context(viewport=NARROW), []
    page = context.new_page()

    def judge(language: str) -> None:
        assert page.locator("html").get_attribute("lang") == language
        faults.extend(f"{language} {page.title()}: {fault}" for fault in findings(page, again=language == "ar") + too_wide(page))

    for language in LANGUAGES:
        url = client.v1.checkout.sessions.create(params | {"metadata": {"language": language}}).url
        page.goto(url)
        judge(language)
        if language != "ar":
            continue
        page.locator("[name=number]").fill("4242")
        page.locator("button").first.click()
        judge(language)  # what is wrong, beside each field
        page.locator("[value='4000002500003155']").click()
        judge(language)  # the bank's question
        page.locator("[value=refuse]").click()
        expect(page.get_by_role("alert")).to_be_visible()
        judge(language)
        page.locator("[value='4242424242424242']").click()
        page.goto(url)
        judge(language)  # paid already
    context.close()
    assert not faults, "\n".join(faults)


def test_a_language_that_the_real_page_does_not_know_is_refused(client):
    price = {"currency": "eur", "unit_amount": 9876, "product_data": {"name": "Honey"}}
    params = {"mode": "payment", "success_url": "http://x", "line_items": [{"price_data": price}]}
    assert client.v1.checkout.sessions.create(params | {"locale": "pt"}).locale == "pt"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.checkout.sessions.create(params | {"locale": "sw"})
    assert refusal.value.param == "locale"
