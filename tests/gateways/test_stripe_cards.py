"""The card gateway against the simulator: real process, real HTTP, the real SDK."""

import json
import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from market.gateways.stripe_cards import StripeCards
from market.kernel.ids import new_id
from market.kernel.languages import LANGUAGES
from market.kernel.money import Money
from market.kernel.uow import NetworkInsideUnitOfWork, unit_of_work
from market.payments.ports import BadSignature, CaptureOrder, CheckoutOrder, ProcessorRefused, ProcessorUnsure, RefundOrder
from market.simulators.stripe.webhooks import signature
from tests.stripe_server import CHALLENGE, DEBIT, DECLINED, KEY, SECRET, StripeServer

SOON = datetime.now(UTC) + timedelta(hours=1)


def order(minor: int = 10000, currency: str = "EUR", **more) -> CheckoutOrder:
    payment_id = new_id()
    values = {
        "payment_id": payment_id,
        "key": f"pay-{payment_id}-v1",
        "money": Money(minor, currency),
        "title": "Order 4711",
        "group": f"order-{payment_id}",
        "return_url": "http://shop.example/paid?s={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://shop.example/basket",
        "expires_at": SOON,
    }
    return CheckoutOrder(**(values | more))


def test_a_card_pays_a_checkout(cards, stripe_server):
    wanted = order()
    opened = cards.open_checkout(wanted)
    assert (opened.state, opened.intent_id, opened.paid) == ("requires_action", None, None)
    assert stripe_server.pay(opened.url) == f"http://shop.example/paid?s={opened.checkout_id}"
    seen = cards.checkout(opened.checkout_id)
    assert (seen.state, seen.paid) == ("succeeded", Money(10000, "EUR"))
    assert seen.intent_id.startswith("pi_")
    assert seen.charged_at is not None


def test_the_page_speaks_the_language_of_the_buyer(cards, stripe_server):
    told = {}
    for language in LANGUAGES:
        _, _, body = stripe_server.request(
            "GET", cards.open_checkout(order(language=language)).url, **{"Accept-Language": "de, en"}
        )
        page = body.decode()
        assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in page
        told[language] = set(re.findall(r">([^<>]*[a-z]{4}[^<>]*)<", page.partition("<body>")[2])) - {"Order 4711", "E-mail"}
    assert len(told["en"]) > 12
    assert not [language for language in LANGUAGES[1:] if told[language] & told["en"]]


def test_a_declined_card_leaves_the_page_open(cards, stripe_server):
    opened = cards.open_checkout(order())
    status, _, body = stripe_server.submit(opened.url, test=DECLINED)
    assert status == 402
    assert "Your card was declined." in body
    seen = cards.checkout(opened.checkout_id)
    assert (seen.state, seen.problem) == ("requires_action", "Your card was declined.")
    stripe_server.pay(opened.url)
    assert cards.checkout(opened.checkout_id).state == "succeeded"


def test_three_d_secure_asks_and_pays(cards, stripe_server):
    opened = cards.open_checkout(order())
    stripe_server.pay(opened.url, CHALLENGE)
    assert cards.checkout(opened.checkout_id).state == "succeeded"


@pytest.mark.parametrize(("outcome", "state"), [("ok", "succeeded"), ("fail", "failed")])
def test_a_bank_debit_is_processing_until_it_settles(cards, stripe_server, outcome, state):
    opened = cards.open_checkout(order())
    stripe_server.pay(opened.url, DEBIT)
    seen = cards.checkout(opened.checkout_id)
    assert (seen.state, seen.paid) == ("processing", None)
    stripe_server.control("settle", payment_intent=seen.intent_id, outcome=outcome)
    assert cards.checkout(opened.checkout_id).state == state


@pytest.mark.parametrize("fault", ["drop_after", "slow", "drop_before", "409", "429"])
def test_an_unknown_outcome_repeated_with_the_same_key_has_one_effect(cards, stripe_server, fault):
    stripe_server.control("faults", kind=fault, path="/v1/checkout/sessions", count=1, seconds=3)
    wanted = order()
    with pytest.raises(ProcessorUnsure):
        cards.open_checkout(wanted)
    stripe_server.control("faults/clear")
    opened = _until_sure(lambda: cards.open_checkout(wanted))
    stripe_server.pay(opened.url)
    assert len([c for c in stripe_server.effects("charge") if c["metadata"]["payment_id"] == str(wanted.payment_id)]) == 1


def _until_sure(call):
    for _ in range(40):  # the slow call may still hold the key
        try:
            return call()
        except ProcessorUnsure:
            threading.Event().wait(0.1)
    raise AssertionError("still in progress")


def test_a_broken_answer_is_replayed_and_stays_unknown(cards, stripe_server):
    stripe_server.control("faults", kind="500_after", path="/v1/checkout/sessions", count=1)
    wanted = order()
    for _ in range(2):
        with pytest.raises(ProcessorUnsure):
            cards.open_checkout(wanted)


def test_the_same_key_with_other_content_stays_unknown(cards):
    wanted = order()
    cards.open_checkout(wanted)
    with pytest.raises(ProcessorUnsure, match="IdempotencyError"):
        cards.open_checkout(order(999, key=wanted.key))


def test_a_closed_page_takes_no_money(cards, stripe_server):
    opened = cards.open_checkout(order())
    assert cards.close_checkout(opened.checkout_id).state == "expired"
    assert stripe_server.submit(opened.url, test="4242424242424242")[0] == 410


def test_closing_a_paid_page_says_that_it_is_paid(cards, stripe_server):
    opened = cards.open_checkout(order())
    stripe_server.pay(opened.url)
    assert cards.close_checkout(opened.checkout_id).state == "succeeded"


def authorised(cards, stripe_server):
    """A page whose amount is kept on the card, and what takes 40.00 of it."""
    wanted = order(take_later=True)
    opened = cards.open_checkout(wanted)
    assert stripe_server.submit(opened.url, iban=DEBIT)[0] == 400, "a bank debit cannot be authorised first"
    stripe_server.pay(opened.url)
    seen = cards.checkout(opened.checkout_id)
    assert (seen.state, seen.paid) == ("authorised", None)
    assert seen.capture_before is not None
    return CaptureOrder(f"capture-{wanted.payment_id}-v1", seen.checkout_id, seen.intent_id, Money(4000, "EUR"))


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
def test_a_part_of_an_authorisation_is_taken_once_whatever_is_lost(cards, stripe_server, fault):
    wanted = authorised(cards, stripe_server)
    stripe_server.control("faults", kind=fault, path=f"/v1/payment_intents/{wanted.intent_id}/capture", count=1)
    with pytest.raises(ProcessorUnsure):
        cards.capture(wanted)
    stripe_server.control("faults/clear")
    seen = _until_sure(lambda: cards.capture(wanted))
    assert (seen.state, seen.paid) == ("succeeded", Money(4000, "EUR"))
    with pytest.raises(ProcessorRefused):
        cards.capture(replace(wanted, key=f"{wanted.key}b"))
    taken = [charge["amount"] for charge in stripe_server.effects("charge") if charge["payment_intent"] == wanted.intent_id]
    assert taken == [4000]


def test_an_authorisation_is_let_go_and_never_takes_more_than_it_keeps(cards, stripe_server):
    wanted = authorised(cards, stripe_server)
    with pytest.raises(ProcessorRefused):
        cards.capture(replace(wanted, key=f"{wanted.key}m", money=Money(10001, "EUR")))
    assert cards.release(wanted).state == "expired"
    assert cards.close_checkout(wanted.checkout_id).state == "expired"


def test_a_refund_never_exceeds_the_charge_and_repeats_under_its_key(cards, stripe_server):
    opened = cards.open_checkout(order())
    stripe_server.pay(opened.url)
    intent = cards.checkout(opened.checkout_id).intent_id
    refund = RefundOrder(new_id(), f"re-{opened.checkout_id}-v1", intent, Money(4000, "EUR"))
    stripe_server.control("faults", kind="drop_after", path="/v1/refunds", count=1)
    with pytest.raises(ProcessorUnsure):
        cards.refund(refund)
    done = cards.refund(refund)
    assert (done.state, done.money, done.refund_id) == ("succeeded", Money(4000, "EUR"), None or done.refund_id)
    assert [r.provider_ref for r in cards.refunds_of(intent)] == [done.provider_ref]
    with pytest.raises(ProcessorRefused, match="greater than unrefunded"):
        cards.refund(RefundOrder(new_id(), f"re-{opened.checkout_id}-v2", intent, Money(6001, "EUR")))


def test_an_impossible_currency_or_amount_is_a_definite_no(cards):
    with pytest.raises(ProcessorRefused, match="UGX"):
        cards.open_checkout(order(5000, "UGX"))
    with pytest.raises(ProcessorRefused, match="at least 50 cents"):
        cards.open_checkout(order(10))


def test_the_statement_carries_our_ids_and_adds_up(cards, stripe_server):
    wanted = order()
    opened = cards.open_checkout(wanted)
    stripe_server.pay(opened.url)
    refund_id = new_id()
    cards.refund(RefundOrder(refund_id, f"re-{refund_id}-v1", cards.checkout(opened.checkout_id).intent_id, Money(1000, "EUR")))
    lines = {line.payment_id or line.refund_id: line for line in cards.balance_lines(datetime.now(UTC) - timedelta(hours=1))}
    charge = lines[str(wanted.payment_id)]
    assert (charge.kind, charge.gross.minor, charge.fee.minor, charge.net.minor) == ("charge", 10000, 175, 9825)
    assert (lines[str(refund_id)].kind, lines[str(refund_id)].net.minor) == ("refund", -1000)
    made = stripe_server.control("payouts")["payouts"][0]
    taken = cards.lines_of_payout(made["id"])
    everything = {line.line_id: line for line in cards.balance_lines(datetime.now(UTC) - timedelta(hours=1))}
    assert sum(everything[line].net.minor for line in taken) == made["amount"]
    assert [line.net.minor for line in everything.values() if line.bank_payout == made["id"]] == [-made["amount"]]


def test_a_gateway_refuses_to_run_inside_a_unit_of_work(cards):
    class Nothing:
        def commit(self): ...
        def rollback(self): ...
        def close(self): ...

    with pytest.raises(NetworkInsideUnitOfWork), unit_of_work(Nothing):
        cards.checkout("cs_test_x")


EVENT = json.dumps(
    {
        "id": "evt_1", "object": "event", "type": "charge.refunded", "created": 1_700_000_000, "api_version": "2026-10-28.endive",
        "data": {"object": {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "metadata": {"payment_id": "p"}}},
    }
).encode()  # fmt: skip
NOW = int(datetime.now(UTC).timestamp())


def test_a_signed_event_is_read():
    cards = StripeCards(key=KEY, webhook_secret=f"whsec_old,{SECRET}", api_base="http://127.0.0.1:1")
    event = cards.read_event(EVENT, signature(EVENT, SECRET, int(datetime.now(UTC).timestamp())))
    assert (event.event_id, event.kind, event.object_id, event.intent_id, event.payment_id) == (
        "evt_1",
        "charge.refunded",
        "ch_1",
        "pi_1",
        "p",
    )


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (EVENT, ""),
        (EVENT, "nonsense"),
        (EVENT, signature(EVENT, "whsec_somebody", NOW)),
        (EVENT, signature(EVENT, SECRET, NOW - 301)),
        (EVENT.replace(b"ch_1", b"ch_2"), signature(EVENT, SECRET, NOW)),
        (b"not json", signature(b"not json", SECRET, NOW)),
        (b'{"id": "evt_1"}', signature(b'{"id": "evt_1"}', SECRET, NOW)),
    ],
    ids=["nothing", "nonsense", "another_secret", "too_old", "changed_body", "not_json", "not_an_event"],
)
def test_what_is_not_signed_by_stripe_is_refused(body, header):
    with pytest.raises(BadSignature):
        StripeCards(key=KEY, webhook_secret=SECRET, api_base="http://127.0.0.1:1").read_event(body, header)


def test_an_empty_secret_is_refused():
    with pytest.raises(ValueError, match="empty webhook secret"):
        StripeCards(key=KEY, webhook_secret="", api_base="http://127.0.0.1:1")


def test_webhooks_arrive_signed_and_are_repeated_until_taken(tmp_path):
    seen, cards = [], StripeCards(key=KEY, webhook_secret=SECRET, api_base="http://127.0.0.1:1")

    class Inbox(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                seen.append(cards.read_event(body, self.headers["Stripe-Signature"]).event_id)
            except BadSignature:
                seen.append("forged")
            self.send_response(200 if len(seen) > 1 else 500)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_): ...

    inbox = ThreadingHTTPServer(("127.0.0.1", 0), Inbox)
    threading.Thread(target=inbox.serve_forever, daemon=True).start()
    server = StripeServer(tmp_path, "--webhook-url", f"http://127.0.0.1:{inbox.server_address[1]}/hooks/stripe")
    try:
        server.control("faults", kind="forged", path="charge.succeeded", count=1)
        server.control("faults", kind="lost", path="payment_intent.created", count=1)
        server.control("faults", kind="duplicate", path="payment_intent.succeeded", count=1)
        gateway = StripeCards(key=KEY, webhook_secret=SECRET, api_base=server.url)
        server.pay(gateway.open_checkout(order()).url)
        assert server.control("deliver", seconds=5)["waiting"] == 0
        server.control("clock", advance=2)
        server.control("deliver", seconds=5)
        events = {event.event_id: event.kind for event in gateway.events_since(datetime.now(UTC) - timedelta(hours=1))}
        kinds = [events.get(event, event) for event in seen]
        assert "forged" in kinds
        assert "payment_intent.created" not in kinds
        assert kinds.count("checkout.session.completed") == 1
        assert len(kinds) - len(set(kinds)) >= 1  # the duplicate, or the first one repeated after our 500
    finally:
        server.stop()
        inbox.shutdown()
        inbox.server_close()


def test_two_clicks_on_pay_charge_once(cards, stripe_server: StripeServer):
    wanted = order()
    opened = cards.open_checkout(wanted)
    clicks = [
        threading.Thread(target=stripe_server.submit, args=(opened.url,), kwargs={"test": "4242424242424242"}) for _ in range(4)
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert len([c for c in stripe_server.effects("charge") if c["metadata"]["payment_id"] == str(wanted.payment_id)]) == 1
