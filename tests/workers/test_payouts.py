"""The payout tasks: each does its work, does it twice without harm, and repairs what a lost wake-up left."""

from datetime import timedelta

import pytest
from flask import current_app
from sqlalchemy import text

from market.gateways.memory_stripe import MemoryTransfers
from market.http.db import unit_of_work
from market.kernel.tenancy import EVERYTHING, scoped
from market.kernel.uow import NetworkInsideUnitOfWork
from market.payouts import queries, service
from market.payouts.rules.schedule import PayoutSettings
from market.payouts.rules.timing import LEASE
from market.producers.models import Producer
from tests.conftest import NOW
from tests.factories.accounts import make_producer_account
from tests.factories.payouts import APPROVER, approved_run, only_payout, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer
from workers import notifications
from workers import payouts as tasks


@pytest.fixture
def rail(app, monkeypatch):
    """A transfer rail in memory, in the place of the app's."""
    import dataclasses

    rail = MemoryTransfers()
    monkeypatch.setitem(app.extensions, "ports", dataclasses.replace(app.extensions["ports"], transfers=rail))
    return rail


def approved(session, **account):
    producer = make_producer(session, coop=make_coop(session))
    make_payee_account(session, producer=producer, **account)
    owe(session, producer)
    return approved_run(session, producer.coop_id)


@pytest.fixture
def stripe_run(session):
    return approved(session, rail="stripe", iban=None, bic=None, stripe_account="acct_1")


def state(session, run) -> str:
    session.expire_all()
    return only_payout(session, run).state


def test_send_pays_once_however_often_it_runs(session, rail, stripe_run):
    for _ in range(3):
        tasks.send.run(run_id=str(stripe_run.id), added_later="x")
    assert (state(session, stripe_run), len(rail.sent)) == ("sent", 1)


def test_send_writes_the_bank_file_once(session, rail):
    run = approved(session)
    for _ in range(2):
        tasks.send.run(run_id=str(run.id))
    assert (state(session, run), len(queries.files_of_run(session, run.id))) == ("sending", 1)


def test_the_sweep_does_what_a_lost_wake_up_left(session, rail, stripe_run):
    bank = approved(session)
    tasks.sweep.run()
    assert state(session, stripe_run) == "sent"
    assert (state(session, bank), len(queries.files_of_run(session, bank.id))) == ("sending", 1)


@pytest.mark.parametrize("trouble", ["before", "after"])
def test_a_lost_call_is_repeated_with_the_same_key(session, rail, stripe_run, clock, trouble):
    rail.trouble = [trouble]
    tasks.sweep.run()
    assert state(session, stripe_run) == "unknown"
    tasks.sweep.run()
    assert state(session, stripe_run) == "unknown"
    clock.instant = NOW + timedelta(seconds=21)
    tasks.sweep.run()
    assert (state(session, stripe_run), len(rail.sent)) == ("sent", 1)


def test_a_dead_worker_s_payout_is_taken_over(session, rail, stripe_run, clock):
    from market.payouts import service

    with unit_of_work() as unit:
        service.claim_next(unit, now=NOW, rails={"stripe": rail.capabilities})
    tasks.sweep.run()
    assert state(session, stripe_run) == "sending"
    clock.instant = NOW + LEASE + timedelta(seconds=1)
    tasks.sweep.run()
    assert (state(session, stripe_run), len(rail.sent)) == ("sent", 1)


def test_after_a_day_a_person_decides(session, rail, stripe_run, clock, caplog):
    rail.trouble = ["before"] * 99
    tasks.sweep.run()
    clock.instant = NOW + timedelta(hours=24)
    tasks.sweep.run()
    assert state(session, stripe_run) == "needs_person"
    tasks.overdue.run()
    tasks.alarm.run(payout_id=str(only_payout(session, stripe_run).id))
    assert "needs_person" in caplog.text


def test_a_refused_payout_is_owed_again(session, rail):
    run = approved(session, rail="stripe", iban=None, bic=None, stripe_account="acct_1")
    rail.check_details = lambda details: "the account was closed"
    tasks.sweep.run()
    assert state(session, run) == "failed"


def test_a_rail_that_breaks_leaves_its_payout_unknown_and_the_others_paid(session, rail, stripe_run, caplog):
    other = approved(session, rail="stripe", iban=None, bic=None, stripe_account="acct_2")
    send = rail.send

    def broken(order):
        if order.details["stripe_account"] == "acct_1":
            raise KeyError("not what the library promised")
        return send(order)

    rail.send = broken
    tasks.sweep.run()
    assert (state(session, stripe_run), state(session, other)) == ("unknown", "sent")
    assert "the rail broke" in caplog.text


def test_a_run_whose_file_cannot_be_written_holds_up_no_other(session, rail, caplog):
    bad, good = approved(session), approved(session)
    session.execute(text("UPDATE coop SET account_holder = 'አበበ' WHERE id = :id"), {"id": bad.coop_id})
    session.expire_all()
    tasks.sweep.run()
    assert (state(session, bad), state(session, good)) == ("queued", "sending")
    assert "cannot be written" in caplog.text


def test_the_rail_is_never_called_inside_a_unit_of_work(session, rail, stripe_run):
    with pytest.raises(NetworkInsideUnitOfWork), unit_of_work():
        rail.ask(None)


def test_overdue_payables_are_said_aloud(session, rail, caplog, clock):
    producer = make_producer(session)
    owe(session, producer)
    tasks.overdue.run()
    assert f"overdue payables: co-op {producer.coop_id}, 1 of 6480 EUR since 2026-11-20" in caplog.text


def test_a_statement_is_printed_once(session, rail, coop_payout):
    for _ in range(2):
        tasks.print_statement.run(payout_id=str(coop_payout.id))
    body = queries.printed_statement(session, coop_payout.id)
    assert body is not None
    assert body.startswith(b"%PDF")


def test_the_producer_gets_the_statement_by_mail_once_in_their_language(session, coop_payout):
    account = make_producer_account(session, producer=session.get_one(Producer, coop_payout.payee_id))
    account.locale = "sw"
    session.commit()
    tasks.print_statement.run(payout_id=str(coop_payout.id))
    mails = current_app.extensions["ports"].mailer.mails
    mails.clear()
    with scoped(EVERYTHING):
        for _ in range(2):
            notifications.tell(topic="payouts.printed", payout_id=str(coop_payout.id))
    (mail,) = mails.values()
    (statement,) = mail.attachments
    assert statement.name.endswith(".pdf")
    assert statement.body == queries.printed_statement(session, coop_payout.id)
    assert (mail.to_email, mail.language) == (account.email, "sw")
    assert coop_payout.reference.replace(" ", "") in mail.text.replace(" ", "")


@pytest.fixture
def coop_payout(session):
    """A bank payout that a statement has settled."""
    from market.payouts import service

    run = approved(session)
    service.write_files(session, run_id=run.id, now=NOW)
    session.expire_all()
    row = only_payout(session, run)
    service.settle(session, payout_id=row.id, money=row.money, booked_on=NOW.date(), suspense="suspense:1", now=NOW)
    session.flush()
    return row


def test_the_clock_drafts_once_however_often_it_looks(session):
    producer = make_producer(session, coop=make_coop(session))
    make_payee_account(session, producer=producer)
    owe(session, producer)
    wanted = PayoutSettings("weekly", weekday=NOW.weekday())
    service.save_settings(session, actor=APPROVER, coop_id=producer.coop_id, wanted=wanted, now=NOW)
    session.commit()
    for _ in range(2):
        tasks.draft_scheduled.run()
    assert [run.state for run in queries.runs(session, coop_id=producer.coop_id).items] == ["draft"]
