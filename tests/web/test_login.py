"""The door: signing up, in and out, setting passwords, and who is slowed down."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from market.accounts import service as accounts
from market.http.login import throttle
from market.http.login.door import open_account
from market.http.login.models import Throttle, User
from market.kernel.outbox import OutboxRow
from tests.factories.accounts import actor_for, csrf_token, make_account, make_staff, sign_in
from tests.factories.producers import make_coop, make_producer

PASSWORD = "correct horse battery"


def _post(client, path, **values):
    return client.post(path, data={"csrf_token": csrf_token(client)} | values)


def _letter(session):
    row = session.query(OutboxRow).filter_by(topic="accounts.letter").order_by(OutboxRow.id.desc()).first()
    return row.payload


def _path(letter):
    return letter["link"].removeprefix("http://127.0.0.1:8000")


def _sign_up(client, session, email="ana@example.com"):
    return _post(client, "/sign-up", name="Ana", email=email, password=PASSWORD)


def test_sign_up_confirm_sign_in_and_out(client, session):
    assert _sign_up(client, session, "Ana@Example.com").status_code == 302
    letter = _letter(session)
    assert letter["kind"] == "confirm"
    early = _post(client, "/sign-in", email="ana@example.com", password=PASSWORD)
    assert early.status_code in (200, 302)
    assert client.get("/account/password").status_code == 303
    client.get(_path(letter))
    assert _post(client, "/sign-in", email="ANA@example.com", password=PASSWORD).status_code == 302
    assert client.get("/account/password").status_code == 200
    assert _post(client, "/sign-out").status_code == 302
    assert client.get("/account/password").status_code == 303


def test_a_link_in_a_letter_never_follows_the_host_of_the_request(app, session, clock):
    with app.test_request_context(base_url="http://evil.example"):
        open_account(session, email="eva@example.com", name="Eva", locale="en", now=clock.now())
    assert _letter(session)["link"].startswith("http://127.0.0.1:8000/reset/")


def test_sign_up_answers_the_same_when_the_address_is_taken(client, session):
    make_account(session, email="ana@example.com")
    answer = _sign_up(client, session)
    assert (answer.status_code, answer.location) == (302, "/sign-in")
    assert _letter(session)["kind"] == "already_registered"
    assert session.query(User).filter_by(email="ana@example.com").count() == 1


def test_a_refused_form_says_what_is_wrong_beside_the_field_and_keeps_what_was_typed(client, session):
    answer = _post(client, "/sign-up", name="", email="ana@buyers", password="short")
    assert answer.status_code == 200
    assert 'value="ana@buyers"' in answer.text
    assert "such as ana@example.org" in answer.text
    assert answer.text.count('aria-invalid="true"') == 3
    assert "short" not in answer.text.replace("text-shorten", "")


def test_reset_sets_a_password_and_signs_out_everywhere(client, session, app):
    account = make_account(session, email="eva@example.com")
    other = sign_in(app.test_client(), session, account)
    assert other.get("/account/password").status_code == 200
    _post(client, "/reset", email="eva@example.com")
    path = _path(_letter(session))
    assert client.get(path).status_code == 200
    assert _post(client, path, password=PASSWORD, password_confirm=PASSWORD).status_code == 302
    assert other.get("/account/password").status_code == 303
    assert _letter(session)["kind"] == "password_changed"
    assert client.get(path).location == "/reset", "a link works once"
    assert _post(client, "/sign-in", email="eva@example.com", password=PASSWORD).status_code == 302


def test_wrong_passwords_are_slowed_down_per_account_even_from_many_addresses(client, session, clock):
    make_account(session, email="eva@example.com")
    for n in range(8):
        token = csrf_token(client)
        wrong = {"csrf_token": token, "email": "eva@example.com", "password": f"wrong {n} wrong"}
        assert client.post("/sign-in", data=wrong, environ_base={"REMOTE_ADDR": f"10.0.0.{n}"}).status_code == 200
    answer = _post(client, "/sign-in", email="EVA@example.com", password="wrong again")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert _post(client, "/sign-in", email="somebody@example.com", password="wrong").status_code == 200
    clock.instant = clock.instant.replace(hour=13)
    assert _post(client, "/sign-in", email="eva@example.com", password="wrong").status_code == 200
    assert session.query(Throttle).count() > 0
    assert not [row for row in session.query(Throttle.subject) if "eva" in row.subject]


def test_strangers_cannot_have_endless_letters_sent(client, session):
    make_account(session, email="eva@example.com")
    answers = [_post(client, "/reset", email="eva@example.com").status_code for _ in range(7)]
    assert answers == [200] * 6 + [429]


def test_letters_asked_for_from_an_address_do_not_keep_its_people_from_signing_in(client, session, clock):
    for _ in range(200):
        throttle.note_failure(session, throttle.letters_from("127.0.0.1"), now=clock.now())
    session.commit()
    assert _post(client, "/sign-in", email="ana@example.com", password="wrong").status_code == 200
    assert _sign_up(client, session).status_code == 429


def test_a_form_without_its_token_changes_nothing(client, session):
    answer = client.post("/sign-up", data={"name": "Ana", "email": "ana@example.com", "password": PASSWORD})
    assert (answer.status_code, "CSRF" in answer.text) == (400, False)
    assert session.query(User).count() == 0


def test_a_form_sent_after_the_session_ended_leads_to_the_sign_in_and_back_to_its_page(client):
    form = {"csrf_token": csrf_token(client), "name": "Ana"}
    for came_from, leads_to in (("http://localhost/account?lang=en", "/account?lang=en"), ("https://elsewhere.example/x", "")):
        answer = client.post("/account/profile", data=form, headers={"Referer": came_from})
        assert answer.status_code == 401
        link = urlsplit(re.search(r'class="button" href="([^"]+)"', answer.text)[1])
        assert (link.path, parse_qs(link.query).get("next", [""])) == ("/sign-in", [leads_to])


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(client, session):
    cookie = client.get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_an_answer_carries_the_session_when_it_changed_and_once_a_day(client, session, clock):
    sign_in(client, session, make_account(session))
    client.get("/account")
    assert "Set-Cookie" not in client.get("/account").headers
    clock.instant += timedelta(days=1)
    assert "Set-Cookie" in client.get("/account").headers
    assert "Set-Cookie" not in client.get("/account").headers


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_signing_in_never_leads_to_another_site(client, session, next_url):
    _sign_up(client, session)
    client.get(_path(_letter(session)))
    answer = _post(client, "/sign-in", email="ana@example.com", password=PASSWORD, next=next_url)
    assert answer.location is None or re.fullmatch(r"/([^/\\].*)?", answer.location)


class TestActors:
    def test_a_person_of_two_coops_works_for_the_chosen_one(self, client, session):
        first, second = make_coop(session), make_coop(session)
        account = make_account(session, coop=first, roles=("preparer",))
        accounts.grant_role(
            session, actor=_admin(), account_id=account.id, role="approver", coop_id=second.id, now=account.created_at
        )
        from market.http.login.actors import actor_of

        assert actor_of(session, account.id).coop_id == first.id
        chosen = actor_of(session, account.id, coop_id=second.id)
        assert (chosen.coop_id, chosen.roles) == (second.id, {"buyer", "approver"})
        foreign = actor_of(session, account.id, coop_id=make_coop(session).id)
        assert foreign.coop_id == first.id

    def test_a_member_is_a_producer_until_they_leave(self, session):
        from market.producers.models import Member
        from tests.factories.accounts import make_producer_account

        producer = make_producer(session)
        account = make_producer_account(session, producer=producer)
        assert actor_for(session, account).producer_id == producer.id
        session.query(Member).filter_by(producer_id=producer.id).update({"left_on": account.created_at.date()})
        assert actor_for(session, account).roles == {"buyer"}

    def test_a_key_acts_within_its_scopes_and_ends(self, client, session, clock):
        from datetime import timedelta

        staff = make_staff(session, coop=make_coop(session))
        key = accounts.issue_api_key(
            session,
            actor=actor_for(session, staff),
            label="till",
            scopes=["orders:read"],
            expires_at=clock.now() + timedelta(days=1),
            now=clock.now(),
        )
        session.commit()
        bearer = {"Authorization": f"Bearer {key.text}"}
        assert client.get("/account/password", headers=bearer).status_code == 403
        assert client.get("/healthz", headers=bearer).status_code == 200
        assert client.get("/healthz", headers={"Authorization": "Bearer fm_nonsense"}).status_code == 401
        clock.instant += timedelta(days=2)
        assert client.get("/healthz", headers=bearer).status_code == 401


def _admin():
    from market.kernel.actor import Actor

    return Actor(roles=frozenset({"admin"}))


def test_the_door_speaks_the_readers_language(client, session):
    _sign_up(client, session, "eva@example.com")
    answers = [
        client.get("/reset/nothing?lang=sw", follow_redirects=True),
        _post(client, "/sign-in?lang=sw", email="eva@example.com", password="wrong one"),
        _post(client, "/sign-up?lang=sw", email="no address", name="", password="short"),
    ]
    said = ("Kiungo hiki hakifanyi kazi tena.", "Barua pepe au nenosiri si sahihi.", "Nenosiri lina angalau herufi 10.")
    assert [words in answer.text for words, answer in zip(said, answers, strict=True)] == [True, True, True]
