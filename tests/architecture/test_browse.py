"""Every page as everybody: the right status, valid HTML5, a title, one main heading, no form in vain, known caching, few statements."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import html5lib
from sqlalchemy import Engine, event

from market.http.auth import access_of, permits
from market.kernel.actor import Actor
from tests.architecture.world import World, routes
from tests.factories.accounts import actor_for

PEOPLE = ("anonymous", "buyer", "owner", "producer", "other producer", "preparer", "approver", "admin")
# Answers that are right although the page is not drawn: an unusable link sends to where one gets a new one.
ELSEWHERE = {"security.confirm_email", "security.reset_password", "trace.short", "trace.printed", "trace.identifier"}
# Pages that a machine reads.
NOT_PAGES = re.compile(r"/api/|/hooks/|/static/|/healthz|/readyz|/metrics")
PRIVATE = "private, no-store"
CACHING = re.compile(rf"{PRIVATE}|private, no-cache|public, max-age=\d+(, immutable|, must-revalidate)?|public, no-cache")
# Statements that a page may send to the database, and pages that many read or that stand open all day, which get fewer.
STATEMENTS = 23
BUDGETS = {
    "shop.home": 12,
    "shop.catalogue": 12,
    "shop.listing": 13,
    "trace.lot": 20,
    "producers.coop": 14,
    "producer_home.index": 12,
    "console.home": 16,
    "console_orders.index": 12,
}
# What the transactions of the test add, the words that say whose rows a connection sees, and the read-only switch, which
# tests ask about at every page and a server once in two seconds.
NOT_COUNTED = ("SAVEPOINT", "RELEASE", "ROLLBACK", "SET ", "DO ", "SELECT set_config", "SELECT site_switch")


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements that reach the database."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_more) -> None:
        if not statement.startswith(NOT_COUNTED):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _faults(answer) -> list[str]:
    if answer.mimetype != "text/html":
        return []
    faults = []
    try:
        html5lib.HTMLParser(strict=True).parse(answer.text)
    except html5lib.html5parser.ParseError as error:
        faults.append(f"HTML: {error}")
    title = re.search(r"<title>([^<]*)</title>", answer.text)
    if title is None or not title[1].split("·")[0].strip():
        faults.append("no title")
    if answer.text.count("<h1") != 1:
        faults.append(f"{answer.text.count('<h1')} main headings")
    if ' style="' in answer.text or "<style" in answer.text:
        faults.append("a style that the content policy forbids")
    ids = re.findall(r'\sid="([^"]+)"', answer.text)
    if repeated := {name for name in ids if ids.count(name) > 1}:
        faults.append(f"ids twice: {sorted(repeated)}")
    if not CACHING.fullmatch(answer.headers.get("Cache-Control", "")):
        faults.append(f"unknown Cache-Control {answer.headers.get('Cache-Control')!r}")
    return faults


def test_every_page_as_everybody(app, session):
    world = World(app, session)
    faults = [fault for who in PEOPLE for fault in _walk(world, who)]
    assert not faults, "\n".join(faults)


def _walk(world: World, who: str) -> list[str]:
    account = world.people[who]
    actor = actor_for(world.session, account) if account else Actor()
    faults = []
    for rule, method, declared in routes(world.app):
        if method != "GET" or NOT_PAGES.match(rule.rule):
            continue
        path = world.path(rule)
        client = world.client(who)
        with counted() as statements:
            answer = client.get(path)
        # A public page differs between people by its menu only, and refusals are one page: enough is read once.
        read = who in ("anonymous", "approver") if "public" in declared.words else answer.status_code == 200
        wrong = _faults(answer) if read else []
        if len(statements) > BUDGETS.get(rule.endpoint, STATEMENTS):
            wrong.append(f"{len(statements)} statements, {rule.endpoint} may send {BUDGETS.get(rule.endpoint, STATEMENTS)}")
        if "public" not in declared.words and answer.headers.get("Cache-Control") != PRIVATE:
            wrong.append(f"may be kept: {answer.headers.get('Cache-Control')!r}")
        if rule.endpoint in ELSEWHERE:
            right = {200, 301, 302, 303, 307, 404}
        elif permits(declared, actor):
            # One's own rows are there, rows of others are not found; a document may not be ready (409).
            right = {200, 302, 303} | ({404, 409} if rule.arguments else set())
        else:
            right = {303} if account is None else {403}
        if answer.status_code == 200:
            wrong += _refused_forms(world, answer, actor)
        if answer.status_code not in right:
            wrong.append(f"status {answer.status_code}, not {sorted(right)}")
        faults += [f"{path} as {who}: {fault}" for fault in wrong]
    return faults


def test_a_missing_page_is_a_page_too(app, session):
    world = World(app, session)
    for who in PEOPLE:
        answer = world.call(who, "GET", "/no/such/page")
        assert answer.status_code == 404
        assert not _faults(answer), who


def test_every_link_of_every_menu_opens(app, session):
    world = World(app, session)
    for who in PEOPLE:
        found_on: dict[str, str] = {}
        opened: dict[str, int] = {}
        waiting = ["/coops", "/console", "/admin", "/producer/details", "/account"]
        while waiting:
            path = waiting.pop()
            if path in opened:
                continue
            answer = world.call(who, "GET", path)
            opened[path] = answer.status_code
            for menu in re.findall(r"<nav.*?</nav>", answer.text, re.S) if answer.status_code == 200 else ():
                for link in re.findall(r'href="(/[^"#?]*)"', menu):
                    found_on.setdefault(link, path)
                    waiting.append(link)
        shut = [f"{who}: {link} in the menu of {path}" for link, path in found_on.items() if opened[link] not in (200, 302)]
        assert not shut, "\n".join(shut)


def _refused_forms(world: World, answer, actor: Actor) -> list[str]:
    """Forms that would be refused by role; whether the state of things allows them is for the page to say."""
    shown = world.app.url_map.bind("localhost")
    endpoints = {shown.match(action or answer.request.path, method="POST")[0] for action in _actions(answer)}
    return [f"shows a form to {each}" for each in endpoints if not permits(access_of(world.app, each, "POST"), actor)]


def _actions(answer) -> list[str]:
    """The addresses to which a page's forms post; empty for the page's own."""
    forms = re.findall(r'<form[^>]*method="post"[^>]*>', answer.text)
    return [found[1].partition("?")[0] if (found := re.search(r'action="([^"]*)"', form)) else "" for form in forms]
