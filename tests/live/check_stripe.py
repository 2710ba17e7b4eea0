"""The gateway against Stripe itself, in its test mode: the same calls as against the simulator, with real keys.

    STRIPE_TEST_KEY=sk_test_... .venv/bin/python -m pytest tests/live/check_stripe.py

Moves no money: a key that does not begin with `sk_test_` or `rk_test_` is refused. Needs the network, so it is no part of
the suite, and without a key it is skipped aloud.
"""

import os
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from market.gateways.stripe_cards import StripeCards
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.payments.ports import CheckoutOrder, ProcessorRefused, RefundOrder

KEY = os.environ.get("STRIPE_TEST_KEY", "")
API = "https://api.stripe.com"
if not KEY:
    pytest.skip("STRIPE_TEST_KEY is not set: Stripe itself was NOT asked", allow_module_level=True)
if not KEY.startswith(("sk_test_", "rk_test_")):
    pytest.exit("STRIPE_TEST_KEY is no key of the test mode", returncode=2)


@pytest.fixture
def cards():
    return StripeCards(key=KEY, webhook_secret="whsec_unused", api_base=API)


def order() -> CheckoutOrder:
    made = new_id()
    return CheckoutOrder(
        payment_id=made,
        key=f"smoke-{made}-v1",
        money=Money(1000, "EUR"),
        title="Smoke test",
        group=f"smoke-{made}",
        return_url="https://example.org/return?session={CHECKOUT_SESSION_ID}",
        cancel_url="https://example.org/cancel",
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )


def test_a_page_is_opened_once_per_key_and_closed(cards):
    wanted = order()
    first, second = cards.open_checkout(wanted), cards.open_checkout(wanted)
    assert first.checkout_id == second.checkout_id
    assert first.url is not None
    assert first.url.startswith("https://")
    assert cards.checkout(first.checkout_id).state == "requires_action"
    assert cards.close_checkout(first.checkout_id).state == "expired"


def test_a_paid_intent_is_refunded_once_per_key_and_stands_on_the_statement(cards):
    client = stripe.StripeClient(KEY)
    intent = client.v1.payment_intents.create(
        {
            "amount": 1000,
            "currency": "eur",
            "confirm": True,
            "payment_method": "pm_card_bypassPending",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    wanted = RefundOrder(new_id(), f"smoke-refund-{intent.id}-v1", intent.id, Money(400, "EUR"))
    assert cards.refund(wanted).provider_ref == cards.refund(wanted).provider_ref
    assert [answer.money for answer in cards.refunds_of(intent.id)] == [Money(400, "EUR")]
    with pytest.raises(ProcessorRefused):
        cards.refund(RefundOrder(new_id(), f"smoke-refund-{intent.id}-v2", intent.id, Money(700, "EUR")))
    since = datetime.now(UTC) - timedelta(minutes=10)
    assert any(line.refund_id == str(wanted.refund_id) for line in cards.balance_lines(since))
    assert any(event.intent_id == intent.id for event in cards.events_since(since))


def test_a_dispute_is_read_and_answered(cards):
    client = stripe.StripeClient(KEY)
    intent = client.v1.payment_intents.create(
        {
            "amount": 1000,
            "currency": "eur",
            "confirm": True,
            "payment_method": "pm_card_createDispute",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    found = client.v1.disputes.list({"payment_intent": intent.id}).data
    if not found:
        pytest.skip("Stripe has not made the dispute yet: run it again in a minute")
    answer = cards.dispute(found[0].id)
    assert (answer.state, answer.intent_id, answer.money) == ("needs_response", intent.id, Money(1000, "EUR"))
    assert answer.evidence_due_at is not None
    assert cards.submit_evidence(answer.provider_ref, "winning_evidence").state in ("under_review", "won")
