"""What strangers try at the doors: planted sessions, links that lead away, names that are not the site's."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from flask_security import hash_password

from market.http import links
from market.http.login.door import set_password_hash
from market.orders.models import BasketLine
from tests.conftest import ROOT
from tests.factories.accounts import csrf_token, make_account
from tests.factories.catalogue import make_listing
from tests.web.test_login import PASSWORD


def _sign_in(client, session, **more):
    account = make_account(session, email="eva@example.com")
    set_password_hash(session, account_id=account.id, password_hash=hash_password(PASSWORD))
    session.commit()
    token = csrf_token(client)
    return client.post("/sign-in", data={"csrf_token": token, "email": "eva@example.com", "password": PASSWORD} | more)


def test_signing_in_leaves_nothing_that_a_planted_session_knows(client, session):
    listing = make_listing(session)
    session.commit()
    token = csrf_token(client)
    client.post("/basket/lines", data={"listing_id": listing.id, "quantity": "2", "csrf_token": token})
    with client.session_transaction() as cookie:
        planted = dict(cookie)
    assert _sign_in(client, session).status_code == 302
    with client.session_transaction() as cookie:
        assert cookie["basket"] != planted["basket"]
        assert cookie.get("csrf_token") != planted["csrf_token"]
    assert listing.title in client.get("/basket").text
    assert not session.query(BasketLine).filter_by(basket_id=planted["basket"]).count()
    forged = client.post("/basket/lines", data={"listing_id": listing.id, "quantity": "2", "csrf_token": token})
    assert forged.status_code == 400


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example/", "/\\evil.example/", "\\\\evil.example", "http:evil.example", "javascript:alert(1)",
     "///evil.example", "/%09/evil.example", " //evil.example", "http://127.0.0.1.evil.example/"],
)  # fmt: skip
def test_signing_in_leads_only_to_our_own_pages(client, session, wanted):
    answer = _sign_in(client, session, next=wanted)
    assert answer.status_code in (200, 302)
    # As a browser reads it: backslashes count as slashes, and what has a scheme or two slashes leads away.
    location = urlsplit(answer.headers.get("Location", "/").replace("\\", "/").strip())
    assert (location.scheme, location.netloc) == ("", "")


def test_signing_in_leads_back_to_where_one_was(client, session):
    assert _sign_in(client, session, next="/account").location == "/account"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", ""])
def test_a_host_that_is_not_ours_is_refused(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 400
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
def test_the_names_of_the_site_are_answered(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 200


def test_in_production_only_the_names_that_were_set_count(settings):
    there = replace(settings, env="production", public_url="https://market.example", allowed_hosts=frozenset({"shop.example"}))
    assert there.hosts == {"market.example", "shop.example"}


def test_what_leaves_the_site_carries_its_public_address(app, session):
    with app.test_request_context("/", base_url="http://evil.example"):
        assert links.public("/orders/1") == "http://127.0.0.1:8000/orders/1"


def test_no_address_is_made_from_the_name_in_a_request():
    sources = [path for path in (ROOT / "market").rglob("*") if path.suffix in (".py", ".html")]
    assert not [path for path in sources if "_external=True" in path.read_text()]
