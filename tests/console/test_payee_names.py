"""An account under another name: staff are told, nothing goes to a wallet that belongs to somebody else, two people agree."""

import dataclasses

import pytest

from market.payouts import service as payouts
from market.producers import queries, service
from market.producers.rules import PayTo, PostalAddress
from tests.conftest import NOW
from tests.factories.accounts import actor_for
from tests.factories.payouts import owe
from tests.factories.producers import make_producer
from workers import payouts as tasks

WALLET = PayTo("momo", "EUR", "Ana Quispe", PostalAddress(country="RW"), msisdn="+250788000123")


class Register:
    """A provider that knows one number."""

    def __init__(self, name: str | None) -> None:
        self.name = name

    def holder_of(self, msisdn: str) -> str | None:
        return self.name if msisdn == WALLET.msisdn else None


@pytest.fixture
def producer(session, coop):
    producer = make_producer(session, coop=coop, name="Ana Quispe")
    owe(session, producer)
    return producer


def entered(app, session, monkeypatch, desk, producer, known: str | None, **wanted):
    monkeypatch.setitem(app.extensions, "ports", dataclasses.replace(app.extensions["ports"], wallets=Register(known)))
    pay_to = dataclasses.replace(WALLET, **wanted)
    preparer, approver = (actor_for(session, person) for person in (desk.preparer, desk.approver))
    account_id = service.enter_payee_account(session, actor=preparer, producer_id=producer.id, pay_to=pay_to, now=NOW)
    session.commit()
    tasks.check_wallet.run(payee_account_id=str(account_id))
    service.confirm_payee_account(session, actor=approver, payee_account_id=account_id, now=NOW)
    session.commit()
    return account_id


def test_a_wallet_of_somebody_else_is_not_paid_until_a_second_person_agrees(app, session, monkeypatch, desk, coop, producer):
    account_id = entered(app, session, monkeypatch, desk, producer, "Jean Uwase")
    plan = payouts.preview_run(session, coop_id=coop.id, due_by=NOW.date())
    assert (plan.totals, [row.reason for row in plan.skipped]) == (
        [],
        ["The provider knows this number as Jean Uwase. Ask the payee, and let a second person agree."],
    )
    assert "Accounts under another name" in desk.get(desk.preparer, "/console").text
    page = desk.get(desk.approver, f"/console/payee-accounts?open={account_id}").text
    assert "Jean Uwase" in page
    path = f"/console/payee-accounts/{account_id}/name"
    assert desk.post(desk.approver, path, reason="ok").status_code == 422
    assert desk.post(desk.preparer, path, reason="her husband's number").status_code == 422, "who entered it cannot agree"
    agreed = desk.post(desk.approver, path, reason="her husband's number, she says")
    assert agreed.location.endswith(f"open={account_id}"), "the account stays open, to be confirmed"
    assert "Accounts under another name" not in desk.get(desk.preparer, "/console").text.split("<table")[0].split("<form")[0]
    assert [row.rail for row in payouts.preview_run(session, coop_id=coop.id, due_by=NOW.date()).totals] == ["momo"]


def test_the_same_name_in_another_form_and_a_silent_provider_raise_no_doubt(app, session, monkeypatch, desk, coop, producer):
    entered(app, session, monkeypatch, desk, producer, "QUISPE Ana María")
    entered(app, session, monkeypatch, desk, producer, None)
    assert queries.doubted_accounts(session, coop_id=coop.id) == []


def test_a_holder_with_another_name_than_the_member_is_said_and_still_paid(app, session, monkeypatch, desk, coop, producer):
    entered(app, session, monkeypatch, desk, producer, None, holder="Rosa Flores")
    (doubted,) = queries.doubted_accounts(session, coop_id=coop.id)
    assert (doubted.name_doubt, doubted.holder) == ("member", "Rosa Flores")
    assert payouts.preview_run(session, coop_id=coop.id, due_by=NOW.date()).skipped == []
