"""From an administrator to a co-op whose producers can be paid, over the API alone."""

from datetime import timedelta

import pytest

from market.accounts.models import AccountRole
from market.kernel.audit import AuditEntry
from market.kernel.outbox import OutboxRow
from market.producers import queries
from market.producers.models import Member, PayeeAccount
from tests.conftest import NOW
from tests.factories.accounts import csrf_token, make_account, make_admin, make_producer_account, make_staff, sign_in
from tests.factories.producers import make_coop, make_producer

PASSWORD = "correct horse battery"
COOP = {
    "name": "Sidama Growers",
    "country": "ET",
    "currency": "USD",
    "time_zone": "Africa/Addis_Ababa",
    "service_pct": "8.5",
    "iban": "DE89 3704 0044 0532 0130 00",
}
PAY_TO = {
    "rail": "sepa",
    "currency": "EUR",
    "holder": "Almaz Bekele",
    "iban": "DE02120300000000202051",
    "town": "Köln",
    "country": "DE",
}


def _call(client, method, path, body=None, **headers):
    token = {"X-CSRFToken": csrf_token(client)} if client.get_cookie("market") else {}
    return client.open(f"/api/v1{path}", method=method, json=body, headers=token | headers)


def _link(session):
    row = session.query(OutboxRow).filter_by(topic="accounts.letter").order_by(OutboxRow.id.desc()).first()
    return row.payload["link"].removeprefix("http://127.0.0.1:8000")


def _as(app, session, account):
    return sign_in(app.test_client(), session, account)


def test_sign_up_confirm_and_sign_in_over_json(client, session):
    body = {"email": "ana@example.com", "name": "Ana", "password": PASSWORD}
    assert _call(client, "POST", "/accounts", body).status_code == 202
    assert _call(client, "POST", "/accounts", body).status_code == 202, "the same answer for a known address"
    more = [_call(client, "POST", "/accounts", body) for _ in range(5)]
    assert [answer.status_code for answer in more] == [202] * 4 + [429], "each sends a letter, and a stranger may ask for them"
    assert (more[-1].mimetype, "Retry-After" in more[-1].headers) == ("application/problem+json", True)
    assert session.query(OutboxRow).filter_by(topic="accounts.letter").count() == 6
    credentials = {"email": "ana@example.com", "password": PASSWORD}
    early = _call(client, "POST", "/session", credentials)
    assert (early.status_code, early.json["code"]) == (401, "login.wrong_credentials")
    confirm = session.query(OutboxRow).filter_by(topic="accounts.letter").order_by(OutboxRow.id).first().payload["link"]
    client.get(confirm.removeprefix("http://127.0.0.1:8000"))
    answer = _call(client, "POST", "/session", credentials)
    assert answer.status_code == 200, answer.json
    assert answer.json["me"]["roles"] == ["buyer"]
    token = {"X-CSRFToken": answer.json["csrf_token"]}
    changed = client.put("/api/v1/me", json={"name": "Ana M.", "locale": "es"}, headers=token)
    assert (changed.json["name"], changed.json["locale"]) == ("Ana M.", "es")
    assert client.put("/api/v1/me", json={"name": "Forged", "locale": "es"}).status_code == 400, "no token, no change"
    assert client.delete("/api/v1/session", headers=token).status_code == 204
    assert client.get("/api/v1/me").status_code == 401


def test_a_weak_password_is_refused_with_the_field(client):
    answer = _call(client, "POST", "/accounts", {"email": "ana@example.com", "name": "Ana", "password": "short"})
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json["errors"][0]["pointer"].endswith("password")


def test_from_an_empty_site_to_a_producer_who_can_be_paid(app, session):
    admin = _as(app, session, make_admin(session))
    once = {"Idempotency-Key": "open-sidama"}
    made = _call(admin, "POST", "/coops", COOP, **once)
    assert made.status_code == 201, made.json
    assert _call(admin, "POST", "/coops", COOP, **once).json == made.json, "a repeat opens no second co-op"
    coop_id = made.json["id"]
    for role in ("preparer", "approver"):
        person = {"email": f"{role}@example.com", "name": role, "role": role}
        assert _call(admin, "POST", f"/coops/{coop_id}/roles", person).status_code == 201
    people = {}
    for role in ("preparer", "approver"):
        people[role] = app.test_client()
        _call(people[role], "POST", "/session", {"email": f"{role}@example.com", "password": PASSWORD})
        row = session.query(OutboxRow).filter(OutboxRow.payload["kind"].astext == "invited").order_by(OutboxRow.id)
        path = row[0 if role == "preparer" else 1].payload["link"].removeprefix("http://127.0.0.1:8000")
        form = {"csrf_token": csrf_token(people[role]), "password": PASSWORD, "password_confirm": PASSWORD}
        assert people[role].post(path, data=form).status_code == 302
        signed_in = _call(people[role], "POST", "/session", {"email": f"{role}@example.com", "password": PASSWORD})
        assert signed_in.json["me"]["roles"] == sorted(["buyer", role])
        assert signed_in.json["me"]["coop_id"] == coop_id
    preparer, approver = people["preparer"], people["approver"]
    producer = _call(preparer, "POST", "/producers", {"name": "Almaz Bekele", "region": "Sidama", "email": "almaz@example.com"})
    assert producer.status_code == 201, producer.json
    producer_id = producer.json["id"]
    assert _call(preparer, "GET", "/members").json["items"][0]["number"] == 1
    entered = _call(preparer, "POST", f"/producers/{producer_id}/payee-accounts", PAY_TO)
    assert entered.status_code == 201, entered.json
    assert queries.payee_account_for(session(), _uuid(producer_id), "EUR") is None, "one pair of eyes is not enough"
    confirm = f"/payee-accounts/{entered.json['id']}/confirm"
    assert _call(preparer, "POST", confirm).status_code == 403
    confirmed = _call(approver, "POST", confirm)
    assert (confirmed.status_code, confirmed.json["state"]) == (200, "live")
    assert _call(approver, "POST", confirm).json["code"] == "producers.payee_account_closed"
    assert queries.payee_account_for(session(), _uuid(producer_id), "EUR").holder == "Almaz Bekele"
    paper = {
        "scheme": "Fairtrade", "kind": "trade", "number": "FLO-1", "issuer": "FLOCERT",
        "valid_from": "2026-01-01", "valid_to": "2027-01-01",
    }  # fmt: skip
    certificate = _call(preparer, "POST", "/certificates", paper)
    assert certificate.status_code == 201, certificate.json
    status = f"/certificates/{certificate.json['id']}/status"
    assert _call(approver, "PUT", status, {"status": "active"}).status_code == 204
    assert _call(approver, "PUT", status, {"status": "withdrawn", "reason": "wrong paper"}).status_code == 204
    assert _call(approver, "PUT", status, {"status": "active"}).json["code"] == "producers.certificate_state_wrong"
    assert admin.get("/api/v1/coops").json["items"][0]["service_pct"] == "8.5000"
    assert admin.get(f"/api/v1/producers?coop_id={coop_id}").json["items"][0]["name"] == "Almaz Bekele"
    assert session.query(AuditEntry).filter_by(action="producers.confirm_payee_account").count() == 1


def _uuid(text):
    from uuid import UUID

    return UUID(text)


def test_a_new_account_replaces_the_live_one_and_whoever_entered_it_cannot_confirm(app, session):
    coop = make_coop(session)
    producer = make_producer(session, coop=coop)
    first = _as(app, session, make_staff(session, coop=coop, role="approver"))
    second = _as(app, session, make_staff(session, coop=coop, role="approver"))
    ids = []
    for enters, confirms in ((first, second), (second, first)):
        ids.append(_call(enters, "POST", f"/producers/{producer.id}/payee-accounts", PAY_TO).json["id"])
        own = _call(enters, "POST", f"/payee-accounts/{ids[-1]}/confirm")
        assert own.json["code"] == "producers.second_person_needed"
        assert _call(confirms, "POST", f"/payee-accounts/{ids[-1]}/confirm").status_code == 200
    states = {item["id"]: item["state"] for item in _call(first, "GET", f"/producers/{producer.id}/payee-accounts").json["items"]}
    assert states == {ids[0]: "replaced", ids[1]: "live"}
    assert session.query(PayeeAccount).filter_by(producer_id=producer.id).count() == 2


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [("iban", "DE02120300000000202052", "/iban"), ("currency", "USD", "/currency"), ("town", " ", "/town")],
)
def test_details_that_no_bank_would_take_are_refused_with_the_field(app, session, field, value, pointer):
    producer = make_producer(session)
    account = make_producer_account(session, producer=producer)
    answer = _call(_as(app, session, account), "POST", f"/producers/{producer.id}/payee-accounts", PAY_TO | {field: value})
    assert (answer.status_code, answer.json["pointer"]) == (422, pointer)


def test_members_get_gapless_numbers_and_leave(app, session):
    coop = make_coop(session)
    staff = _as(app, session, make_staff(session, coop=coop))
    ids = [_call(staff, "POST", "/producers", {"name": "Same Name"}).json["id"] for _ in range(3)]
    assert [m.number for m in session.query(Member).filter_by(coop_id=coop.id).order_by(Member.number)] == [1, 2, 3]
    slugs = [_call(staff, "GET", f"/producers/{producer_id}").json["slug"] for producer_id in ids]
    assert len(set(slugs)) == 3
    leave = f"/producers/{ids[0]}/leave"
    assert _call(staff, "POST", leave, {"left_on": "2026-11-25"}).status_code == 204
    assert _call(staff, "POST", leave, {"left_on": "2026-11-25"}).json["code"] == "producers.membership_ended"
    assert len(_call(staff, "GET", "/producers?coop_id=" + str(coop.id)).json["items"]) == 2


def test_keys_are_shown_once_work_end_and_are_revoked(app, client, session, clock):
    coop = make_coop(session)
    staff = _as(app, session, make_staff(session, coop=coop))
    wanted = {"label": "warehouse", "scopes": ["members:read"], "expires_at": (clock.now() + timedelta(days=30)).isoformat()}
    made = _call(staff, "POST", "/api-keys", wanted)
    assert made.status_code == 201, made.json
    bearer = {"Authorization": f"Bearer {made.json['key']}"}
    assert client.get("/api/v1/members", headers=bearer).status_code == 200
    refused = client.get("/api/v1/certificates", headers=bearer)
    assert (refused.status_code, refused.json["code"]) == (403, "auth.scope_missing")
    listed = staff.get("/api/v1/api-keys").json["items"]
    assert made.json["key"] not in str(listed)
    assert listed[0]["last_used_at"] is not None
    until_noon = _call(staff, "POST", "/api-keys", wanted | {"expires_at": (clock.now() + timedelta(hours=1)).isoformat()}).json
    assert client.get("/api/v1/members", headers={"Authorization": f"Bearer {until_noon['key']}"}).status_code == 200
    clock.instant += timedelta(hours=1)
    ended = client.get("/api/v1/members", headers={"Authorization": f"Bearer {until_noon['key']}"})
    assert (ended.status_code, ended.json["code"]) == (401, "accounts.api_key_refused")
    assert _call(staff, "DELETE", f"/api-keys/{made.json['id']}").status_code == 204
    assert client.get("/api/v1/members", headers=bearer).json["code"] == "accounts.api_key_refused"
    late = wanted | {"expires_at": (clock.now() + timedelta(days=400)).isoformat()}
    assert _call(staff, "POST", "/api-keys", late).json["code"] == "accounts.bad_api_key_request"


def test_a_person_of_two_coops_chooses(app, session):
    first, second = make_coop(session), make_coop(session)
    account = make_account(session, coop=first, roles=("preparer",))
    make_producer(session, coop=second).account_id = account.id
    session.flush()
    client = _as(app, session, account)
    assert client.get("/api/v1/me").json["coop_id"] == str(first.id)
    chosen = _call(client, "PUT", "/session/coop", {"coop_id": str(second.id)})
    assert (chosen.json["coop_id"], chosen.json["roles"]) == (str(second.id), ["buyer", "producer"])
    assert client.get("/api/v1/members").status_code == 403
    foreign = _call(client, "PUT", "/session/coop", {"coop_id": str(make_coop(session).id)})
    assert foreign.status_code == 404
    third = make_coop(session)
    session.add(AccountRole(account_id=account.id, role="preparer", coop_id=third.id, granted_by="system", granted_at=NOW))
    session.flush()
    made = []
    for coop in (first, third, first):
        _call(client, "PUT", "/session/coop", {"coop_id": str(coop.id)})
        made.append(_call(client, "POST", "/producers", {"name": "Rosa"}, **{"Idempotency-Key": "rosa-of-may"}).json["id"])
    assert made[0] == made[2] != made[1], "a key counts within one co-op"


def test_an_unknown_name_in_a_query_is_refused(client):
    assert client.get("/api/v1/producers?coop=1").status_code == 422


@pytest.mark.parametrize("path", ["/api/v1/session", "/api/v1/accounts", "/api/v1/orders"])
def test_a_body_nested_beyond_all_use_cannot_be_read(client, path):
    deep = b'{"email": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"  # 3.14 reads some tens of thousands
    answer = client.post(path, data=deep, content_type="application/json")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")


def test_every_address_takes_the_language_of_its_refusals(client):
    plain, spanish = (client.get(f"/api/v1/lots/nothing/lineage{query}") for query in ("", "?lang=es"))
    assert (plain.status_code, spanish.status_code) == (404, 404)
    assert plain.get_json()["detail"] != spanish.get_json()["detail"]
