"""Reports: figures with their tables, and lists that a worker writes while one does something else."""

from typing import NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import select

from market.desks import service
from market.desks.models import ReportJob
from market.kernel.outbox import OutboxRow
from market.notifications import service as notifications
from market.notifications.models import Notification
from tests.conftest import NOW
from tests.factories.accounts import csrf_token, make_staff, sign_in
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order
from tests.factories.producers import make_producer
from workers.desks import make_report

LISTS = "/console/reports/lists"


class Person(NamedTuple):
    """Enough of an account to sign in with."""

    id: UUID


@pytest.fixture
def colleague(session, coop):
    return Person(make_staff(session, coop=coop, role="approver").id)


@pytest.fixture
def staff(client, session, coop, colleague):
    return sign_in(client, session, make_staff(session, coop=coop, role="preparer"))


@pytest.fixture
def sold(session, coop):
    listing = make_listing(session, producer=make_producer(session, coop=coop, name="Finca Alta"))
    return paid_order(session, listing).total


def ask(client, **form):
    values = {"csrf_token": csrf_token(client), "list": "orders", "format": "csv"} | form
    return client.post(LISTS, data=values)


def job_of(session):
    session.expire_all()
    return session.scalars(select(ReportJob)).one()


def test_the_figures_add_up_to_what_was_paid(staff, sold):
    text = staff.get("/console/reports").text
    assert "Finca Alta" in text
    assert sold.decimal.__format__(".2f") in text
    lines = staff.get("/console/reports?format=csv").text.splitlines()
    assert lines[1].split(",")[1:4] == [sold.currency, "1", f"{sold.decimal}"]
    assert "Nothing was sold" in staff.get("/console/reports?from=2020-01-01&to=2020-02-01").text
    assert "Please enter a day" in staff.get("/console/reports?from=never").text


def test_a_list_is_made_in_the_background_and_a_mail_says_so(staff, client, session, colleague, sold):
    assert ask(staff, list="nonsense").status_code == 422
    assert ask(staff).status_code == 303
    assert 'data-poll="2"' in staff.get(LISTS).text
    job_id = job_of(session).id
    assert staff.get(f"{LISTS}/{job_id}").status_code == 409
    asked = session.scalars(select(OutboxRow).where(OutboxRow.topic == "desks.report_asked")).one()
    make_report(**asked.payload)
    make_report(**asked.payload)  # delivered twice, made once
    done = session.scalars(select(OutboxRow).where(OutboxRow.topic == "desks.report_done")).one()
    assert "data-poll" not in staff.get(LISTS).text
    body = staff.get(f"{LISTS}/{job_id}")
    assert "attachment" in body.headers["Content-Disposition"]
    assert "Finca Alta" in body.text
    notifications.tell(session, topic="desks.report_done", payload=done.payload, now=NOW)
    assert session.scalars(select(Notification.kind)).one() == "report_done"
    sign_in(client, session, colleague)
    assert client.get(f"{LISTS}/{job_id}").status_code == 404


def test_a_list_can_be_stopped_and_is_then_not_made(staff, session, sold):
    ask(staff, format="xlsx")
    job_id = job_of(session).id
    service.begin_report(session, job_id=job_id, total=1)
    assert staff.post(f"{LISTS}/{job_id}/cancel", data={"csrf_token": csrf_token(staff)}).status_code == 303
    late = staff.post(f"{LISTS}/{job_id}/cancel", data={"csrf_token": csrf_token(staff)}, follow_redirects=True)
    assert "Too late" in late.text, "nothing was stopped"
    assert not service.note_progress(session, job_id=job_id, done=1)
    make_report(job_id=str(job_id))
    assert (job_of(session).state, job_of(session).body) == ("cancelled", None)


@pytest.mark.parametrize("name", ["orders", "refunds", "payouts", "matching", "members", "listings", "mails", "audit"])
def test_every_list_can_be_made(staff, session, sold, name):
    ask(staff, list=name, format="xlsx")
    make_report(job_id=str(job_of(session).id))
    assert job_of(session).body[:2] == b"PK"
