"""Whoever checks from outside: a co-op, a lot and a price read by axe in the light and, from right to left, in the dark,
on the narrowest phone and at twice the size, by keyboard, and without a cookie."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.looking import findings

pytestmark = pytest.mark.browser
NARROWEST = {"width": 320, "height": 640}
"""What 1280 pixels are at four times the size, and 640 at twice."""
CHECK = "/price-check?product=coffee&price=1.20&currency=USD&unit=lb&quantity=1&claims=fairtrade"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A visitor's phone."""
    context = browser.new_context(viewport=NARROWEST, locale="en-GB", bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


def test_axe_finds_nothing_with_goods_and_places(page: Page, pages: dict[str, str]):
    site, bad = pages["home"].rstrip("/"), []
    coop, lot = urlsplit(pages["coop"]).path, urlsplit(pages["lot"]).path
    for address in ("/?place=Vienna", "/?place=nowhere", coop, f"{coop}/behind", "/lots?code=LOT-0", lot, CHECK):
        for language, scheme in (("en", "light"), ("ar", "dark")):
            page.goto(f"{site}{address}{'&' if '?' in address else '?'}lang={language}")
            bad += [f"{address} ({language}) {fault}" for fault in findings(page, scheme, again=False)]
            width = page.evaluate("document.documentElement.scrollWidth")
            bad += [f"{address} ({language}) {width} pixels wide"] if width > NARROWEST["width"] else []
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).direction") == "rtl"
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.get_by_role("main")).to_have_count(1)
    assert not bad, "\n".join(bad)
    assert page.context.cookies() == []


def test_a_price_is_checked_and_a_lot_found_by_keyboard(page: Page, pages: dict[str, str]):
    site = pages["home"].rstrip("/")
    page.goto(f"{site}/lots")
    page.get_by_role("main").get_by_role("textbox").first.focus()
    page.keyboard.type(urlsplit(pages["lot"]).path.rsplit("/", 1)[1])
    page.keyboard.press("Enter")
    page.wait_for_url("**/lots/*")
    expect(page.get_by_role("heading", name="Journey")).to_be_visible()
    page.goto(f"{site}/?lang=es")
    page.get_by_label("¿Dónde está?").fill("Lima")
    page.keyboard.press("Enter")
    expect(page.get_by_text("a unos")).to_be_visible()
    expect(page.get_by_label("¿Dónde está?")).to_have_value("Lima")
    assert "place=Lima" in page.url
    assert "lang=es" in page.url
