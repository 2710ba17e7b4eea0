"""Money that waits too long is mailed once a day to the staff who want to know, and stands on their first page."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from market.notifications import service
from market.notifications.models import Notification
from market.reports.queries import tasks
from market.reports.queries.lists import Viewer
from tests.conftest import NOW
from tests.factories.accounts import actor_for, make_staff
from tests.factories.payouts import approved_run, make_run, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer
from workers import notifications as worker


@pytest.fixture
def coop(session):
    return make_coop(session, time_zone="Africa/Nairobi")


@pytest.fixture
def staff(session, coop):
    return make_staff(session, coop=coop, role="approver")


def rung(session, coop, now=NOW):
    service.ring(session, coop_id=coop.id, now=now)
    return sorted(session.scalars(select(Notification.kind).where(Notification.state == "waiting")))


def waiting(session, coop, now=NOW):
    counts = tasks.counts(session, Viewer(coop.id, "EUR", coop.time_zone, None, now))
    return {kind: count for kind, count in counts.items() if kind in ("payable_overdue", "account_missing", "run_stuck")}


def test_what_is_owed_and_late_is_told_once_a_day(session, coop, staff):
    ana = make_producer(session, coop=coop)
    owe(session, ana, 6480)
    assert rung(session, coop) == ["alarm_account", "alarm_overdue"]
    assert rung(session, coop, NOW + timedelta(hours=3)) == ["alarm_account", "alarm_overdue"]
    assert waiting(session, coop) == {"payable_overdue": 1, "account_missing": 1}
    make_payee_account(session, producer=ana)
    tomorrow = NOW + timedelta(days=1)
    assert rung(session, coop, tomorrow) == ["alarm_account", "alarm_overdue", "alarm_overdue"]
    assert waiting(session, coop) == {"payable_overdue": 1}
    mail = session.scalars(select(Notification).where(Notification.kind == "alarm_overdue")).first()
    assert mail.facts["facts"]["rows"] == [[{"day": "2026-11-20"}, {"money": [6480, "EUR"]}]]
    assert mail.facts["link"] == ["today", "payable_overdue"]


def test_what_is_due_today_is_not_overdue_because_it_is_tomorrow_elsewhere(session):
    lima = make_coop(session, time_zone="America/Lima")
    owe(session, make_producer(session, coop=lima), 6480)
    evening = NOW.replace(day=21, hour=3)  # 22:00 on the 20th there, the day on which it is due
    assert "payable_overdue" not in waiting(session, lima, evening)
    assert waiting(session, lima, evening + timedelta(hours=3))["payable_overdue"] == 1


def test_nobody_is_woken_and_who_does_not_want_it_gets_none(session, coop, staff):
    owe(session, make_producer(session, coop=coop), 6480)
    assert rung(session, coop, NOW.replace(hour=2)) == []
    service.choose(session, actor=actor_for(session, staff), topic="alarms", wanted=False)
    assert rung(session, coop) == []


def test_runs_that_do_not_go_on_are_told(session, coop, staff):
    ana = make_producer(session, coop=coop)
    make_payee_account(session, producer=ana)
    owe(session, ana, 6480)
    approved_run(session, coop.id)
    assert rung(session, coop) == []
    assert rung(session, coop, NOW + timedelta(hours=2)) == ["alarm_stuck"]
    assert waiting(session, coop, NOW + timedelta(hours=2)) == {"run_stuck": 1}
    owe(session, ana, 100)
    make_run(session, coop.id)
    assert "alarm_draft" in rung(session, coop, NOW + timedelta(days=3))


def test_nothing_late_is_no_mail(session, coop, staff):
    assert rung(session, coop) == []


def test_the_task_writes_and_sends_in_the_readers_language_and_runs_twice(app, session, coop, staff, ports, clock):
    staff.locale = "es"
    owe(session, make_producer(session, coop=coop), 6480)
    session.commit()
    ports.mailer.mails.clear()
    with app.app_context():
        worker.ring()
        worker.ring()
    mails = {mail.subject: mail for mail in ports.mailer.mails.values() if mail.to_email == staff.email}
    assert len(mails) == 2
    overdue = next(mail for mail in mails.values() if "64,80" in mail.text)
    assert overdue.language == "es"
    assert "/console?kind=payable_overdue" in overdue.text
