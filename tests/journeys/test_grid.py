"""Everybody's own errand on a phone and at a desk, with scripts and without: each cell of that grid is walked by some test.

Here are the cells that no longer journey has: `ELSEWHERE` says which those are. Each walk stands alone, so that they may run
in any order, and whoever has an account signs in once.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.looking import NARROW, WIDE
from tests.journeys.site import PASSWORD, Site

pytestmark = pytest.mark.browser
SIZES = {"phone": NARROW, "desk": WIDE}
SCRIPTS = {"scripts": True, "bare": False}
ELSEWHERE = {
    ("guest", "desk", "bare"): "test_browser: the main job",
    ("producer", "phone", "bare"): "test_browser: the main job",
    ("producer", "phone", "scripts"): "test_producer",
    ("staff", "desk", "bare"): "test_browser: the main job, preparer and approver",
    ("staff", "desk", "scripts"): "test_desk, preparer and approver",
    ("administrator", "desk", "scripts"): "test_everybody: by keyboard alone",
    ("citizen", "phone", "scripts"): "test_citizen: by keyboard",
}


class People:
    """Opens browsers of people in one cell of the grid; who signed in before, in whichever cell, is known."""

    def __init__(self, browser: Browser, site: Site, states: dict[str, Any]) -> None:
        self._browser, self._site, self._states = browser, site, states
        self.lot, self.options = site.lot, {}

    @contextmanager
    def as_(self, name: str | None) -> Iterator[Page]:
        """Open the browser of somebody; None is whoever has no account."""
        state = self._states.get(name)
        context = self._browser.new_context(base_url=self._site.url, locale="en-GB", storage_state=state, **self.options)
        page = context.new_page()
        page.set_default_timeout(20_000)
        if name and state is None:
            page.goto("/sign-in")
            page.get_by_label("E-mail").fill(self._site.emails[name])
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("main").get_by_role("button", name="Sign in").click()
            page.wait_for_url(lambda url: "/sign-in" not in url)
            self._states[name] = context.storage_state()
        try:
            yield page
        except Exception as error:
            error.add_note(f"{name or 'guest'} was at {page.url}:\n{page.locator('body').inner_text()}")
            raise
        finally:
            context.close()


@pytest.fixture(scope="session")
def states() -> dict[str, Any]:
    """Cookies of those who signed in."""
    return {}


def heading(page: Page, words: str) -> None:
    """Wait for the page with that main heading, which is never wider than the screen."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def to_the_checkout(page: Page) -> None:
    """Find the cocoa, take two of it, and go to the checkout."""
    page.goto("/shop?q=nibs")
    page.get_by_role("link", name="Nibs from the ridge").click()
    heading(page, "Nibs from the ridge")
    page.get_by_label(re.compile("^Quantity")).fill("2")
    page.get_by_role("button", name="Into the basket").click()
    heading(page, "Your basket")
    page.get_by_role("link", name="To checkout").click()
    heading(page, "Checkout")
    typed = {"Name": "Ana Weber", "Street": "Lindenweg", "Postcode": "10115", "Town": "Berlin"}
    for label, words in typed.items():
        page.get_by_label(label, exact=True).fill(words)
    page.get_by_label("Country").select_option("DE")


def a_guest(people: People) -> None:
    """Is declined, pays in a second step, says what is wrong, and orders it again."""
    with people.as_(None) as page:
        to_the_checkout(page)
        page.get_by_label("E-mail").fill("ana@buyers.example")
        page.get_by_role("button", name=re.compile("^Order and pay")).click()
        page.get_by_role("button", name=re.compile("is declined")).click()
        expect(page.get_by_text("Your card was declined.")).to_be_visible()
        page.get_by_role("button", name=re.compile("second step")).click()
        page.get_by_role("button", name=re.compile("^Yes")).click()
        expect(page.get_by_text("Paid. Thank you!")).to_be_visible()
        heading(page, "Order")
        page.locator("summary", has_text="Something is wrong").click()
        page.get_by_label("What is wrong?").fill("The bag is torn.")
        page.get_by_role("button", name="Send to the co-op").click()
        expect(page.locator(".said", has_text="The bag is torn.")).to_be_visible()
        page.get_by_role("button", name="Order this again").click()
        heading(page, "Your basket")
        expect(page.get_by_role("link", name="Nibs from the ridge")).to_be_visible()


def a_member(people: People) -> None:
    """Follows a co-op, orders by bank transfer, and finds the order among the own ones."""
    with people.as_("member") as page:
        page.goto("/coops/alto-mayo")
        follow = page.locator("#follow button")
        follow.click()
        expect(page.get_by_role("button", name="You follow it: stop")).to_be_visible()
        follow.click()
        expect(page.get_by_role("button", name="Follow", exact=True)).to_be_visible()
        to_the_checkout(page)
        page.get_by_role("radio", name="Bank transfer").check()
        page.get_by_role("button", name=re.compile("^Order")).click()
        expect(page.get_by_role("heading", name="Please transfer")).to_be_visible()
        number = page.get_by_role("heading", level=1).inner_text()
        page.goto("/account/orders")
        heading(page, "orders")
        page.get_by_role("link", name=re.compile(number.split()[-1])).first.click()
        heading(page, number)
        page.get_by_role("button", name="Cancel this order").click()
        expect(page.get_by_text("This order was cancelled.")).to_be_visible()


def harvest(page: Page, name: str) -> None:
    """Record a lot of the own place."""
    page.goto("/producer/lots/new")
    page.get_by_label("What it is").fill(name)
    page.get_by_label("How much").fill("40")
    if not page.get_by_label("Place", exact=True).count():
        page.get_by_label("Name of a new place").fill("La Loma")
    page.get_by_role("button", name="Record").click()
    heading(page, name)


def a_producer(people: People) -> None:
    """Records a harvest, is told the least price, offers it at a fair one, and looks for the money."""
    with people.as_("pedro") as page:
        page.goto("/producer")
        heading(page, "Hello")
        harvest(page, "Caturra of the ridge")
        page.get_by_role("link", name="Sell from this lot").click()
        page.get_by_label("What it is").select_option(label="Arabica, washed (conventional)")
        page.get_by_label("Title").fill("Caturra of the ridge")
        page.get_by_label("Unit", exact=True).select_option("lb")
        page.get_by_label("Where the buyer takes over").select_option("FOB")
        page.get_by_label("Fairtrade").check()
        page.get_by_label("Your price for one unit").fill("1.50")
        page.get_by_role("button", name="Put into the shop").click()
        expect(page.get_by_text("The lowest price that passes is €1.80 per lb.").first).to_be_visible()
        page.get_by_label("Your price for one unit").fill("2.40")
        page.get_by_role("button", name="Put into the shop").click()
        expect(page.get_by_text("It is in the shop.")).to_be_visible()
        page.goto("/producer/money")
        heading(page, "Your money")


def a_field_officer(people: People) -> None:
    """Works for a member without a phone: the harvest stands in the member's name, and the officer's own desk comes back."""
    with people.as_("preparer") as page:
        page.goto("/field")
        heading(page, "Work for a member")
        page.get_by_role("button", name="Work for Pedro Quispe").click()
        expect(page.get_by_text("You work for Pedro Quispe.")).to_be_visible()
        harvest(page, "Typica by the officer")
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_text("You no longer work for Pedro Quispe.")).to_be_visible()


def staff(people: People) -> None:
    """A preparer proposes an advance; an approver finds it on the first page, and declines it."""
    with people.as_("preparer") as preparer, people.as_("approver") as approver:
        preparer.goto("/console")
        heading(preparer, "Today")
        preparer.goto("/console/earnings/advances")
        preparer.locator("summary", has_text="Propose an advance").click()
        preparer.get_by_label("Member", exact=True).select_option(label="Pedro Quispe")
        preparer.get_by_label("Amount").first.fill("50")
        preparer.get_by_label("For what").fill("seed of the next season")
        preparer.get_by_role("button", name="Propose").click()
        expect(preparer.get_by_text("Proposed. Another person grants it.")).to_be_visible()
        approver.goto("/console")
        heading(approver, "Today")
        approver.goto("/console/earnings/advances?state=proposed")
        approver.get_by_role("button", name="Decline").first.click()
        expect(approver.get_by_role("button", name="Decline")).to_have_count(0)


def an_administrator(people: People) -> None:
    """Opens a co-op, which stands in the list then."""
    with people.as_("admin") as page:
        page.goto("/admin")
        heading(page, "All co-ops")
        before = page.get_by_role("row").count()
        page.get_by_role("link", name="Open a co-op").first.click()
        heading(page, "Open a co-op")
        page.get_by_label("Country").select_option(label="Ecuador")
        typed = {
            "Name": f"Union {before}", "Currency of its books": "USD", "Service": "8", "Payment cost": "2", "Tax": "0", "Transport per order line": "3,20",
            "Days that goods are kept": "7", "Days that a part payment": "14", "Charges and write-offs": "10",
        }  # fmt: skip
        for label, words in typed.items():
            page.get_by_label(re.compile(f"^{label}")).first.fill(words)
        page.get_by_role("button", name="Open the co-op").click()
        expect(page.get_by_text("The co-op is open.")).to_be_visible()
        page.goto("/admin")
        expect(page.get_by_role("row")).to_have_count(before + 1)


def a_citizen(people: People) -> None:
    """Checks a price, reads the rules, finds a lot by its code and who is behind it: without an account, without a cookie."""
    with people.as_(None) as page:
        page.goto("/price-check")
        page.get_by_label("Product").fill("coffee")
        page.get_by_label("Variety").fill("arabica")
        page.get_by_label("Form").fill("washed green")
        page.get_by_label("Where the buyer takes over").select_option("FOB")
        page.get_by_label("Price per unit").fill("1.50")
        page.get_by_label("Currency").fill("EUR")
        page.get_by_label("Unit", exact=True).select_option("lb")
        page.get_by_label("Fairtrade").check()
        page.get_by_role("button", name="Check", exact=True).click()
        expect(page.get_by_role("region", name="Result")).to_contain_text("1.80")
        page.goto("/rules")
        heading(page, "rules")
        page.goto("/lots")
        page.get_by_label("Code on the label").fill(people.lot)
        page.get_by_role("button", name="Show the lot").click()
        expect(page.get_by_role("heading", name="Journey")).to_be_visible()
        page.goto("/coops/alto-mayo")
        page.get_by_role("link", name="Who is behind it").click()
        heading(page, "Cooperativa Alto Mayo")
        assert page.context.cookies() == []


ERRANDS: dict[str, Callable[[People], None]] = {
    "guest": a_guest,
    "buyer": a_member,
    "producer": a_producer,
    "field officer": a_field_officer,
    "staff": staff,
    "administrator": an_administrator,
    "citizen": a_citizen,
}
HERE = [cell for cell in itertools.product(ERRANDS, SIZES, SCRIPTS) if cell not in ELSEWHERE]


@pytest.mark.parametrize(("who", "size", "script"), HERE)
def test_everybody_does_their_errand(browser: Browser, site: Site, states: dict[str, Any], who: str, size: str, script: str):
    people = People(browser, site, states)
    people.options = {"viewport": SIZES[size], "java_script_enabled": SCRIPTS[script]}
    ERRANDS[who](people)
