"""The whole circle over standard files and the API: payout run, bank file, simulated bank, statement, match, close."""

import json

import pytest

from market.kernel.references import Kind, reference
from market.payouts import queries as payout_queries
from market.payouts import service as payouts
from market.statements.service import preparing
from tests.conftest import NOW
from tests.domain.statements.test_matching import awaited_payment
from tests.domain.statements.test_several_accounts import SECOND, THIRD, joined, of
from tests.factories.accounts import csrf_token, make_staff, sign_in
from tests.factories.payouts import PREPARER, approved_run, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer
from tests.factories.statements import DAY, line, make_file
from tests.factories.statements import make_account as make_bank_account

BASE = "/api/v1/statements"


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def call(client, session, coop):
    people = {role: make_staff(session, coop=coop, role=role) for role in ("preparer", "approver")}

    def _call(method, path, body=None, *, role="preparer", person=None, data=None, key=None, **query):
        sign_in(client, session, person or people[role])
        headers = {"X-CSRFToken": csrf_token(client)} | ({"Idempotency-Key": key} if key else {})
        kind = {"json": body} if data is None else {"data": data, "content_type": "application/xml"}
        return client.open(BASE + path, method=method, headers=headers, query_string=query, **kind)

    return _call


def test_an_account_is_opened_and_a_file_imported_once(call, session, coop, monkeypatch):
    body = {
        "name": "Main",
        "iban": coop.iban,
        "currency": "EUR",
        "opened_on": "2026-01-01",
        "opening": {"minor": 500, "currency": "EUR"},
    }
    assert call("POST", "/accounts", body).status_code == 403
    unknown = {name: body[name] for name in ("name", "iban", "opened_on")} | {"currency": "LQP"}
    assert call("POST", "/accounts", unknown, role="approver").json["code"] == "statements.bad_currency"
    made = call("POST", "/accounts", body, role="approver")
    assert made.status_code == 201, made.json
    path = f"/accounts/{made.json['id']}"
    account = type("A", (), {"iban": coop.iban, "currency": "EUR"})
    content = make_file(account, [line(3_333, ref="A", name="Unknown Sender")], opening=500)
    first = call("POST", path + "/files", data=content, name="november.xml")
    assert (first.status_code, first.json["outcome"], first.json["new_lines"]) == (200, "imported", 1)
    again = call("POST", path + "/files", data=content)
    assert (again.json["known"], again.json["id"]) == (True, first.json["id"])
    refused = call("POST", path + "/files", data=b"%PDF")
    monkeypatch.setattr(preparing, "_KEPT_OF_NOTHING", 10)
    lost = call("POST", path + "/files", data=b"\x1f\x8b" + bytes(100))
    assert (lost.status_code, lost.json["code"]) == (422, "statements.packed_file")
    assert "Nothing of it was kept" in lost.json["detail"]
    assert (refused.json["outcome"], "unknown kind" in refused.json["reason"]) == ("refused", True)
    page = call("GET", path + "/lines").json
    assert [(each["money"], each["state"]) for each in page["items"]] == [({"minor": 3_333, "currency": "EUR"}, "new")]
    assert call("GET", path + "/lines", shw="all").status_code == 422
    figures = call("GET", "/accounts").json["items"][0]["figures"]
    assert (figures["mirror"]["minor"], figures["difference"]["minor"], figures["open_lines"]) == (3_833, 0, 1)
    second = make_bank_account(session, coop=coop, iban=SECOND, name="Savings")
    more = make_file(account, [line(1, ref="B")], number=2, opening=3_833)
    both = call("POST", path + "/files", data=joined(more, make_file(second, [line(2, ref="C")]), make_file(of(THIRD), [])))
    (other,) = both.json["others"]
    assert [each["code"] for each in both.json["findings"]] == ["account_unknown"]
    assert (other["account_id"], other["outcome"], other["new_lines"]) == (str(second.id), "imported", 1)
    assert [each["id"] for each in call("GET", f"/files/{other['id']}").json["others"]] == [both.json["id"]]


def test_a_part_of_a_line_is_booked_once_per_key(call, session, coop):
    account = make_bank_account(session, coop=coop)
    call("POST", f"/accounts/{account.id}/files", data=make_file(account, [line(-500, ref="A")]))
    (row,) = call("GET", f"/accounts/{account.id}/lines").json["items"]
    path = f"/lines/{row['id']}/matches"
    part = {"account_code": "bank_charges", "reason": "fee", "amount": {"minor": 100, "currency": "EUR"}}
    assert call("POST", path, part).json["code"] == "idempotency.key_needed"
    done, again = (call("POST", path, part, key="fee of November") for _ in range(2))
    assert done.json == again.json
    assert (again.status_code, again.headers["Idempotent-Replayed"], again.json["rest"]["minor"]) == (201, "true", -400)
    assert call("POST", path, part, key="fee of December").json["rest"]["minor"] == -300


def test_a_line_is_explained_undone_and_asked_about(call, session, coop):
    account = make_bank_account(session, coop=coop)
    call("POST", f"/accounts/{account.id}/files", data=make_file(account, [line(-50, ref="A")]))
    (row,) = call("GET", f"/accounts/{account.id}/lines").json["items"]
    both = call("POST", f"/lines/{row['id']}/matches", {"account_code": "bank_charges", "reference": reference(Kind.PAYOUT, 7)})
    assert both.status_code == 422
    done = call("POST", f"/lines/{row['id']}/matches", {"account_code": "bank_charges", "reason": "monthly fee"})
    assert (done.status_code, done.json["state"], done.json["rest"]["minor"]) == (201, "matched", 0)
    repeat = call("POST", f"/lines/{row['id']}/matches", {"account_code": "bank_charges", "reason": "monthly fee"})
    assert (repeat.status_code, repeat.json["code"]) == (409, "statements.line_explained")
    assert call("POST", f"/matches/{done.json['matches'][0]['id']}/undo", {"reason": "a tax"}).status_code == 204
    asked = call("POST", f"/lines/{row['id']}/question", {"question": "Bo?"})
    assert (asked.json["state"], asked.json["question"]) == ("parked", "Bo?")
    stranger = make_staff(session, coop=make_coop(session))
    assert call("GET", f"/lines/{row['id']}", person=stranger).status_code == 404


def test_the_circle_of_standard_files_closes(app, call, session, coop, tmp_path):
    account = make_bank_account(session, coop=coop)
    producers = [make_producer(session, coop=coop) for _ in range(5)]
    for n, producer in enumerate(producers, start=1):
        make_payee_account(session, producer=producer)
        owe(session, producer, 1_000 * n)
    payment = awaited_payment(session, coop)
    run = approved_run(session, coop.id)
    payouts.write_files(session, run_id=run.id, now=NOW)
    (file,) = payout_queries.files_of_run(session, run.id)
    payouts.mark_submitted(session, actor=PREPARER, file_id=file.id, now=NOW)
    session.commit()
    out = tmp_path / "statement.xml"
    arguments = [
        "bank",
        "simulate",
        "--run",
        str(run.id),
        "--out",
        str(out),
        "--payment",
        f"{payment.reference}=100.00",
        "--days",
        "0",
    ]
    done = app.test_cli_runner().invoke(args=arguments)
    assert done.exit_code == 0, done.output
    state = json.loads((tmp_path / f"bank-{coop.iban}-EUR.json").read_text())
    assert state["number"] == 1
    imported = call("POST", f"/accounts/{account.id}/files", data=out.read_bytes())
    assert imported.json["outcome"] == "imported", imported.json
    states = sorted(each.state for each in payout_queries.payouts_of_run(session, run.id).items)
    assert states == ["returned", "settled", "settled", "settled", "settled"]
    left = call("GET", f"/accounts/{account.id}/lines").json["items"]
    assert sorted(each["money"]["minor"] for each in left) == [-15, 3_333]
    fee = next(each for each in left if each["money"]["minor"] == -15)
    assert [each["rule"] for each in fee["suggestions"]] == ["bank_code"]
    call("POST", f"/lines/{fee['id']}/matches", {"suggestion_id": fee["suggestions"][0]["id"]})
    unknown = next(each for each in left if each["money"]["minor"] == 3_333)
    call("POST", f"/lines/{unknown['id']}/matches", {"account_code": "unidentified", "reason": "asked the bank"})
    figures = call("GET", "/accounts").json["items"][0]["figures"]
    assert [figures[name]["minor"] for name in ("suspense", "in_transit", "difference")] == [0, 0, 0]
    assert figures["mirror"]["minor"] == state["balance_minor"]
    second = app.test_cli_runner().invoke(
        args=["bank", "simulate", "--iban", coop.iban, "--out", str(out), "--payment", f"{payment.reference}=1.00"]
    )
    assert second.exit_code == 0, second.output
    assert call("POST", f"/accounts/{account.id}/files", data=out.read_bytes()).json["outcome"] == "imported"


def test_a_period_closes_over_the_api_by_two_persons(call, session, coop):
    account = make_bank_account(session, coop=coop)
    call("POST", f"/accounts/{account.id}/files", data=make_file(account, [line(-50, ref="A")]))
    (difference,) = call("GET", "/differences", ends_on=DAY.isoformat()).json["items"]
    body = {"ends_on": DAY.isoformat()}
    refused = call("POST", "/closes", body)
    assert (refused.status_code, refused.json["code"]) == (409, "statements.differences_unexplained")
    made = call("POST", "/closes", body | {"explanations": {difference["key"]: "the bank will explain it on Friday"}})
    assert made.status_code == 201, made.json
    assert call("POST", f"/closes/{made.json['id']}/close").status_code == 403
    assert call("POST", f"/closes/{made.json['id']}/take-back").json["state"] == "taken_back"
    assert call("POST", f"/closes/{made.json['id']}/close", role="approver").status_code == 409
    assert (
        call("POST", "/closes", body | {"explanations": {difference["key"]: "the bank will explain it on Friday"}}).status_code
        == 201
    )
    assert call("POST", f"/closes/{made.json['id']}/close", role="approver").json["state"] == "closed"
    assert call("GET", "/closes").json["items"][0]["items"][0]["explanation"].startswith("the bank will")
    reopening = f"/closes/{made.json['id']}/reopening"
    waits = call("POST", reopening, {"reason": "the bank has explained it"})
    assert (waits.status_code, waits.json["state"], waits.json["reopening"]["state"]) == (201, "closed", "proposed")
    assert call("POST", f"{reopening}/withdrawal", role="approver").json["code"] == "statements.not_yours"
    assert call("POST", f"{reopening}/withdrawal").json["reopening"]["state"] == "withdrawn"
    assert call("POST", reopening, {"reason": "the bank has explained it"}).status_code == 201
    assert call("POST", f"{reopening}/decision", {"agreed": True}).status_code == 403
    opened = call("POST", f"{reopening}/decision", {"agreed": True}, role="approver").json
    assert (opened["state"], opened["reopening"]["reason"]) == ("reopened", "the bank has explained it")
