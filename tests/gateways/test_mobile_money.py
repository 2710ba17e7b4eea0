"""The mobile-money rail against its simulator, whose effect log says what really moved."""

import dataclasses

import pytest

from market.kernel.ids import new_id
from market.kernel.money import Money
from market.payouts.ports import Accepted, NotFound, Pending, Refused, TransferOrder, Unsure
from tests.momo_server import MomoServer

WORKS, FAILS, REJECTED, PENDING = "+250788000123", "+250788000150", "+250788000151", "+250788000154"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    server = MomoServer(tmp_path_factory.mktemp("momo"))
    yield server
    assert server.stop() == 0


@pytest.fixture
def server(running):
    yield running
    running.control("faults/clear")


@pytest.fixture
def rail(server):
    return server.gateway()


def order(minor: int = 18600, msisdn: str = WORKS) -> TransferOrder:
    payout_id = new_id()
    money = Money(minor, "RWF")
    return TransferOrder(payout_id, f"po-{payout_id}-v1", f"RF{payout_id.int % 10**12}", money, {"msisdn": msisdn}, "run")


def moved(server, wanted) -> list[str]:
    return [effect["amount"] for effect in server.effects() if effect["external_id"] == wanted.reference]


def test_taken_is_not_paid_and_the_same_reference_pays_once(server, rail):
    wanted = order()
    assert rail.ask(wanted) == NotFound()
    assert isinstance(rail.send(wanted), Pending)
    assert moved(server, wanted) == [], "202 moves nothing yet"
    assert isinstance(rail.send(wanted), Pending), "409 is no acceptance: it asks"
    server.control("decide")
    paid = rail.send(wanted)
    assert isinstance(paid, Accepted)
    assert rail.ask(wanted) == paid
    assert moved(server, wanted) == ["18600"]


def test_only_the_provider_s_decisions_are_decisions(server, rail):
    fails, waits = order(msisdn=FAILS), order(msisdn=PENDING)
    assert isinstance(rail.send(fails), Pending)
    rail.send(waits)
    server.control("decide")
    assert rail.ask(fails) == Refused("PAYEE_NOT_FOUND no such wallet")
    assert [type(rail.ask(waits)), type(rail.cancel(waits))] == [Pending, Unsure]
    assert rail.send(order(msisdn=REJECTED)) == Refused("PAYEE_LIMIT_REACHED this wallet takes no more")
    assert isinstance(rail.send(order(msisdn="0788")), Refused)


@pytest.mark.parametrize("kind", ["drop_after", "500_after", "slow"])
def test_an_answer_that_is_lost_after_the_effect_leaves_it_unsure_and_never_doubles_it(server, kind):
    rail, wanted = server.gateway(timeout=0.2), order()
    server.control("faults", kind=kind, path=".*/transfer", count=1, seconds=0.4)
    assert isinstance(rail.send(wanted), Unsure)
    server.control("decide")
    assert isinstance(rail.send(wanted), Accepted)
    assert moved(server, wanted) == ["18600"]


@pytest.mark.parametrize("kind", ["drop_before", "500_before", "429"])
def test_a_call_that_broke_before_the_effect_is_unsure_too(server, rail, kind):
    wanted = order()
    server.control("faults", kind=kind, path=".*/transfer", count=1)
    assert isinstance(rail.send(wanted), Unsure)
    assert moved(server, wanted) == []
    assert isinstance(rail.send(wanted), Pending)


def test_a_conflict_about_a_reference_that_nobody_knows_is_no_acceptance(server, rail):
    wanted = order()
    server.control("faults", kind="409", path=".*/transfer", count=1)
    assert rail.send(wanted) == NotFound()


def test_a_record_with_another_amount_is_not_ours(server, rail):
    wanted = order()
    rail.send(wanted)
    assert isinstance(rail.send(dataclasses.replace(wanted, money=Money(1, "RWF"))), Unsure)


def test_a_token_that_ended_early_is_made_anew_and_a_wrong_key_is_unsure(server, rail):
    rail.ask(order())
    server.control("forget_tokens")
    assert rail.ask(order()) == NotFound()
    rail._login = "bm9ib2R5"
    server.control("forget_tokens")
    assert isinstance(rail.send(order()), Unsure)


def test_the_register_of_names_is_asked(server, rail):
    server.control("wallets", msisdn="250788000123", given_name="Chantal", family_name="Uwase")
    assert rail.holder_of(WORKS) == "Chantal Uwase"
    assert rail.holder_of("+250788999999") is None


def test_the_statement_shows_each_transfer_and_its_fee(server, rail):
    wanted = order(minor=20000)
    rail.send(wanted)
    server.control("decide")
    rows = [row for row in server.control("statement", opening="1000000")["csv"].splitlines() if wanted.reference in row]
    assert [row.split(",")[6] for row in rows] == ["-20000", "-100"]
