"""The read-only switch: reading goes on, every write is refused in words, and the administrator can take it back."""

import pytest

from tests.factories.accounts import csrf_token, make_account, make_admin, sign_in


@pytest.fixture
def admin(client, session):
    return sign_in(client, session, make_admin(session))


def turn(client, read_only, reason=""):
    return client.post("/admin/site", data={"csrf_token": csrf_token(client), "read_only": read_only, "reason": reason})


def test_the_switch_needs_words(admin):
    answer = turn(admin, "yes")
    assert answer.status_code == 422
    assert "Say why" in answer.text


def test_writes_are_refused_with_the_words_while_reading_goes_on(admin, app, session):
    assert turn(admin, "yes", "We move to a new server.").status_code == 303
    assert "takes no changes at present: We move to a new server." in admin.get("/admin").text, "said before anybody types"
    visitor = app.test_client()
    assert visitor.get("/shop").status_code == 200
    page = visitor.post("/basket", data={"csrf_token": csrf_token(visitor)})
    assert page.status_code == 503
    assert "We move to a new server." in page.text
    assert page.headers["Retry-After"] == "60"
    problem = visitor.post("/api/v1/orders", json={}, headers={"X-CSRFToken": csrf_token(visitor)})
    assert (problem.status_code, problem.json["code"]) == (503, "site.read_only")
    assert turn(admin, "no").status_code == 303
    assert visitor.post("/api/v1/orders", json={}, headers={"X-CSRFToken": csrf_token(visitor)}).status_code != 503


def test_signing_in_stays_possible_and_the_switch_is_the_administrators(admin, app, session):
    buyer = make_account(session)
    turn(admin, "yes", "Maintenance.")
    visitor = app.test_client()
    form = {"csrf_token": csrf_token(visitor), "email": "x@example.org", "password": "wrong"}
    assert visitor.post("/sign-in", data=form).status_code != 503
    sign_in(visitor, session, buyer)
    assert turn(visitor, "no").status_code == 403
