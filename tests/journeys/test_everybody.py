"""For everybody: an administrator by keyboard alone, the first screen of a phone, and what a screen reader says of a form
that was refused: the name, the role and the error of each field, and a summary that leads to it."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.site import Site
from tests.journeys.test_desk import at_the_desk

pytestmark = pytest.mark.browser
# A form of each role, with what is typed into it beside nothing at all: a page, its button, fields with their words.
FORMS = {
    "buyer": ("/sign-up", "Make an account", {"E-mail": "no address"}),
    "producer": ("/producer/lots/new", "Record", {"How much": "many"}),
    "preparer": ("/console/earnings/advances", "Propose", {"Amount": "fifty"}),
    "approver": ("/console/statements/accounts/new", "Register", {"IBAN": "DE00", "Balance on the evening before": "much"}),
    "admin": ("/admin/coops/new", "Open the co-op", {"Name": "Union", "Transport per order line": "four"}),
}


def guest_or(role: str, browser: Browser, site: Site):
    """Open the browser of a role; a buyer is a guest."""
    return browser.new_context(base_url=site.url) if role == "buyer" else at_the_desk(browser, site, role)


# The first thing of a page's own on a phone: under one row of menu, two where somebody works, and under its path.
FIRST = {
    "buyer": {"/": ".banner", "/shop": "h1", "/coops/alto-mayo": ".cover", "/sign-in": "h1"},
    "producer": {"/producer": "h1", "/producer/orders": "h1"},
    "preparer": {"/console": "h1", "/console/orders": "h1", "/console/matching": "h1"},
}


@pytest.mark.parametrize("role", FIRST)
def test_the_first_screen_of_a_phone_belongs_to_the_page(browser: Browser, site: Site, role: str):
    with guest_or(role, browser, site) as opened:
        page = opened.new_page() if role == "buyer" else opened
        page.set_viewport_size({"width": 360, "height": 640})
        for path, first in FIRST[role].items():
            page.goto(path)
            assert page.locator(".masthead").bounding_box()["height"] <= 64, path
            assert page.locator(f"main {first}").bounding_box()["y"] <= 160, path


def test_the_menu_of_a_phone_opens_by_keyboard_and_without_a_script(browser: Browser, site: Site):
    context = browser.new_context(base_url=site.url, viewport={"width": 360, "height": 640}, java_script_enabled=False)
    page = context.new_page()
    page.goto("/shop")
    main, account = page.get_by_role("navigation", name="Main"), page.get_by_role("navigation", name="Your account")
    expect(main).to_have_count(0)  # neither seen nor spoken
    expect(account.get_by_role("link")).to_have_text("Basket")
    for _turn in range(3):  # to the content, home, and then
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(main.get_by_role("link", name="Co-ops")).to_be_visible()
    expect(account.get_by_role("link", name="Sign in")).to_be_visible()
    page.keyboard.press("Tab")
    expect(main.get_by_role("link", name="Shop")).to_be_focused()
    context.close()


@pytest.mark.parametrize("role", FORMS)
def test_a_refused_form_says_which_field_is_wrong_and_why(browser: Browser, site: Site, role: str):
    path, button, typed = FORMS[role]
    with guest_or(role, browser, site) as opened:
        page = opened.new_page() if role == "buyer" else opened
        page.goto(path)
        page.evaluate("document.querySelectorAll('form').forEach(form => { form.noValidate = true; })")
        page.evaluate("document.querySelectorAll('main details').forEach(folded => { folded.open = true; })")
        for label, words in typed.items():
            labelled(page, label).fill(words)
        page.get_by_role("button", name=button).press("Enter")
        summary = page.locator("#errors")
        expect(summary).to_be_visible()
        expect(summary).to_have_role("alert")
        wrong = page.locator("main [aria-invalid=true]")
        assert wrong.count()
        for field in wrong.all():
            expect(field).to_have_accessible_name(re.compile(r"\w{2}"))
            expect(field).to_have_accessible_description(re.compile(r"\w{3}"))
        for label, words in typed.items():
            expect(labelled(page, label)).to_have_value(words)
        link = summary.get_by_role("link").first
        expect(page.locator(link.get_attribute("href") or "#none")).to_have_attribute("aria-invalid", "true")


def test_an_administrator_opens_a_co_op_by_keyboard_alone(browser: Browser, site: Site):
    with at_the_desk(browser, site, "admin") as page:
        page.goto("/")
        reach(page, "link", "Administration")
        page.keyboard.press("Enter")
        reach(page, "link", "Open a co-op")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Open a co-op")
        typed = {
            "Currency of its books": "USD", "Name": "Union of the Coast", "Country": "Ecuador", "Service": "8", "Payment cost": "2",
            "Tax": "0", "Transport per order line": "3,20", "Days that goods are kept": "7", "Days that a part payment": "14",
            "Charges and write-offs": "10",
        }  # fmt: skip
        for label, words in typed.items():
            reach(page, None, label)
            page.keyboard.type(words)
        page.keyboard.press("Enter")
        expect(page.locator("#said")).to_contain_text("The co-op is open.")
        expect(page.get_by_role("heading", level=1)).to_have_text("Union of the Coast")


def reach(page: Page, role: str | None, name: str) -> None:
    """Press Tab until something with that role and name has the focus."""
    wanted = page.get_by_role(role, name=name).first if role else labelled(page, name)
    for _turn in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"no way to {name} by keyboard")


def labelled(page: Page, label: str):
    """The first field whose label begins so; an optional one says so behind it."""
    return page.get_by_label(re.compile(f"^{label}")).first
