"""Staff pages of earnings: proposed by one, decided by another, told in words, nothing typed is lost."""

import re
from datetime import date

import pytest

from market.earnings import queries
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry, legs
from market.payables import queries as payables
from market.payouts import queries as payouts
from tests.factories.accounts import csrf_token
from tests.factories.payouts import owe
from tests.factories.producers import make_producer


@pytest.fixture
def member(session, coop):
    return make_producer(session, coop=coop, name="Ana Quispe")


def owed(session, member):
    return [total.open.minor for total in payables.owed_to(session, member.id)]


def test_a_slip_is_entered_and_owed(desk, session, member):
    form = {"producer_id": member.id, "slip": "A7-0412", "delivered_on": "2026-11-20", "pool": "coffee-2026", "gross": "62.5",
            "tare": "1.5", "rejected": "2", "unit": "kg", "unit_price": "4.10", "deduction": "0.10"}  # fmt: skip
    assert desk.post(desk.preparer, "/console/earnings/slips", **form).status_code == 303
    page = desk.get(desk.preparer, "/console/earnings/slips").text
    assert "A7-0412" in page
    assert "€236.00" in page
    assert owed(session, member) == [23600]
    wrong = desk.post(desk.preparer, "/console/earnings/slips", **form | {"slip": "A7-0413", "gross": "3"})
    assert wrong.status_code == 422
    assert "leaves nothing to pay for" in wrong.text
    assert 'value="A7-0413"' in wrong.text


def test_an_advance_takes_two_persons(desk, session, member):
    form = {"producer_id": member.id, "amount": "50", "reason": "seedlings", "cap_percent": "40", "priority": "1"}
    assert desk.post(desk.preparer, "/console/earnings/advances", **form).status_code == 303
    assert "Another person has to decide" in desk.get(desk.preparer, "/console/earnings/advances").text
    page = desk.get(desk.approver, "/console/earnings/advances").text
    assert ("40%" in page, "4,000%" in page) == (True, False)
    action = re.search(r'action="(/console/earnings/advances/[^"]+)"', page)[1]
    asked = desk.post(desk.approver, action, word="yes")
    assert (asked.status_code, "€50.00" in asked.text, "seedlings" in asked.text) == (200, True, True)
    assert owed(session, member) == []
    assert desk.post(desk.approver, action, word="yes", sure="yes").status_code == 303
    assert owed(session, member) == [5000]
    assert (
        "is granted already"
        in desk.client.post(action, data={"csrf_token": csrf_token(desk.client), "word": "no"}, follow_redirects=True).text
    )
    (row,) = queries.advances(session, member.coop_id)
    assert row.state == "granted"
    opened = desk.get(desk.preparer, f"/console/earnings/advances?state=granted&open={row.id}").text
    assert ("advance proposed" in opened, "advance granted" in opened) == (True, True)


def test_a_hold_says_until_when_and_can_be_ended(desk, session, member):
    owe(session, member, 5000)
    form = {"producer_id": member.id, "amount": "20", "reason": "papers missing", "appeal": "Ask Rosa.", "ends_on": "2026-12-24"}
    assert desk.post(desk.preparer, "/console/earnings/holds", **form).status_code == 303
    assert owed(session, member) == [3000]
    page = desk.get(desk.preparer, "/console/earnings/holds").text
    assert "papers missing" in page
    assert "Ask Rosa." in page
    action = re.search(r'action="(/console/earnings/holds/[^"]+/end)"', page)[1]
    desk.post(desk.preparer, action)
    assert owed(session, member) == [5000]
    too_much = desk.post(desk.preparer, "/console/earnings/holds", **form | {"amount": "50.01"})
    assert too_much.status_code == 422
    assert "open for this producer" in too_much.text


def test_a_correction_downwards_is_booked_by_another(desk, session, member):
    owe(session, member, 5000)
    form = {"producer_id": member.id, "amount": "1.50", "direction": "less", "reason": "weighed again"}
    desk.post(desk.preparer, "/console/earnings/corrections", **form)
    page = desk.get(desk.approver, "/console/earnings/corrections").text
    action = re.search(r'action="(/console/earnings/corrections/[^"]+)"', page)[1]
    desk.post(desk.approver, action, word="yes", sure="yes")
    assert owed(session, member) == [4850]


def test_a_result_is_shared_by_what_was_delivered(desk, session, member):
    slip = {"producer_id": member.id, "slip": "1", "delivered_on": "2026-11-20", "pool": "p1", "gross": "10", "tare": "0",
            "rejected": "0", "unit": "kg", "unit_price": "1", "deduction": "0"}  # fmt: skip
    desk.post(desk.preparer, "/console/earnings/slips", **slip)
    form = {"kind": "second_payment", "name": "2026", "pool": "p1", "starts_on": "2026-11-01", "ends_on": "2026-11-30",
            "amount": "33.33", "cash_percent": "100", "minutes": "Assembly, item 4"}  # fmt: skip
    nobody = desk.post(desk.preparer, "/console/earnings/shares", **form | {"pool": "p2"})
    assert nobody.status_code == 422
    assert "Nobody delivered" in nobody.text
    desk.post(desk.preparer, "/console/earnings/shares", **form)
    page = desk.get(desk.approver, "/console/earnings/shares").text
    assert ("100%" in page, "10,000%" in page) == (True, False)
    action = re.search(r'action="(/console/earnings/shares/[^"]+)"', page)[1]
    desk.post(desk.approver, action, word="yes", sure="yes")
    assert owed(session, member) == [1000 + 3333]


def test_a_purchase_is_set_off_once_and_a_claim_given_up_by_an_approver(desk, session, coop, member):
    owe(session, member, 5000)
    book = ledger.book_of(session, coop.id)
    claim = legs((f"claim:{member.id}", "refund_cost", Money(900, "EUR")), subject=member.id)
    ledger.post(session, [Entry(book, "test", "test:claim", date(2026, 11, 20), "test", claim)])
    session.commit()
    page = desk.get(desk.approver, "/console/earnings/corrections").text
    assert re.search(r"Ana Quispe:\s*€9\.00", page)
    once = re.search(r'name="once" value="([0-9a-f-]{36})"', page)[1]
    bought = {"offset_member": member.id, "offset_amount": "12.00", "offset_what": "two sacks", "once": once}
    too_much = desk.post(desk.preparer, "/console/earnings/offsets", **bought | {"offset_amount": "0"})
    assert (too_much.status_code, 'id="e-offset_amount"' in too_much.text, 'id="e-amount"' in too_much.text) == (422, True, False)
    for _ in range(2):
        assert desk.post(desk.preparer, "/console/earnings/offsets", **bought).status_code == 303
    assert owed(session, member) == [3800]
    given_up = {"code": f"claim:{member.id}", "claim_amount": "9.00", "claim_reason": "the member died", "once": once}
    assert "Give this up?" in desk.post(desk.approver, "/console/earnings/claims", **given_up).text
    given_up |= {"sure": "yes"}
    assert desk.post(desk.preparer, "/console/earnings/claims", **given_up).status_code == 403
    refused = desk.post(desk.approver, "/console/earnings/claims", **given_up | {"claim_amount": "9.01"})
    assert (refused.status_code, "can be given up" in refused.text) == (422, True)
    for _ in range(2):
        assert desk.post(desk.approver, "/console/earnings/claims", **given_up).status_code == 303
    standing = {row.code: row.money.minor for row in books.balances(session, book) if row.money}
    assert (standing.get(f"claim:{member.id}", 0), standing["write_off"], standing["goods_sales"]) == (0, 900, 1200)
    assert books.check(session) == [] == payouts.check(session)
