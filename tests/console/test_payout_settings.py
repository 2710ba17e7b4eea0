"""The page of how a co-op pays out, and what follows from it on the pages of run and producer."""

import re

from market.payouts import queries, service
from tests.conftest import NOW
from tests.factories.accounts import make_producer_account
from tests.factories.payouts import owe
from tests.factories.producers import make_payee_account, make_producer

FORM = {
    "rhythm": "weekly", "weekday": "2", "day_of_month": "1", "minimum": "12.50", "file_format": "pain.001.001.03", "purpose": "AGRT",
    "batch_booking": "yes", "cheque_stale_days": "90",
}  # fmt: skip
PAGE = "/console/payouts/settings"


def test_an_approver_sets_it_and_a_refusal_keeps_what_was_typed(desk, session, coop):
    assert "Save" not in desk.get(desk.preparer, PAGE).text.split("<main")[1]
    assert desk.post(desk.preparer, PAGE, **FORM).status_code == 403
    wrong = desk.post(desk.approver, PAGE, **FORM | {"cheque_stale_days": "3", "minimum": "12.50"})
    assert wrong.status_code == 422
    assert "30 to 400 days" in wrong.text
    assert 'value="12.50"' in wrong.text
    assert desk.post(desk.approver, PAGE, **FORM).status_code == 303
    kept = queries.settings_of(session, coop.id)
    assert (kept.rhythm, kept.minimum_minor, kept.batch_booking, kept.cheque_stale_days) == ("weekly", 1250, True, 90)
    assert "The next run is drafted on" in desk.get(desk.preparer, PAGE).text


def test_a_run_of_the_clock_is_checked_by_one_and_approved_by_another(desk, session, coop):
    producer = make_producer(session, coop=coop)
    make_payee_account(session, producer=producer)
    owe(session, producer)
    desk.post(desk.approver, PAGE, **FORM)
    run = service.draft_scheduled(session, coop_id=coop.id, now=NOW)
    page = f"/console/payouts/{run.id}"
    assert "Check and approve" not in desk.get(desk.approver, page).text
    shown = re.search(r'name="list_sha256" value="(\w+)"', desk.get(desk.preparer, page).text)[1]
    assert desk.post(desk.preparer, f"{page}/checked", list_sha256=shown).status_code == 303
    assert "Check and approve" in desk.get(desk.approver, page).text
    desk.post(desk.approver, f"{page}/approve", list_sha256=shown)
    assert queries.run(session, run.id).state == "approved"


def test_a_producer_reads_why_a_small_sum_waits(desk, session, coop):
    producer = make_producer(session, coop=coop)
    owe(session, producer, 999)
    person = make_producer_account(session, producer=producer)
    desk.post(desk.approver, PAGE, **FORM)
    text = desk.get(person, "/producer/money").text
    assert "12.50" in text.split("Your co-op pays out from")[1][:80]
    assert "Your co-op prepares its next payments on" in text
