"""Runs that the clock drafts: once, for two people to check and approve; and amounts too small to be paid."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from market.kernel.money import Money
from market.payables import queries as payables
from market.payouts import queries, service
from market.payouts.errors import SamePerson, StepRefused
from market.payouts.rules.schedule import PayoutSettings
from market.producers.errors import NotYoursToChange
from tests.conftest import NOW
from tests.domain.payouts.test_runs import books_agree
from tests.factories.payouts import APPROVER, PREPARER, make_run, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer

WEDNESDAYS = PayoutSettings("weekly", weekday=2)  # NOW is one


@pytest.fixture
def coop(session):
    return make_coop(session)


def payee(session, coop, minor):
    producer = make_producer(session, coop=coop)
    make_payee_account(session, producer=producer)
    owe(session, producer, minor)
    return producer


def save(session, coop, wanted):
    service.save_settings(session, actor=APPROVER, coop_id=coop.id, wanted=wanted, now=NOW)


def draft(session, coop, now=NOW):
    return service.draft_scheduled(session, coop_id=coop.id, now=now)


def test_the_clock_drafts_one_run_on_its_day_and_makes_up_for_a_day_it_missed(session, coop):
    payee(session, coop, 6480)
    assert draft(session, coop) is None, "nobody asked for runs"
    save(session, coop, WEDNESDAYS)
    assert queries.with_rhythm(session) == [coop.id]
    run = draft(session, coop)
    assert (run.prepared_by, run.state, run.due_by) == ("system:payouts.schedule", "draft", NOW.date())
    payee(session, coop, 1000)
    assert draft(session, coop) is None, "a second beat finds the day drafted"
    assert draft(session, coop, NOW + timedelta(days=6)) is None
    assert draft(session, coop, NOW + timedelta(days=8)).due_by == (NOW + timedelta(days=8)).date()


def test_a_change_makes_up_for_no_day_before_it_and_a_day_without_debts_is_done(session, coop):
    save(session, coop, PayoutSettings("weekly", weekday=1))
    assert draft(session, coop) is None
    save(session, coop, WEDNESDAYS)
    assert draft(session, coop) is None, "nothing is owed"
    payee(session, coop, 6480)
    assert draft(session, coop) is None, "the day has been looked after"


def test_two_people_stand_behind_a_run_of_the_clock(session, coop):
    payee(session, coop, 6480)
    save(session, coop, WEDNESDAYS)
    run = draft(session, coop)
    shown = {"run_id": run.id, "list_sha256": run.list_sha256, "now": NOW}
    with pytest.raises(StepRefused):
        service.approve_run(session, actor=APPROVER, **shown)
    with pytest.raises(IntegrityError, match="checked_first"), session.begin_nested():
        session.execute(text("UPDATE payout_run SET state = 'approved', approved_by = 'account:x', approved_at = now()"))
    service.check_run(session, actor=APPROVER, **shown)
    with pytest.raises(StepRefused):
        service.check_run(session, actor=PREPARER, **shown)
    with pytest.raises(SamePerson):
        service.approve_run(session, actor=APPROVER, **shown)
    with pytest.raises(IntegrityError, match="four_eyes"), session.begin_nested():
        session.execute(text("UPDATE payout_run SET state = 'approved', approved_by = checked_by, approved_at = now()"))
    assert service.approve_run(session, actor=PREPARER, **shown).state == "approved"
    books_agree(session, coop)


def test_a_run_that_a_person_prepared_needs_no_check(session, coop):
    payee(session, coop, 6480)
    run = make_run(session, coop.id)
    with pytest.raises(StepRefused):
        service.check_run(session, actor=APPROVER, run_id=run.id, list_sha256=run.list_sha256, now=NOW)


def test_who_is_owed_less_than_the_least_is_carried_until_it_is_enough(session, coop):
    small, _large = payee(session, coop, 999), payee(session, coop, 1000)
    save(session, coop, PayoutSettings(minimum_minor=1000))
    run = make_run(session, coop.id)
    assert [total.money for total in run.totals] == [Money(1000, "EUR")]
    (skipped,) = run.skipped
    assert (skipped.payee_id, skipped.money, "carried" in skipped.reason) == (small.id, Money(999, "EUR"), True)
    assert payables.owed_to(session, small.id)[0].open == Money(999, "EUR")
    owe(session, small, 1)
    assert make_run(session, coop.id).totals[0].money == Money(1000, "EUR")
    books_agree(session, coop)


def test_only_an_approver_says_how_the_co_op_pays_out(session, coop):
    with pytest.raises(NotYoursToChange):
        service.save_settings(session, actor=PREPARER, coop_id=coop.id, wanted=WEDNESDAYS, now=NOW)


def test_the_bank_file_follows_the_settings(session, coop):
    payee(session, coop, 6480)
    save(session, coop, PayoutSettings(file_format="pain.001.001.03", batch_booking=True, purpose="AGRT"))
    run = make_run(session, coop.id)
    service.approve_run(session, actor=APPROVER, run_id=run.id, list_sha256=run.list_sha256, now=NOW)
    service.write_files(session, run_id=run.id, now=NOW)
    (file,) = queries.files_of_run(session, run.id)
    body = queries.file_body(session, file.id)[1]
    assert b"pain.001.001.03" in body
    assert b"<BtchBookg>true</BtchBookg>" in body
    assert b"<Purp><Cd>AGRT</Cd></Purp>" in body
