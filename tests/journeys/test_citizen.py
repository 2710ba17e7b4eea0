"""Whoever checks from outside: every citizen's page read by axe in the light and in the dark, from right to left, on the
narrowest phone and at twice the size, by keyboard, and without a cookie."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

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


# Read by axe in the light where the menus are walked (test_browser).
READ = ("/coops", "/lots", "/rules", "/price-check", "/co-op-floors", "/figures", "/log", "/questions")


def addresses(pages: dict[str, str]) -> list[str]:
    """Return the citizen's pages of the shop that is served."""
    coop, lot = urlsplit(pages["coop"]).path, urlsplit(pages["lot"]).path
    return [
        *("/?place=Vienna", "/?place=nowhere", "/coops", coop, f"{coop}/behind", "/lots", "/lots?code=LOT-0", lot),
        *("/rules", "/price-check", CHECK, "/co-op-floors", "/figures", "/log", "/questions"),
    ]


def faults(page: Page) -> list[str]:
    """Return what axe and the eye object to on a page as it stands."""
    found = [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    ]
    width = page.evaluate("document.documentElement.scrollWidth")
    return found + ([f"{width} pixels wide"] if width > NARROWEST["width"] else [])


def test_axe_finds_nothing_in_light_and_dark(page: Page, pages: dict[str, str]):
    site = pages["home"].rstrip("/")
    bad = []
    for address in addresses(pages):
        page.goto(site + address)
        for scheme in ("dark",) if address in READ else ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colour halfway to another
            bad += [f"{address} ({scheme}): {fault}" for fault in faults(page)]
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.get_by_role("main")).to_have_count(1)
    assert not bad, "\n".join(bad)
    assert page.context.cookies() == []


def test_from_right_to_left_too(page: Page, pages: dict[str, str]):
    site = pages["home"].rstrip("/")
    bad = []
    for address in ("/?place=Vienna", urlsplit(pages["coop"]).path, urlsplit(pages["lot"]).path, CHECK, "/rules"):
        page.goto(f"{site}{address}{'&' if '?' in address else '?'}lang=ar")
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).direction") == "rtl"
        bad += [f"{address}: {fault}" for fault in faults(page)]
    assert not bad, "\n".join(bad)


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
