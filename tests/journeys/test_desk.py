"""The staff desk by keyboard alone, with the script: a preparer works off lines, takes one back, proposes one; an approver books it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.factories.statements import line, make_file
from tests.journeys.looking import WIDE, findings
from tests.journeys.site import PASSWORD, TODAY, Site

pytestmark = pytest.mark.browser
IBAN = "DE02120300000000202051"


@contextmanager
def at_the_desk(browser: Browser, site: Site, role: str, **options) -> Iterator[Page]:
    """A person of the staff with scripts, signed in."""
    context = browser.new_context(base_url=site.url, viewport=WIDE, locale="en-GB", bypass_csp=True, **options)
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(site.emails[role])
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    try:
        yield page
    except Exception as error:
        error.add_note(f"{role} was at {page.url}:\n{page.get_by_role('main').inner_text()}")
        raise
    finally:
        context.close()


def test_a_preparer_and_an_approver_work_by_keyboard_alone(browser: Browser, site: Site, tmp_path: Path):
    with at_the_desk(browser, site, "approver") as approver, at_the_desk(browser, site, "preparer") as preparer:
        an_account_with_three_lines(approver, tmp_path)
        keys = preparer.keyboard
        preparer.goto("/console/matching")
        keys.press("?")
        dialog = preparer.get_by_role("dialog", name=re.compile("Keys"))
        expect(dialog).to_contain_text("next and previous row")
        assert not findings(preparer)
        keys.press("Escape")
        expect(dialog).to_have_count(0)
        keys.press("j")
        expect(preparer.get_by_role("link", name="Bank of the Valley")).to_be_focused()
        keys.press("Enter")
        expect(preparer.get_by_role("heading", level=2)).to_contain_text("-€3.50")
        book(preparer, "bank charges", "charges of November")
        expect(preparer.get_by_role("heading", level=2)).to_contain_text("-€25.00")  # the next line is open
        keys.press("u")
        expect(preparer.get_by_role("heading", level=2)).to_contain_text("-€3.50")  # taken back, and open again
        book(preparer, "bank charges", "charges of November")
        expect(preparer.get_by_role("heading", level=2)).to_contain_text("-€25.00")
        book(preparer, "write-off", "nobody knows what it was")
        expect(preparer.locator("#said")).to_contain_text("Proposed.")
        approver.goto("/console?kind=booking_proposed")
        approver.keyboard.press("j")
        expect(approver.locator("[data-rows] :focus")).to_be_visible()
        approver.keyboard.press("Enter")
        expect(approver.get_by_role("heading", level=2)).to_contain_text("-€25.00")
        approver.keyboard.press("a")
        expect(approver.locator("#said")).to_contain_text("Booked.")
        preparer.goto("/console/matching")
        keys.press("/")
        keys.type("stranger")
        keys.press("Enter")
        preparer.wait_for_url("**q=stranger**")
        keys.press("Escape")  # out of the field: the keys of the page work again
        keys.press("j")
        expect(preparer.locator("[data-rows] :focus")).to_be_visible()
        keys.press("Enter")
        expect(preparer.get_by_role("heading", level=2)).to_contain_text("€70.00")
        keys.press("q")  # the cursor stands in the question
        keys.type("Is this for one of our orders?")
        keys.press("Tab")
        keys.press("Enter")
        expect(preparer.locator("#said")).to_contain_text("Put aside.")
        preparer.goto("/console/matching?show=parked")
        expect(preparer.get_by_role("cell", name="Is this for one of our orders?")).to_be_visible()


def book(page: Page, what: str, why: str) -> None:
    """Open the form for a booking by its key, which puts the cursor into it, fill it in and send it without a pointer."""
    page.keyboard.press("b")
    expect(page.get_by_label("What it is")).to_be_focused()
    page.keyboard.type(what)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(why)
    page.keyboard.press("Enter")


def an_account_with_three_lines(page: Page, folder: Path) -> None:
    """Register a bank account and import three lines that nothing explains."""
    page.goto("/console/statements/accounts/new")
    page.get_by_label("Name among your staff").fill("Second account")
    page.get_by_label("IBAN").fill(IBAN)
    page.get_by_label("In our books from").fill(TODAY.replace(day=1).isoformat())
    page.get_by_label("Balance on the evening before").fill("100.00")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name="Second account")).to_be_visible()
    lines = [
        line(-350, day=TODAY, ref="S1", name="Bank of the Valley", text="charges"),
        line(-2_500, day=TODAY, ref="S2", name="Unknown Shop", text="card payment"),
        line(7_000, day=TODAY, ref="S3", name="Stranger Abroad", text="for coffee"),
    ]
    file = folder / "second.xml"
    file.write_bytes(make_file(SimpleNamespace(iban=IBAN, currency="EUR"), lines, opening=10_000, on=TODAY))
    page.get_by_label(re.compile("^File of the bank")).set_input_files(file)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("heading", name="second.xml")).to_be_visible()
