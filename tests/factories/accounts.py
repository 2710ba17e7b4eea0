"""People with roles, and a way to be signed in as one of them; nothing commits."""

import time

from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from market.accounts.models import Account, AccountRole
from market.http.login.models import User
from market.kernel.actor import Actor
from market.kernel.ids import new_id, new_token
from market.producers.models import Coop, Producer
from tests.conftest import NOW


def make_account(session, *, coop: Coop | None = None, roles: tuple[str, ...] = (), **values) -> Account:
    """A confirmed person with credentials; `roles` are held for `coop` (admin for the site)."""
    account = Account(**{"email": f"{new_id().hex}@example.com", "name": "Ana", "locale": "en", "created_at": NOW} | values)
    session.add(account)
    session.flush()
    session.add(
        User(account_id=account.id, email=account.email, active=True, fs_uniquifier=new_token(), confirmed_at=NOW, password=None)
    )
    for role in roles:
        where = None if role == "admin" else coop.id
        session.add(AccountRole(account_id=account.id, role=role, coop_id=where, granted_by="system", granted_at=NOW))
    session.flush()
    return account


def make_staff(session, *, coop: Coop, role: str = "preparer") -> Account:
    """Somebody who works for `coop`."""
    return make_account(session, coop=coop, roles=(role,), name=role.title())


def make_admin(session) -> Account:
    """An administrator of the site."""
    return make_account(session, roles=("admin",), name="Admin")


def make_producer_account(session, *, producer: Producer) -> Account:
    """The account of a producer."""
    account = make_account(session, name=producer.name)
    producer.account_id = account.id
    session.flush()
    return account


def actor_for(session, account: Account) -> Actor:
    """The actor that the door makes of an account."""
    from market.http.login.actors import actor_of

    return actor_of(session, account.id)


def sign_in(client: FlaskClient, session, account: Account | None) -> FlaskClient:
    """Let `client` be signed in as `account` (nobody for None), as after a visit to the sign-in page."""
    with client.session_transaction() as cookie:
        cookie.clear()
        if account is not None:
            cookie["_user_id"] = session.query(User.fs_uniquifier).filter_by(account_id=account.id).scalar()
            cookie["_fresh"] = True
            cookie["fs_paa"] = time.time()
    return client


def csrf_token(client: FlaskClient) -> str:
    """A token for the forms and API calls of this client; sent as `csrf_token` or in the header X-CSRFToken."""
    with client.session_transaction() as cookie:
        raw = cookie.setdefault("csrf_token", new_token())
    return URLSafeTimedSerializer(client.application.secret_key, salt="wtf-csrf-token").dumps(raw)
