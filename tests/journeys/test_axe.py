"""Axe on every page as everybody, and no page wider than a screen at twice and four times the size, which is narrower than a phone.

A page is read in English in the light and in Arabic, from right to left, in the dark; then its colours alone the other way
round, if one of its texts is painted as none was before in those colours. Who sees no more of a page than somebody before is not read again there: people differ by menus and
by forms. Of menus, which are half of a page, those are left out in which every entry and every kind of mark was read before, in
the same language and colours. What is folded is opened. The pages come from the small world in which every route can be walked; the browser
holds one document whose body is exchanged, so that axe and the sheet are loaded once.
"""

import re
from collections.abc import Iterator
from itertools import chain

import pytest
from playwright.sync_api import Browser, Page, Route

from market.http.auth import permits
from market.kernel.actor import GUEST
from tests.architecture.test_browse import NOT_PAGES, PEOPLE
from tests.architecture.world import World, routes
from tests.factories.accounts import actor_for
from tests.journeys.looking import KNOWN, NARROW, findings, leave_out_menus, too_wide

pytestmark = pytest.mark.browser
HERE = "http://pages.example"
FRAME = (
    '<!DOCTYPE html><html><head><meta name="viewport" content="width=device-width"><title>-</title>{}</head><body></body></html>'
)
SHOW = """([lang, dir, title, body]) => {
    Object.assign(document.documentElement, {lang, dir});
    document.title = title;
    document.body.innerHTML = body;
    document.querySelectorAll('main details').forEach(folded => { folded.removeAttribute('name'); folded.open = true; });
}"""


@pytest.fixture
def copy(browser: Browser, app) -> Iterator[Page]:
    """An empty document with the sheet of the pages and axe."""
    context = browser.new_context(viewport=NARROW)
    page, client = context.new_page(), app.test_client()
    sheet = re.search(r'<link rel="stylesheet" href="([^"]+)">', client.get("/rules").text)

    def serve(route: Route) -> None:
        path = route.request.url.removeprefix(HERE)
        if path == "/":
            route.fulfill(content_type="text/html", body=FRAME.format(sheet[0]))
        elif path == sheet[1]:
            route.fulfill(content_type="text/css", body=client.get(path).data)
        else:
            route.abort()  # pictures have their size in the page

    page.route("**", serve)
    page.goto(HERE)
    yield page
    context.close()


def shape(html: str) -> str:
    """What a page is made of, without its words, menus and ids: tags, classes and the names of their attributes."""
    main = re.sub(r"<nav.*?</nav>", "", html[html.index("<main") : html.index("</main>")], flags=re.S)
    return re.sub(r'(?<!class)="[^"]*"', "", " ".join(re.findall(r"<\w[^>]*>", main)))


@pytest.mark.parametrize("desk", [False, True], ids=["people outside", "staff"])
def test_axe_finds_nothing_on_any_page_as_anybody(app, session, copy: Page, desk: bool):
    world, faults = World(app, session), []
    menus, shapes, entries = set(), set(), {"light": set(), "dark": set()}
    painted: dict[str, set[str]] = {"light": set(), "dark": set()}
    for who in PEOPLE:
        client, account = world.client(who), world.people[who]
        actor = actor_for(session, account) if account else GUEST
        for rule, method, declared in routes(app):
            if method != "GET" or NOT_PAGES.match(rule.rule) or desk != rule.rule.startswith("/console"):
                continue
            path = world.path(rule)  # also of what is refused: its row stands on other pages
            if not permits(declared, actor):
                continue
            for each in chain([path], world.in_other_states(rule)):
                answer = client.get(each)
                if answer.status_code != 200 or answer.mimetype != "text/html":
                    continue
                drawn = (rule.rule, shape(answer.text))
                if drawn in shapes and who in menus:
                    continue
                shapes.add(drawn)
                menus.add(who)
                faults += [f"{each} as {who}, {fault}" for fault in read(copy, answer.text, "light", entries["light"], painted)]
                arabic = client.get(f"{each}{'&' if '?' in each else '?'}lang=ar").text
                faults += [f"{each} as {who}, Arabic, {fault}" for fault in read(copy, arabic, "dark", entries["dark"], painted)]
    assert not faults, "\n".join(faults)


def read(copy: Page, html: str, scheme: str, seen: set[str], painted: dict[str, set[str]]) -> list[str]:
    """Return what axe and the eye object to; `seen` are the entries of menus that were read before, `painted` the colours of texts."""
    head = re.search(r'<html lang="([^"]+)" dir="([^"]+)">.*?<title>([^<]*)</title>.*?<body>(.*)</body>', html, re.S)
    assert head
    copy.evaluate(SHOW, list(head.groups()))
    leave_out_menus(copy, html, seen)
    return findings(copy, scheme, but=KNOWN, painted=painted) + too_wide(copy)
