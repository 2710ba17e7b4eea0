"""A buyer with scripts: the keyboard alone is enough, what was exchanged is spoken, and axe finds nothing in the dark either."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.looking import NARROW, findings

pytestmark = pytest.mark.browser
FOCUSED = """() => { const e = document.activeElement;
  return `${e.labels?.[0]?.textContent ?? ''} ${e.getAttribute('aria-label') ?? ''} ${e.textContent}`.replace(/\\s+/g, ' '); }"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A buyer's phone."""
    context = browser.new_context(viewport=NARROW, locale="en-GB", bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


def tab_to(page: Page, words: str) -> None:
    """Press Tab until what has the focus says these words."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if words in page.evaluate(FOCUSED):
            return
    raise AssertionError(f"no Tab leads to {words!r} on {page.url}")


def test_the_keyboard_alone_leads_from_the_front_page_to_the_checkout(page: Page, pages: dict[str, str]):
    page.goto(pages["home"])
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys of this page")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("goods")
    page.keyboard.press("Enter")
    page.wait_for_url("**/shop?*")
    tab_to(page, "Goods 24")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Goods 24")
    tab_to(page, "Quantity in")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("3")
    tab_to(page, "Into the basket")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your basket")
    tab_to(page, "To checkout")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Checkout")


def test_what_is_exchanged_is_spoken_and_the_focus_stays(page: Page, pages: dict[str, str]):
    page.goto(pages["shop"])
    page.get_by_label("What are you looking for?").press_sequentially("zzzz")
    expect(page.get_by_text("Nothing found").first).to_be_visible()
    expect(page.locator("#say")).to_have_text("Nothing found")
    expect(page.get_by_label("What are you looking for?")).to_be_focused()
    assert page.url.endswith("?q=zzzz")
    page.go_back()
    expect(page.get_by_role("link", name="Goods 24")).to_be_visible()
    page.goto(pages["listing"])
    page.get_by_label(re.compile("^Quantity")).fill("4")
    page.get_by_role("button", name="Price of this quantity").click()
    expect(page.get_by_role("heading", name=re.compile("for 4 kg"))).to_be_visible()


def test_what_was_typed_survives_leaving_the_checkout(page: Page, pages: dict[str, str]):
    page.goto(pages["listing"])
    page.get_by_role("button", name="Into the basket").click()
    page.get_by_role("link", name="To checkout").click()
    page.get_by_label("Street").fill("Lindenweg")
    page.goto(pages["shop"])
    page.go_back()
    page.reload()
    expect(page.get_by_label("Street")).to_have_value("Lindenweg")


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "ar")])
def test_axe_finds_nothing_with_scripts(page: Page, pages: dict[str, str], scheme: str, language: str):
    page.goto(pages["listing"])
    page.get_by_role("button", name="Into the basket").click()
    here = page.url.rsplit("/", 1)[0]
    for address in (pages["home"], pages["shop"], pages["listing"], f"{here}/basket", f"{here}/checkout", f"{here}/style"):
        page.goto(f"{address}?lang={language}")
        assert not findings(page, scheme, again=False), address
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], address
