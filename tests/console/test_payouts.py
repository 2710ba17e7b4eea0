"""Staff pages of payouts: one prepares, another approves, files and receipts, and nobody else's co-op."""

import re
from datetime import timedelta

import pytest

from market.kernel.money import Money
from market.payouts import queries, service
from market.payouts.models import PayoutRun
from tests.conftest import NOW
from tests.console.conftest import Desk
from tests.factories.accounts import actor_for, make_account, make_producer_account
from tests.factories.payouts import owe
from tests.factories.producers import make_coop, make_payee_account, make_producer


@pytest.fixture
def payee(session, coop):
    producer = make_producer(session, coop=coop, name="Ana Quispe")
    make_payee_account(session, producer=producer)
    owe(session, producer)
    return producer


def test_an_unknown_payout_elsewhere_stops_everything_until_somebody_has_compared(desk, session, coop, payee):
    page = desk.post(desk.preparer, "/console/payouts", due_by="2026-11-25").location
    shown = re.search(r'name="list_sha256" value="(\w+)"', desk.get(desk.approver, f"{page}/approve").text)
    service.stop(session, coop_ids=[coop.id], found_in="the statement of Current", evidence="RF18200", now=NOW)
    session.commit()
    assert "RF18200" in desk.get(desk.approver, "/console/payouts").text
    desk.post(desk.approver, f"{page}/approve", list_sha256=shown[1])
    assert "Nothing is sent" in desk.client.get(page).text
    lift = "/console/payouts/stops/lift"
    assert desk.post(desk.preparer, lift, why="Compared all lines of the 25th").status_code == 403
    assert desk.post(desk.approver, lift, why="ok").status_code == 422
    assert desk.post(desk.approver, lift, why="Compared all lines of the 25th").status_code == 303
    assert desk.post(desk.approver, f"{page}/approve", list_sha256=shown[1]).status_code == 303


def test_the_overview_shows_what_is_owed_and_previews_a_run(desk, payee):
    page = desk.get(desk.preparer, "/console/payouts?due_by=2026-11-25")
    assert page.status_code == 200
    assert "Ana Quispe" in page.text
    assert "€64.80" in page.text
    assert "Prepare this run" in page.text
    assert "Nobody would be paid" in desk.get(desk.preparer, "/console/payouts?due_by=2026-11-01").text


def test_whom_a_run_leaves_out_is_a_file_before_and_after(desk, session, coop, payee):
    owe(session, make_producer(session, coop=coop, name="Nowhere to pay"))
    before = desk.get(desk.preparer, "/console/payouts/left-out?due_by=2026-11-25").text
    page = desk.post(desk.preparer, "/console/payouts", due_by="2026-11-25").location
    for text in (before, desk.get(desk.preparer, f"{page}/left-out").text):
        heads, row = text.splitlines()
        assert heads.lstrip("\ufeff") == "Payee,Owed,Currency,Why"
        assert row.startswith("Nowhere to pay,64.80,EUR,")


def test_the_preparer_sees_no_way_to_approve_and_is_refused(desk, payee):
    page = desk.post(desk.preparer, "/console/payouts", due_by="2026-11-25").location
    shown = desk.get(desk.preparer, page)
    assert "another person must approve it" in shown.text
    assert "Check and approve" not in shown.text
    assert desk.get(desk.preparer, f"{page}/approve").status_code == 403
    assert desk.post(desk.preparer, f"{page}/approve", list_sha256="0" * 64).status_code == 403


def test_a_run_that_waits_is_named_today_and_its_alarm_leads_to_it(desk, session, payee):
    page = desk.post(desk.preparer, "/console/payouts", due_by="2026-11-25").location
    run = session.get(PayoutRun, page.rsplit("/", 1)[1])
    run.prepared_at = NOW - timedelta(days=3)
    session.flush()
    number = queries.run(session, run.id).number
    for asked in ("", f"?q={number}", "?sort=largest"):
        row = desk.get(desk.approver, f"/console{asked}").text.split("<tbody")[1]
        assert number in row
        assert "€" in row
        assert "25 Nov 2026" in row
    alarms = desk.get(desk.approver, "/console/payouts").text
    assert "/console/payouts/runs?state=draft" in alarms
    assert "approves or discards it" in alarms


def test_a_stale_list_is_not_approved(desk, payee):
    page = desk.post(desk.preparer, "/console/payouts", due_by="2026-11-25").location
    desk.post(desk.approver, f"{page}/approve", list_sha256="0" * 64)
    assert "not the list that you were shown" in desk.client.get(page).text


def test_approving_is_a_step_of_its_own_that_says_what_goes_out(desk, payee):
    page = desk.post(desk.preparer, "/console/payouts", due_by="2026-11-25").location
    run = desk.get(desk.approver, page).text
    assert "list_sha256" not in run
    assert f'href="{page}/approve"' in run
    step = desk.client.get(f"{page}/approve").text
    for said in (desk.preparer.name, "€64.80", "bank transfer", "This cannot be taken back.", "Approve this list"):
        assert said in step
    shown = re.search(r'name="list_sha256" value="(\w+)"', step)[1]
    assert desk.post(desk.approver, f"{page}/approve", list_sha256=shown).status_code == 303
    assert desk.client.get(f"{page}/approve").location.endswith(page)


def test_a_run_says_how_far_it_is(desk, session, payee):
    page = desk.approved()
    (payout,) = queries.payouts_of_run(session, page.rsplit("/", 1)[1]).items
    assert ">on its way<" in desk.get(desk.preparer, "/console/payouts").text
    service.write_files(session, run_id=payout.run_id, now=NOW)
    (file,) = queries.files_of_run(session, payout.run_id)
    desk.post(desk.preparer, f"/console/payouts/files/{file.id}/submitted")
    refused = {"reason": "AC04 closed"}
    asked = desk.post(desk.approver, f"/console/payouts/one/{payout.id}/refused", **refused)
    assert (asked.status_code, "AC04 closed" in asked.text, "it is paid twice" in asked.text) == (200, True, True)
    back = desk.post(desk.approver, f"/console/payouts/one/{payout.id}/refused", sure="no", **refused)
    assert 'value="AC04 closed"' in back.text
    assert desk.post(desk.approver, f"/console/payouts/one/{payout.id}/refused", sure="yes", **refused).status_code == 303
    assert ">ended, not all paid<" in desk.get(desk.preparer, "/console/payouts").text
    assert ">ended, not all paid<" in desk.get(desk.preparer, page).text


def test_a_file_is_downloaded_unchanged_and_marked_once(desk, session, payee):
    page = desk.approved()
    assert "being written" in desk.get(desk.preparer, page).text
    run_id = page.rsplit("/", 1)[1]
    service.write_files(session, run_id=run_id, now=NOW)
    (file,) = queries.files_of_run(session, run_id)
    first, second = (desk.get(desk.preparer, f"/console/payouts/files/{file.id}") for _ in range(2))
    assert first.data == second.data
    assert first.headers["Content-Disposition"].endswith(f'{file.message_id}.xml"')
    assert desk.post(desk.preparer, f"/console/payouts/files/{file.id}/submitted").status_code == 303
    session.expire_all()
    assert "sent" in desk.get(desk.preparer, page).text
    desk.post(desk.preparer, f"/console/payouts/files/{file.id}/submitted")
    assert "already" in desk.client.get(page).text


def cash_payout(session, desk, coop):
    producer = make_producer(session, coop=coop, name="Jean")
    make_payee_account(session, producer=producer, rail="cash", iban=None, bic=None)
    owe(session, producer, 1860)
    run_id = desk.approved().rsplit("/", 1)[1]
    return queries.payouts_of_run(session, run_id).items[0]


def test_a_cash_receipt_is_refused_with_what_was_typed_and_then_taken(desk, session, coop):
    payout = cash_payout(session, desk, coop)
    filled = {"amount": "100.00", "on": "2026-11-25", "slip": "W-7"}
    assert "A slip is booked once." in desk.post(desk.preparer, "/console/cash-box", **filled).text
    assert desk.post(desk.preparer, "/console/cash-box", **filled, sure="yes").status_code == 303
    assert "€100.00" in desk.get(desk.preparer, "/console/cash-box").text
    path = f"/console/payouts/one/{payout.id}/receipt"
    form = {"number": "A-1", "paid_on": "2026-11-25", "cashier": "Claudine", "taken_by": "Jean", "signed": "signature"}
    wrong = desk.post(desk.preparer, path, amount="18.59", **form)
    assert wrong.status_code == 422
    assert "paid whole or not at all" in wrong.text
    assert 'value="18.59"' in wrong.text
    assert desk.post(desk.preparer, path, amount="18.60", **form).status_code == 303
    session.expire_all()
    assert "settled" in desk.get(desk.preparer, f"/console/payouts/one/{payout.id}").text


def test_a_payout_is_cancelled_with_a_reason(desk, session, coop):
    payout = cash_payout(session, desk, coop)
    path = f"/console/payouts/one/{payout.id}/cancel"
    assert desk.post(desk.preparer, path, reason="").status_code == 422
    assert desk.post(desk.preparer, path, reason="absent").status_code == 303
    session.expire_all()
    assert "absent" in desk.get(desk.preparer, f"/console/payouts/one/{payout.id}").text


def test_other_co_ops_and_people_see_nothing(desk, client, session, payee):
    page = desk.approved()
    foreign = Desk(client, session, make_coop(session))
    assert foreign.get(foreign.approver, page).status_code == 404
    assert foreign.post(foreign.approver, f"{page}/approve", list_sha256="0" * 64).status_code in (303, 404)
    buyer = make_account(session)
    assert desk.get(buyer, "/console/payouts").status_code == 403
    session.expire_all()
    assert queries.run(session, page.rsplit("/", 1)[1]).state == "approved"


def test_a_producer_sees_their_own_money_and_gets_the_same_statement_twice(desk, session, coop, payee):
    person = make_producer_account(session, producer=payee)
    other = make_producer_account(session, producer=make_producer(session, coop=coop))
    assert actor_for(session, person).producer_id == payee.id
    run_id = desk.approved().rsplit("/", 1)[1]
    service.write_files(session, run_id=run_id, now=NOW)
    session.expire_all()
    (payout,) = queries.payouts_of_run(session, run_id).items
    assert "€64.80" in desk.get(person, "/producer/money").text
    path = f"/producer/money/{payout.id}/statement"
    assert desk.get(person, path).status_code == 409
    service.settle(session, payout_id=payout.id, money=Money(6480, "EUR"), booked_on=NOW.date(), suspense="suspense:1", now=NOW)
    session.flush()
    first, second = (desk.get(person, path) for _ in range(2))
    assert first.data == second.data
    assert first.data.startswith(b"%PDF")
    assert "PDF" in desk.get(person, "/producer/money").text
    assert desk.get(other, path).status_code == 404
