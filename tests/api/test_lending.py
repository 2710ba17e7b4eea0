"""Advances and loans over the API: proposed by one, decided by another, repeated without effect, seen by staff alone."""

from tests.api.test_payouts import call, coop  # noqa: F401
from tests.factories.producers import make_producer


def eur(minor):
    return {"minor": minor, "currency": "EUR"}


def test_an_advance_is_proposed_by_one_and_granted_by_another(call, session, coop):  # noqa: F811
    member = make_producer(session, coop=coop)
    asked = {"producer_id": str(member.id), "amount": eur(5000), "reason": "seedlings", "priority": 2}
    made = call("preparer", "POST", "/advances", asked, "advance-for-seedlings")
    assert made.status_code == 201
    assert call("preparer", "POST", "/advances", asked, "advance-for-seedlings").json == made.json
    path = f"/advances/{made.json['id']}/decide"
    assert call("preparer", "POST", path, {"agreed": True}).status_code == 403
    assert call("approver", "POST", path, {"agreed": True}).status_code == 204
    (shown,) = call("preparer", "GET", "/advances").json["items"]
    assert (shown["state"], shown["left"], shown["priority"]) == ("granted", eur(5000), 2)
    (owed,) = call("preparer", "GET", "/payables").json["items"]
    assert owed["open"] == eur(5000)


def test_a_loan_is_taken_on_and_repaid_by_two(call, session, coop):  # noqa: F811
    asked = {
        "kind": "buyer", "lender": "Ethical Roasters", "contract": "2026-7", "goods": eur(8250000), "amount": eur(4950000),
        "cap_percent": "60", "rate_percent": "4", "due_on": "2027-06-30", "terms": "folder 3",
    }  # fmt: skip
    assert call("preparer", "POST", "/loans", asked | {"amount": eur(4950001)}, "more-than-60").status_code == 422
    made = call("preparer", "POST", "/loans", asked, "loan-of-the-harvest").json["id"]
    assert call("approver", "POST", f"/loans/{made}/decide", {"agreed": True}).status_code == 204
    shown = call("preparer", "GET", f"/loans/{made}").json
    assert (shown["state"], shown["owed"], shown["money"]) == ("accepted", eur(0), eur(4950000))
    repaid = call("preparer", "POST", f"/loans/{made}/repayments", {"principal": eur(1), "interest": eur(0)}, "repaid-once")
    assert (repaid.status_code, repaid.json["code"]) == (422, "treasury.amount_refused")  # its money has not come
    assert call("approver", "POST", f"/loans/{made}/close").status_code == 204
    (listed,) = call("preparer", "GET", "/loans").json["items"]
    assert listed["state"] == "closed"
