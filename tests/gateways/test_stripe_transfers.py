"""The transfer rail against the simulator, and its stand-in against the same sentences."""

import pytest

from market.gateways.memory_stripe import MemoryTransfers
from market.gateways.stripe_transfers import StripeTransfers
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.payouts.ports import Accepted, NotFound, Refused, TransferOrder, Unsure
from tests.stripe_server import KEY

ACCOUNT = "acct_maria0001"


@pytest.fixture
def real(stripe_server):
    stripe_server.control("accounts", id=ACCOUNT)
    stripe_server.control("fund", amount=10_000_00, currency="eur")
    return StripeTransfers(key=KEY, api_base=stripe_server.url, retries=0, timeout=2)


@pytest.fixture(params=["real", "memory"])
def rail(request):
    return request.getfixturevalue("real") if request.param == "real" else MemoryTransfers()


def order(minor: int = 5000, account: str = ACCOUNT, **more) -> TransferOrder:
    payout_id = new_id()
    values = {
        "payout_id": payout_id, "key": f"po-{payout_id}-v1", "reference": "RF132000000001", "money": Money(minor, "EUR"),
        "details": {"stripe_account": account}, "group": f"run-{payout_id}",
    }  # fmt: skip
    return TransferOrder(**(values | more))


def test_a_transfer_is_sent_once_per_key_and_found_again(rail):
    wanted = order()
    assert rail.ask(wanted) == NotFound()
    first = rail.send(wanted)
    assert isinstance(first, Accepted)
    assert rail.send(wanted) == first
    assert rail.ask(wanted) == first
    assert rail.ask(order(group=wanted.group)) == NotFound()


def test_details_without_an_account_are_refused(rail):
    assert isinstance(rail.send(order(account="")), Refused)
    assert rail.check_details({"stripe_account": ACCOUNT}) is None


def test_other_content_under_a_used_key_is_no_new_payment(rail):
    wanted = order()
    rail.send(wanted)
    assert isinstance(rail.send(order(4999, key=wanted.key, payout_id=wanted.payout_id)), Unsure)


def test_a_transfer_can_be_reversed_but_not_stopped(rail):
    wanted = order()
    assert isinstance(rail.cancel(wanted), Unsure)
    sent = rail.send(wanted)
    assert rail.cancel(wanted) == sent
    assert isinstance(rail.reverse(wanted, sent.provider_ref, Money(100, "EUR")), Accepted)


def test_an_unknown_account_or_too_little_money_is_a_definite_no(real):
    assert isinstance(real.send(order(account="acct_nobody")), Refused)
    assert "insufficient" in real.send(order(99_999_999)).reason


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "429", "409"])
def test_a_lost_answer_pays_once(real, stripe_server, fault):
    stripe_server.control("faults", kind=fault, path="/v1/transfers", count=1)
    wanted = order()
    assert isinstance(real.send(wanted), Unsure)
    assert isinstance(real.send(wanted), Accepted)
    assert len([e for e in stripe_server.effects("transfer") if e["metadata"]["payout_id"] == str(wanted.payout_id)]) == 1


def test_after_the_key_is_forgotten_the_transfer_is_still_found(real, stripe_server):
    stripe_server.control("faults", kind="500_after", path="/v1/transfers", count=1)
    wanted = order()
    assert isinstance(real.send(wanted), Unsure)
    assert isinstance(real.send(wanted), Unsure)
    stripe_server.control("forget_keys")
    assert isinstance(real.ask(wanted), Accepted)
