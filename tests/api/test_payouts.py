"""Payables and payout runs over the API: the whole circle by two people, repeats, and scopes."""

import pytest

from market.payouts import queries, service
from tests.conftest import NOW
from tests.factories.accounts import csrf_token, make_staff, sign_in
from tests.factories.payouts import owe
from tests.factories.producers import make_coop, make_payee_account, make_producer


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def call(client, session, coop):
    """Call the API as the co-op's preparer or approver."""
    people = {role: make_staff(session, coop=coop, role=role) for role in ("preparer", "approver")}

    def call(role, method, path, body=None, key=None):
        sign_in(client, session, people[role])
        headers = {"X-CSRFToken": csrf_token(client)} | ({"Idempotency-Key": key} if key else {})
        return client.open(f"/api/v1{path}", method=method, json=body, headers=headers)

    return call


@pytest.fixture
def payee(session, coop):
    producer = make_producer(session, coop=coop)
    make_payee_account(session, producer=producer)
    owe(session, producer)
    return producer


def test_a_run_goes_from_what_is_owed_to_the_bank_file(call, session, payee):
    payee_id = str(payee.id)
    (owed,) = call("preparer", "GET", "/payables").json["items"]
    assert (owed["payee_id"], owed["open"]) == (payee_id, {"minor": 6480, "currency": "EUR"})
    made = call("preparer", "POST", "/payout-runs", {"due_by": "2026-11-25"}, "run-of-november")
    assert made.status_code == 201
    run = made.json
    assert run["totals"] == [{"rail": "sepa", "count": 1, "money": {"minor": 6480, "currency": "EUR"}}]
    again = call("preparer", "POST", "/payout-runs", {"due_by": "2026-11-25"}, "run-of-november")
    assert (again.json["id"], again.headers["Idempotent-Replayed"]) == (run["id"], "true")
    path = f"/payout-runs/{run['id']}"
    approval = {"list_sha256": run["list_sha256"]}
    assert call("preparer", "POST", f"{path}/approve", approval, "approve-it-1").status_code == 403
    assert call("approver", "POST", f"{path}/approve", approval, "approve-it-1").json["state"] == "approved"
    service.write_files(session, run_id=run["id"], now=NOW)
    session.expire_all()
    detail = call("preparer", "GET", path).json
    (file,) = detail["files"]
    assert detail["states"] == {"sending": 1}
    body = call("preparer", "GET", f"/payout-files/{file['id']}")
    assert body.data.startswith(b"<?xml")
    assert call("preparer", "POST", f"/payout-files/{file['id']}/submitted").status_code == 204
    session.expire_all()
    (payout,) = call("preparer", "GET", f"{path}/payouts").json["items"]
    assert (payout["state"], payout["money"]["minor"]) == ("sent", 6480)
    reason = {"reason": "AC04 account closed"}
    assert call("preparer", "POST", f"/payouts/{payout['id']}/refused", reason).status_code == 403
    assert call("approver", "POST", f"/payouts/{payout['id']}/refused", reason).status_code == 204
    session.expire_all()
    assert call("preparer", "GET", f"/payouts/{payout['id']}").json["reason"] == "AC04 account closed"
    (owed,) = call("preparer", "GET", "/payables").json["items"]
    assert owed["open"]["minor"] == 6480


def test_refusals_are_problems_with_a_stable_code(call, session, payee):
    nothing = call("preparer", "POST", "/payout-runs", {"due_by": "2026-11-01"}, "too-early-1")
    assert (nothing.status_code, nothing.json["code"]) == (409, "payouts.nothing_to_pay")
    assert call("preparer", "POST", "/payout-runs", {"due_by": "2026-11-25"}).json["code"] == "idempotency.key_needed"
    assert call("preparer", "POST", "/payout-runs", {"due": "x"}, "misspelt-1").status_code == 422
    missing = call("preparer", "GET", "/payout-runs/00000000-0000-7000-8000-000000000000")
    assert (missing.status_code, missing.json["code"]) == (404, "payouts.run_missing")


def test_a_cash_payout_is_settled_by_its_receipt(call, session, coop):
    producer = make_producer(session, coop=coop, name="Jean")
    make_payee_account(session, producer=producer, rail="cash", iban=None, bic=None)
    owe(session, producer)
    run = call("preparer", "POST", "/payout-runs", {"due_by": "2026-11-25"}, "run-of-november").json
    call("approver", "POST", f"/payout-runs/{run['id']}/approve", {"list_sha256": run["list_sha256"]}, "approve-it-1")
    money = {"minor": 6480, "currency": "EUR"}
    fill = {"amount": money, "on": "2026-11-25", "slip": "W-1"}
    assert call("preparer", "POST", "/cash-box/fill", fill).status_code == 204
    huge = fill | {"amount": {"minor": 10**15 + 1, "currency": "EUR"}}
    refused = call("preparer", "POST", "/cash-box/fill", huge)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/json/amount/minor")
    payout = queries.payouts_of_run(session, run["id"]).items[0]
    receipt = {
        "number": "A-1",
        "paid_on": "2026-11-25",
        "amount": money,
        "cashier": "Claudine",
        "taken_by": "Jean",
        "signed": "thumb",
    }
    path = f"/payouts/{payout.id}/receipt"
    refused = call("preparer", "POST", path, receipt, "receipt-1")
    assert (refused.status_code, refused.json["pointer"]) == (422, "/witness")
    assert call("preparer", "POST", path, receipt | {"witness": "Odette"}, "receipt-2").status_code == 201
    session.expire_all()
    assert call("preparer", "GET", f"/payouts/{payout.id}").json["state"] == "settled"


def test_a_bag_is_handed_out_paid_from_and_counted(call, session, coop):
    producer = make_producer(session, coop=coop, name="Jean")
    make_payee_account(session, producer=producer, rail="cash", iban=None, bic=None)
    owe(session, producer)
    run = call("preparer", "POST", "/payout-runs", {"due_by": "2026-11-25"}, "run-of-november").json
    call("approver", "POST", f"/payout-runs/{run['id']}/approve", {"list_sha256": run["list_sha256"]}, "approve-it-1")
    whole = {"minor": 6500, "currency": "EUR"}
    call("preparer", "POST", "/cash-box/fill", {"amount": whole, "on": "2026-11-25", "slip": "W-1"})
    path, wanted = f"/payout-runs/{run['id']}/bags", {"officer": "Claudine", "amount": whole, "on": "2026-11-25"}
    bag_id = call("preparer", "POST", path, wanted, "first-bag-1").json["id"]
    assert call("preparer", "POST", path, wanted, "first-bag-1").json["id"] == bag_id
    payout = queries.payouts_of_run(session, run["id"]).items[0]
    amount = {"minor": 6480, "currency": "EUR"}
    receipt = {"number": "A-1", "paid_on": "2026-11-25", "amount": amount, "cashier": "Claudine", "taken_by": "Jean"}
    receipt |= {"signed": "signature", "bag_id": bag_id}
    assert call("preparer", "POST", f"/payouts/{payout.id}/receipt", receipt, "receipt-1").status_code == 201
    session.expire_all()
    (bag,) = call("preparer", "GET", path).json["items"]
    assert (bag["left"]["minor"], bag["returned"]) == (20, None)
    counted = {"returned": {"minor": 20, "currency": "EUR"}, "on": "2026-11-25"}
    assert call("preparer", "POST", f"/cash-bags/{bag_id}/close", counted).json["missing"]["minor"] == 0


def test_a_cheque_is_written_down_and_voided_by_another(call, session, coop):
    producer = make_producer(session, coop=coop, name="Jean")
    make_payee_account(session, producer=producer, rail="cheque", iban=None, bic=None)
    owe(session, producer)
    run = call("preparer", "POST", "/payout-runs", {"due_by": "2026-11-25"}, "run-of-november").json
    call("approver", "POST", f"/payout-runs/{run['id']}/approve", {"list_sha256": run["list_sha256"]}, "approve-it-1")
    path = f"/payouts/{queries.payouts_of_run(session, run['id']).items[0].id}/cheque"
    assert call("preparer", "POST", path, {"number": "000077", "on": "2026-11-25"}).status_code == 204
    session.expire_all()
    (cheque,) = call("preparer", "GET", "/cheques").json["items"]
    assert (cheque["number"], cheque["state"], cheque["money"]["minor"]) == ("000077", "issued", 6480)
    assert call("preparer", "POST", f"{path}/void", {"reason": "lost on the way"}).status_code == 403
    assert call("approver", "POST", f"{path}/void", {"reason": "lost on the way"}).status_code == 204
    session.expire_all()
    assert call("preparer", "GET", "/cheques").json["items"][0]["state"] == "voided"


def test_an_approver_changes_how_the_co_op_pays_out(call):
    wanted = {"rhythm": "weekly", "weekday": 4, "minimum_minor": 500}
    assert call("preparer", "PUT", "/payout-settings", wanted).status_code == 403
    kept = call("approver", "PUT", "/payout-settings", wanted).json
    assert (kept["rhythm"], kept["minimum"], kept["next_day"]) == ("weekly", {"minor": 500, "currency": "EUR"}, "2026-11-27")
    assert call("preparer", "GET", "/payout-settings").json == kept
    wrong = call("approver", "PUT", "/payout-settings", wanted | {"weekday": 9})
    assert (wrong.status_code, wrong.json["pointer"]) == (422, "/weekday")


def test_another_name_is_agreed_to_with_a_reason(call, session, coop):
    producer = make_producer(session, coop=coop, name="Jean")
    account = make_payee_account(session, producer=producer, holder="Marie", name_doubt="member", entered_by="account:other")
    path = f"/payee-accounts/{account.id}/agree-name"
    assert call("preparer", "POST", path, {"reason": "his wife's account"}).json["holder"] == "Marie"
    assert call("preparer", "POST", path, {"reason": "his wife's account"}).status_code == 409


def test_the_report_of_sellers_is_a_file_of_a_year(call, payee):
    report = call("preparer", "GET", "/seller-report?year=2026")
    assert report.data.decode("utf-8-sig").startswith("member,kind,name,")
    assert call("preparer", "GET", "/seller-report").status_code == 422


def test_another_co_op_sees_nothing(call, client, session, payee):
    run = call("preparer", "POST", "/payout-runs", {"due_by": "2026-11-25"}, "run-of-november").json
    stranger = make_staff(session, coop=make_coop(session), role="approver")
    sign_in(client, session, stranger)
    assert client.get(f"/api/v1/payout-runs/{run['id']}").status_code == 404
    assert client.get("/api/v1/payables").json["items"] == []
