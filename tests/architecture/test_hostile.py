"""No typed text makes a fault: every field of every form and every query, filled with what nobody should type.

Which names are read, and by which code, is found out by listening: a first call notes them. Then they get such texts
together where they are few; and each that the view itself reads alone, while the others hold something likely, since one that
is refused hides those behind it. What the pattern of the lists reads needs no call of its own: no filter hides another, and a
list that refuses them together is asked for each alone. What one piece of code reads for all pages gets one of the texts on
each page.
Whatever is answered, it is an answer: never an exception, never a status of 500.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
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


# Who reads a name for all pages alike: the language of the address, and the library that looks for a token in it.
FOR_ALL = ("market/http/i18n.py", "flask_security/core.py")
LISTS, TEMPLATES = "market/console/lists.py", "jinja2/runtime.py"
REFUSED_BY_LISTS = "cursor"  # one that was not handed out hides everything else
Asked = dict[tuple[str, str], set[str]]


class _Listening(ImmutableMultiDict):
    """Typed fields that note which names are asked for, and in which file."""

    def __init__(self, given: Any, where: str, asked: Asked) -> None:
        super().__init__(given)
        self.where, self.asked = where, asked

    def get(self, key: str, *args: Any, **more: Any) -> Any:
        self.asked[self.where, key].add(sys._getframe(1).f_code.co_filename)
        return super().get(key, *args, **more)

    def getlist(self, key: str, *args: Any, **more: Any) -> Any:
        self.asked[self.where, key].add(sys._getframe(1).f_code.co_filename)
        return super().getlist(key, *args, **more)


@pytest.fixture
def asked(app, monkeypatch):
    """Where views look for which names, query or form, each with the files that ask."""
    names: Asked = defaultdict(set)

    class Listening(app.request_class):
        """A request that notes what it is asked for."""

        @cached_property
        def args(self):
            return _Listening(super().args, "query", names)

        @cached_property
        def form(self):
            return _Listening(super().form, "form", names)

    monkeypatch.setattr(app, "request_class", Listening)
    return names


def _readers(files: set[str]) -> set[str]:
    """Which files ask for a name, without those that ask for it on all pages; a list's page shows what the list has read."""
    own = {file for file in files if not file.endswith(FOR_ALL)}
    lists = {file for file in own if file.endswith((LISTS, TEMPLATES))}
    return {LISTS} if own == lists and any(file.endswith(LISTS) for file in lists) else own


def _who(words: frozenset[str]) -> str:
    return next((CALLERS[word] for word in ("producer", "admin", "buyer", "public", "webhook") if word in words), "staff")


def _likely(name: str) -> str:
    if name in LIKELY:
        return LIKELY[name]
    return "2026-11-25" if name.endswith(("_on", "day", "from", "to", "at")) else "1"


@dataclass(frozen=True)
class _Route:
    """A route, who calls it, and the names that it reads: all, those of the view itself, those of the pattern of lists."""

    who: str
    method: str
    path: str
    usual: dict[str, str]
    typed: tuple[str, ...]
    listed: tuple[str, ...]
    query: tuple[str, ...]
    """What a form's answer reads of the address: the list behind it."""

    def tries(self, number: int) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
        """The texts, each with the fields and the query that hold it; `number` lets texts take turns."""
        in_turn = HOSTILE[number % len(HOSTILE)]
        few = 0 < len(self.typed) < len(HOSTILE) - 1  # too few for each text to come to one of them alone
        for text in (HOSTILE if few else (in_turn,)) if self.usual else ():
            alone = self.typed if len(self.typed) == 1 else self.usual
            yield text, self.usual | dict.fromkeys(alone, text), {}
        for place, name in enumerate(self.typed if len(self.typed) > 1 else ()):  # NUL in each alone, the other texts in turn
            for text in (HOSTILE[0], HOSTILE[1 + place % (len(HOSTILE) - 1)]):
                yield text, self.usual | {name: text}, {}
        if self.query:
            yield in_turn, self.usual, dict.fromkeys(self.query, in_turn)


def _learnt(world: World, asked: Asked, who: str, rule: Any, method: str) -> _Route:
    """Call a route once and note what it reads."""
    path = world.path(rule)
    body = {name: str(value) for name, value in BODIES.get((rule.endpoint, method), {}).items()}
    asked.clear()
    _call(world, who, method, path, body)
    sent = "query" if method == "GET" else "form"
    files = {name: _readers(found) for (where, name), found in asked.items() if where == sent and name != "csrf_token"}
    listed = tuple(sorted(name for name, found in files.items() if found == {LISTS} and name != REFUSED_BY_LISTS))
    typed = tuple(sorted(name for name, found in files.items() if found and name not in listed))
    usual = {name: body.get(name, _likely(name)) for name in sorted(files)}
    query = {name for (where, name), found in asked.items() if where != sent and _readers(found)}
    return _Route(who, method, path, usual, typed, listed, tuple(sorted(query)))


def _together(world: World, route: _Route) -> Iterator[tuple[str, dict[str, str], str | None]]:
    """Fill all that the pattern of lists reads, and each alone where the list refuses them together."""
    for text in HOSTILE if route.listed else ():
        values = route.usual | dict.fromkeys(route.listed, text)
        status, fault = _call(world, route.who, route.method, route.path, values)
        yield text, values, fault
        for name in route.listed if status != 200 and not fault else ():
            alone = route.usual | {name: text}
            yield text, alone, _call(world, route.who, route.method, route.path, alone)[1]


def _call(
    world: World, who: str, method: str, path: str, values: dict[str, str], query: dict[str, str] | None = None
) -> tuple[int, str | None]:
    """Call and undo; return the status, and the fault if it was one."""
    session = world.session
    connection = session.get_bind()
    session.remove()
    connection.dialect.do_savepoint(connection, "hostile")
    try:
        client = world.client(who)
        typed, asked = ({}, values) if method == "GET" else (values, query or {})
        typed, asked = ({name: text.encode("utf-8", "surrogatepass") for name, text in each.items()} for each in (typed, asked))
        headers = {"X-CSRFToken": world.token(client)}
        answer = client.open(path, method=method, query_string=asked, data=typed or None, headers=headers)
        fault = answer.status_code >= 500 and answer.status_code != 503
        return answer.status_code, f"{answer.status_code}" if fault else None
    except Exception as error:
        return 500, repr(error)[:200]
    finally:
        session.remove()
        connection.dialect.do_rollback_to_savepoint(connection, "hostile")


PARTS = 3  # so that several processes share what takes longest of all tests


@pytest.mark.parametrize("part", range(PARTS))
def test_no_typed_text_makes_a_fault(app, session, asked, part):
    world, faults = World(app, session), set()
    for number, (rule, method, declared) in enumerate(routes(app)):
        if rule.rule.startswith("/static") or (rule.rule.startswith("/api/") and method != "GET") or number % PARTS != part:
            continue
        route = _learnt(world, asked, _who(declared.words), rule, method)
        called = [
            (text, fields | query, _call(world, route.who, method, route.path, fields, query)[1])
            for text, fields, query in route.tries(number // PARTS)
        ]
        for text, values, fault in (*called, *_together(world, route)):
            if fault:
                culprit = [name for name, value in values.items() if value == text]
                faults.add(f"{method} {rule.rule} as {route.who}: {culprit[:3]} = {text[:20]!r}: {fault}")
    assert not faults, "\n".join(sorted(faults))
