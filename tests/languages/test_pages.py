"""Every page in the pseudo-language and from right to left: whatever is still English passes by the catalogues."""

import re
from html.parser import HTMLParser

import pytest

from market.http.auth import permits
from market.kernel.actor import GUEST
from market.kernel.languages import LANGUAGES, PSEUDO, pseudo
from tests.architecture.test_browse import NOT_PAGES
from tests.architecture.world import World, routes
from tests.factories.accounts import actor_for
from tests.factories.catalogue import make_listing

READ = {"alt", "title", "placeholder", "aria-label", "label"}
ENGLISH = re.compile(
    r"\b(the|of|is|are|was|and|to|for|not|no|has|have|been|your|you|this|that|with|by|from|every|all|what|who|where|here|it)\b",
    re.IGNORECASE,
)
VOID = {"meta", "link", "img", "input", "br", "hr", "source", "wbr", "rect", "circle", "path", "line", "use", "col"}
ELSEWHERE = "/style"  # for developers


class _Texts(HTMLParser):
    """Texts of a page that are said in the page's own language: what carries another `lang` is somebody's own words."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.found: list[str] = []

    def _theirs(self) -> bool:
        return any(theirs for _tag, theirs in self.open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        theirs = own.get("lang", PSEUDO) != PSEUDO or tag in ("script", "style", "code", "pre")
        if not (theirs or self._theirs()):
            self.found += [value for name, value in own.items() if name in READ and value]
        if tag not in VOID:
            self.open.append((tag, theirs))

    def handle_endtag(self, tag: str) -> None:
        while self.open:
            if self.open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._theirs():
            self.found.append(" ".join(data.split()))


def _left(text: str) -> str:
    """What of a text lies outside the brackets of the pseudo-language."""
    while (shorter := re.sub(r"\[[^\[\]]*\]", "", text)) != text:
        text = shorter
    return text


def english(page: str) -> list[str]:
    """Texts of a page in the pseudo-language that are English all the same."""
    texts = _Texts()
    texts.feed(page)
    left = [_left(text) for text in texts.found]
    return [text for text in left if len(ENGLISH.findall(text)) > 1]


def test_no_page_says_anything_past_the_catalogues(app, session):
    world = World(app, session)
    faults = set()
    for who in ("anonymous", "owner", "producer", "staff", "admin"):
        account = world.people[who]
        actor = actor_for(world.session, account) if account else GUEST
        for rule, method, declared in routes(world.app):
            if method != "GET" or NOT_PAGES.match(rule.rule) or rule.rule == ELSEWHERE:
                continue
            if not permits(declared, actor) and who != "owner":  # all refusals of this kind are one page
                continue
            path = world.path(rule)
            answer = world.call(who, "GET", f"{path}{'&' if '?' in path else '?'}lang={PSEUDO}")
            if answer.mimetype == "text/html" and answer.status_code < 500:
                faults |= {f"{rule.rule}: {text[:160]}" for text in english(answer.text)}
    assert not faults, "\n".join(sorted(faults))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_says_its_language_and_direction_and_hands_them_on(app, session, language):
    make_listing(session)
    session.commit()
    client = app.test_client()
    page = client.get(f"/shop?lang={language}")
    direction = "rtl" if language == "ar" else "ltr"
    assert f'<html lang="{language}" dir="{direction}">' in page.text
    assert {"Accept-Language", "Cookie"} <= set(page.vary)
    links = [link for link in re.findall(r'href="(/[^"]*)"', re.sub(r'(?s)<nav class="languages".*?</nav>', "", page.text))]
    lost = [link for link in links if f"lang={language}" not in link and not link.startswith("/static/")]
    assert not lost
    assert '<a href="/listings/' in page.text
    assert "Set-Cookie" not in page.headers
    by_browser = client.get("/shop", headers={"Accept-Language": f"{language},en;q=0.5"})
    assert f'<html lang="{language}"' in by_browser.text


def test_a_refusal_is_told_in_the_language_that_the_address_asks_for(app):
    client = app.test_client()
    plain, spanish = (client.get(f"/api/v1/lots/nothing{query}", headers={"Accept-Language": "es"}) for query in ("", "?lang=es"))
    assert plain.json["detail"].startswith("No lot has this address.")
    assert spanish.json["detail"].startswith("Ningún lote tiene esta dirección.")


def test_findings_of_an_epcis_document_are_told_in_the_language_of_the_address(app, session):
    world = World(app, session)
    client = world.client("staff")
    headers = {"X-CSRFToken": world.token(client)}
    for query, words in (("", "“@context” is missing"), ("?lang=es", "falta «@context»")):
        answer = client.post(f"/api/v1/epcis/capture{query}", json={"type": "EPCISDocument"}, headers=headers)
        assert answer.status_code == 400
        assert words in [line["detail"] for line in answer.json["errors"]]
        assert answer.json["detail"].endswith(".")


def test_the_pseudo_language_keeps_facts_and_adds_room():
    assert pseudo("Pay %(sum)s now") == "[Pá" + "ý %(sum)s ñôw" + "~" * 6 + "]"
