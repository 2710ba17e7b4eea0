"""No typed text makes a fault: every field of every form and every query, filled with what nobody should type.

Which names a view reads is found out by listening: a first call notes them, then they get such texts together and alone,
while the others hold something likely. Whatever is answered, it is an answer: never an exception, never a status of 500.
"""

from typing import Any

import pytest
from werkzeug.datastructures import ImmutableMultiDict

from tests.architecture.samples import BODIES
from tests.architecture.world import World, routes

# NUL, no number, a number beyond everything, digits of another script with half a character, a cursor of the wrong kind
HOSTILE = ("\x00", "NaN", "9" * 400, "\uff11\ud800", "WyJ4IiwieSJd")
LIKELY = {
    "cursor": "", "currency": "EUR", "country": "DE", "email": "ana@example.org", "quantity": "1", "unit": "kg", "reason": "because",
    "bearer": "coop", "method": "transfer", "rail": "cash", "language": "en", "locale": "en", "state": "", "key": "",
}  # fmt: skip
CALLERS = {"public": "anonymous", "buyer": "buyer", "producer": "producer", "admin": "admin", "webhook": "anonymous"}


class _Listening(ImmutableMultiDict):
    """Typed fields that note which names are asked for."""

    def __init__(self, given: Any, asked: set[str]) -> None:
        super().__init__(given)
        self.asked = asked

    def get(self, key: str, *args: Any, **more: Any) -> Any:
        self.asked.add(key)
        return super().get(key, *args, **more)

    def getlist(self, key: str, *args: Any, **more: Any) -> Any:
        self.asked.add(key)
        return super().getlist(key, *args, **more)


@pytest.fixture
def asked(app, monkeypatch):
    """The names that views ask for, of forms and queries."""
    names: set[str] = set()

    class Listening(app.request_class):
        """A request that notes what it is asked for."""

        @property
        def args(self):
            return _Listening(super().args, names)

        @property
        def form(self):
            return _Listening(super().form, names)

    monkeypatch.setattr(app, "request_class", Listening)
    return names


def _who(words: frozenset[str]) -> str:
    return next((CALLERS[word] for word in ("producer", "admin", "buyer", "public", "webhook") if word in words), "staff")


def _likely(name: str) -> str:
    if name in LIKELY:
        return LIKELY[name]
    return "2026-11-25" if name.endswith(("_on", "day", "from", "to", "at")) else "1"


def _call(world: World, who: str, method: str, path: str, values: dict[str, str]) -> str | None:
    session = world.session
    connection = session.get_bind()
    session.remove()
    connection.exec_driver_sql("SAVEPOINT hostile")
    try:
        client = world.client(who)
        kind = "query_string" if method == "GET" else "data"
        values = {name: text.encode("utf-8", "surrogatepass") for name, text in values.items()}
        answer = client.open(path, method=method, **{kind: values}, headers={"X-CSRFToken": world.token(client)})
        return f"{answer.status_code}" if answer.status_code >= 500 and answer.status_code != 503 else None
    except Exception as error:
        return repr(error)[:200]
    finally:
        session.remove()
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT hostile")


PARTS = 3  # so that several processes share what takes longest of all tests


@pytest.mark.parametrize("part", range(PARTS))
def test_no_typed_text_makes_a_fault(app, session, asked, part):
    world = World(app, session)
    faults = []
    for rule, method, declared in routes(app)[part::PARTS]:
        if rule.rule.startswith("/static") or (rule.rule.startswith("/api/") and method != "GET"):
            continue
        who, path = _who(declared.words), world.path(rule)
        body = {name: str(value) for name, value in BODIES.get((rule.endpoint, method), {}).items()}
        asked.clear()
        _call(world, who, method, path, body)
        names = sorted(asked - {"csrf_token"})
        usual = {name: body.get(name, _likely(name)) for name in names}
        tries = [(text, dict.fromkeys(names, text)) for text in HOSTILE if names]
        for number, name in enumerate(names):  # NUL in each field alone, the other texts in turn
            tries += [(text, usual | {name: text}) for text in (HOSTILE[0], HOSTILE[1 + number % (len(HOSTILE) - 1)])]
        for text, values in tries:
            fault = _call(world, who, method, path, values)
            if fault:
                culprit = [name for name, value in values.items() if value == text]
                faults.append(f"{method} {rule.rule} as {who}: {culprit[:3]} = {text[:20]!r}: {fault}")
    assert not faults, "\n".join(sorted(set(faults)))
