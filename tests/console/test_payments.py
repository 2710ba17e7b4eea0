"""The payments desk: what hangs is seen by its co-op alone, and a person can end it."""

import pytest

from market.gateways.memory_stripe import MemoryCards
from market.http.db import unit_of_work
from market.kernel.actor import system
from market.kernel.ids import new_id
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.payments import queries, service
from market.payments.rules import Amounts
from tests.conftest import NOW
from tests.domain.payments.reading import balances, topics
from tests.factories.accounts import csrf_token, make_staff, sign_in
from tests.factories.payments import make_part, make_payment
from tests.factories.producers import make_coop


def as_staff(client, session, coop, role="approver"):
    return sign_in(client, session, make_staff(session, coop=coop, role=role))


@pytest.fixture
def late(session, coop):
    """A transfer that came after its payment had ended."""
    payment = make_payment(session, parts=[make_part(coop)], method="transfer")
    service.expire(session, payment_id=payment.id, now=NOW)
    received = service.record_transfer(
        session, payment_id=payment.id, line_subject=new_id(), amount=payment.money, booked_on=NOW.date(), now=NOW
    )
    ledger.post(
        session, [Entry(ledger.book_of(session, coop.id), "match", f"match:{payment.id}", NOW.date(), "t", received.legs)]
    )
    return payment


@pytest.fixture
def stuck(session, coop):
    """A refund that the card company refused for good."""
    cards, part = MemoryCards(), make_part(coop)
    payment = make_payment(session, parts=[part])
    session.commit()
    opened = service.start_checkout(
        unit_of_work, cards, payment_id=payment.id, return_url="http://r", cancel_url="http://c", now=NOW
    )
    cards.pay(opened.checkout_id)
    service.refresh(unit_of_work, cards, payment_id=payment.id, now=NOW)
    with unit_of_work() as unit:
        refund = service.refund(unit, payment_id=payment.id, subject=part.subject, amounts=Amounts.of("EUR", (720, 80, 150, 50)),
                                reason="Broken jar", bearer="carrier", actor=system("t"), now=NOW)  # fmt: skip
        service.record_refund_outcome(unit, refund_id=refund.id, state="needs_person", problem="The card is closed.")
    return refund


def test_credit_is_shown_and_given_back_by_an_approver(client, session, coop, late):
    assert as_staff(client, session, coop, "preparer").post(f"/console/payments/{late.id}/give-back").status_code in (400, 403)
    browser = as_staff(client, session, coop)
    page = browser.get("/console/payments").text
    assert "paid too late" in page
    assert "100.00" in page
    assert browser.post(f"/console/payments/{late.id}/give-back", data={"csrf_token": csrf_token(browser)}).status_code == 303
    (refund,) = queries.refunds_to_transfer(session, coop_id=coop.id, currency="EUR")
    assert refund.money.minor == 10000
    assert "paid too late" not in browser.get("/console/payments").text


def test_a_stuck_refund_goes_by_bank_with_evidence_alone(client, session, coop, stuck):
    browser = as_staff(client, session, coop)
    assert "The card is closed." in browser.get("/console/payments").text
    path = f"/console/payments/refunds/{stuck.id}/by-bank"
    refused = browser.post(path, data={"csrf_token": csrf_token(browser), "evidence": " "})
    assert (refused.status_code, "Please say how you know" in refused.text) == (422, True)
    known = {"csrf_token": csrf_token(browser), "evidence": "Dashboard"}
    assert "the buyer is paid twice" in browser.post(path, data=known).text
    assert browser.post(path, data=known | {"sure": "yes"}).status_code == 303
    assert [found.id for found in queries.refunds_to_transfer(session, coop_id=coop.id, currency="EUR")] == [stuck.id]
    assert browser.post(path, data={"csrf_token": csrf_token(browser), "evidence": "Again", "sure": "yes"}).status_code == 422


def test_another_co_op_sees_and_moves_nothing(client, session, late, stuck):
    browser = as_staff(client, session, make_coop(session))
    page = browser.get("/console/payments").text
    assert "paid too late" not in page
    assert "The card is closed." not in page
    token = csrf_token(browser)
    assert browser.post(f"/console/payments/{late.id}/give-back", data={"csrf_token": token}).status_code == 404
    by_bank = browser.post(f"/console/payments/refunds/{stuck.id}/by-bank", data={"csrf_token": token, "evidence": "x"})
    assert by_bank.status_code == 404


def test_an_order_is_paid_in_cash_rounded_to_the_coins_there_are(client, session, coop):
    payment = make_payment(session, parts=[make_part(coop, charges=1503)], method="transfer")
    session.commit()
    browser = as_staff(client, session, coop, "preparer")
    path, token = f"/console/payments/{payment.id}/cash", csrf_token(browser)
    refused = browser.post(path, data={"csrf_token": token, "paid": "100.00", "receipt": "R-7", "sure": "yes"})
    assert (refused.status_code, "100.05 EUR in coins" in refused.text) == (422, True)
    taken = {"csrf_token": token, "paid": "100.05", "receipt": "R-7"}
    assert "Was this taken in cash?" in browser.post(path, data=taken).text
    assert browser.post(path, data=taken | {"sure": "yes"}).status_code == 303
    assert balances(session, coop) == {
        "cash:1": 10005, "held:goods": 7200, "held:premium": 800, "held:charges": 1503, "held:tax": 500, "rounding": 2,
    }  # fmt: skip
    assert topics(session) == ["payments.paid"]
    again = browser.post(path, data=taken | {"receipt": "R-8", "sure": "yes"})
    assert again.status_code == 422
    assert books.check(session) == []
