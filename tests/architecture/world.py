"""A small world in which every route can be walked: two co-ops, everybody who could call, one row of each kind.

The rows are in `samples`: a new path parameter needs a line there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, scoped_session
from werkzeug.routing import Rule

from market.accounts.models import Account
from market.http.auth import Access, access_of
from market.kernel.ids import new_id
from market.producers.models import Coop, Producer
from tests.architecture.samples import BODIES, SAMPLES, STATES
from tests.factories.accounts import (
    csrf_token,
    make_account,
    make_admin,
    make_producer_account,
    make_staff,
    sign_in,
)
from tests.factories.producers import make_coop, make_producer


@dataclass
class World:
    """Our co-op with its people and rows, and another one whose people must not see them."""

    app: Flask
    session: scoped_session[Session]
    coop: Coop = field(init=False)
    producer: Producer = field(init=False)
    people: dict[str, Account | None] = field(init=False)
    _made: dict[tuple[str, str], Any] = field(init=False, default_factory=dict)
    _cookies: dict[str, str | None] = field(init=False, default_factory=dict)
    _tokens: dict[str | None, tuple[str, str]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        session = self.session
        self.coop, other = make_coop(session, name="Ours"), make_coop(session, name="Theirs")
        self.producer = make_producer(session, coop=self.coop)
        both = ("preparer", "approver")
        self.people = {
            "anonymous": None,
            "buyer": make_account(session, name="Buyer"),
            "owner": make_account(session, name="Owner"),
            "producer": make_producer_account(session, producer=self.producer),
            "staff": make_account(session, coop=self.coop, roles=both, name="Staff"),
            "preparer": make_staff(session, coop=self.coop, role="preparer"),
            "approver": make_staff(session, coop=self.coop, role="approver"),
            "admin": make_admin(session),
            "other producer": make_producer_account(session, producer=make_producer(session, coop=other)),
            "other staff": make_account(session, coop=other, roles=both, name="Other staff"),
        }
        session.commit()
        session.expunge_all()  # plain values from here on, whatever happens to the session

    def sample(self, endpoint: str, parameter: str) -> Any:
        """Return the sample value of a path parameter; made once. Raises LookupError for an unknown one."""
        keys = [(endpoint, parameter), (endpoint.split(".")[0], parameter), ("", parameter)]
        key = next((key for key in keys if key in SAMPLES), None)
        if key is None:
            raise LookupError(f"{endpoint} has the parameter <{parameter}>: register a sample in tests/architecture/samples.py")
        if key not in self._made:
            self._made[key] = SAMPLES[key](self)
            self.session.commit()
        return self._made[key]

    def path(self, rule: Rule, *, nothing: bool = False) -> str:
        """Return the address of a rule, with the samples of our co-op, or with ids of nothing."""
        values = {name: self.sample(rule.endpoint, name) for name in rule.arguments}
        if nothing:
            values = {name: new_id() if isinstance(value, UUID) else value for name, value in values.items()}
        adapter = self.app.url_map.bind("localhost")
        return adapter.build(rule.endpoint, values, method=next(iter(rule.methods - {"HEAD", "OPTIONS"})))

    def in_other_states(self, rule: Rule) -> Iterator[str]:
        """Yield the addresses of a page for rows in other states than the samples have, each made when the one before was read."""
        adapter = self.app.url_map.bind("localhost")
        for number, make in enumerate(STATES.get(rule.endpoint, ())):
            key = (rule.endpoint, f"state {number}")
            if key not in self._made:
                self._made[key] = make(self)
                self.session.commit()
            yield adapter.build(rule.endpoint, self._made[key], method="GET")

    def client(self, name: str) -> FlaskClient:
        """Return a new browser of somebody; they sign in once, and their cookie is that of all their browsers.

        What the first page after signing in keeps in it, their language and the day, need not be found out by every page.
        """
        client = self.app.test_client()
        if name not in self._cookies:
            sign_in(client, self.session, self.people[name]).get("/")
            self._cookies[name] = _cookie(client)
        return _with_cookie(client, self._cookies[name])

    def token(self, client: FlaskClient) -> str:
        """Return the token that a form of theirs would carry; it is drawn once for all browsers with that cookie."""
        before = _cookie(client)
        if before not in self._tokens:
            token = csrf_token(client)
            self._tokens[before] = (token, _cookie(client) or "")
        token, after = self._tokens[before]
        _with_cookie(client, after)
        return token

    def call(self, name: str, method: str, path: str, endpoint: str = "") -> Any:
        """Call as somebody, with a valid token and the registered body."""
        client = self.client(name)
        options: dict[str, Any] = {}
        if method != "GET":
            options["headers"] = {"X-CSRFToken": self.token(client)}
            body = BODIES.get((endpoint, method), {})
            options["json" if path.startswith("/api/") else "data"] = body
        return client.open(path, method=method, **options)


def _cookie(client: FlaskClient) -> str | None:
    found = client.get_cookie(client.application.config["SESSION_COOKIE_NAME"])
    return found.value if found else None


def _with_cookie(client: FlaskClient, value: str | None) -> FlaskClient:
    if value is not None:
        client.set_cookie(client.application.config["SESSION_COOKIE_NAME"], value)
    return client


def routes(app: Flask) -> list[tuple[Rule, str, Access]]:
    """Return every rule with each of its methods and its declaration."""
    found = []
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            declared = access_of(app, rule.endpoint, method)
            assert declared is not None, rule
            found.append((rule, method, declared))
    return found
