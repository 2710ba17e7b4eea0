"""The provider's callback: whatever comes, the answer is the same and nothing is believed."""

from datetime import timedelta

import pytest

from market.payouts import queries, service
from market.payouts.ports import Pending
from tests.conftest import NOW
from tests.factories.payouts import take, wallet_payout
from tests.factories.producers import make_coop


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"externalId": 7}', b'{"externalId": "RF00"}'])
def test_rubbish_is_taken_without_a_word(client, session, body):
    answer = client.put("/hooks/mobile-money", data=body, content_type="application/json")
    assert (answer.status_code, answer.json) == (200, {"received": True})


def test_a_callback_that_says_failed_only_lets_us_ask(client, session, clock):
    to_wallet = wallet_payout(session, make_coop(session))
    service.record_outcome(session, claim=take(session), answer=Pending("ref-1"), now=NOW)
    clock.instant = NOW + timedelta(seconds=5)
    client.put("/hooks/mobile-money", json={"externalId": to_wallet.reference, "status": "FAILED"})
    session.expire_all()
    assert queries.payout(session, to_wallet.id).state == "sent"
    assert take(session, now=clock.instant) is not None
