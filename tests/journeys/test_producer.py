"""A producer on a phone: without signal nothing is lost or doubled, the keyboard is enough, every page can be read by everybody."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.journeys.looking import NARROW, findings, open_menu
from tests.journeys.site import PASSWORD, Site

pytestmark = pytest.mark.browser
SCREENS = Path(__file__).parents[2] / "var" / "test" / "screens"
NEW = "/producer/listings/new"


@contextmanager
def phone(browser: Browser, site: Site, role: str | None = "producer", **options) -> Iterator[Page]:
    """A phone with scripts, signed in as somebody."""
    context = browser.new_context(base_url=site.url, viewport=NARROW, locale="en-GB", **options)
    page = context.new_page()
    page.set_default_timeout(15_000)
    if role is not None:
        page.goto("/sign-in")
        page.get_by_label("E-mail").fill(site.emails[role])
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
    try:
        yield page
    except Exception as error:
        error.add_note(f"{role or 'guest'} was at {page.url}:\n{page.locator('body').inner_text()}")
        raise
    finally:
        context.close()


def record_lot(page: Page, name: str) -> None:
    page.goto("/producer/lots/new")
    page.get_by_label("What it is").fill(name)
    page.get_by_label("How much").fill("400")
    places = page.get_by_label("Place", exact=True)
    if not places.count():  # the first one is chosen
        page.get_by_label("Name of a new place").fill("El Mirador")
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def fill_in(page: Page, title: str, price: str = "2.40") -> None:
    page.get_by_label("Lot", exact=True).select_option(index=1)
    page.get_by_label("What it is").select_option(label="Arabica, washed (conventional)")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Unit", exact=True).select_option("lb")
    page.get_by_label("Where the buyer takes over").select_option("FOB")
    page.get_by_label("Fairtrade").check()
    page.get_by_label("Your price for one unit").fill(price)


def listings(page: Page, title: str) -> Locator:
    page.goto("/producer/listings")
    expect(page.get_by_role("heading", level=1, name="Your listings")).to_be_visible()
    return page.get_by_role("main").get_by_role("link", name=title, exact=True)


def test_the_helper_judges_the_price_while_it_is_typed(browser: Browser, site: Site):
    with phone(browser, site) as page:
        record_lot(page, "Typica")
        page.goto(NEW)
        fill_in(page, "", "1.50")
        helper = page.locator("#price-helper")
        expect(helper).to_contain_text("The price is too low.")
        expect(helper).to_contain_text("€1.80 per lb")
        page.get_by_label("Your price for one unit").fill("2,40")
        expect(helper).to_contain_text("The price holds.")
        expect(helper).to_contain_text("you get €2.40")
        expect(page.get_by_label("Your price for one unit")).to_be_focused()
        page.screenshot(path=SCREENS / "producer-helper-360.png", full_page=True)


def test_a_form_without_signal_is_kept_and_sent_once(browser: Browser, site: Site):
    with phone(browser, site) as page:
        record_lot(page, "Bourbon")
        page.goto("/producer")
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.goto("/producer")
        page.goto(NEW)
        fill_in(page, "Bourbon without signal")
        page.context.set_offline(True)
        page.get_by_role("button", name="Put into the shop").click()
        waiting = page.get_by_role("region", name="Waiting to be sent")
        expect(waiting).to_contain_text("Bourbon without signal")
        expect(waiting).to_contain_text("There is no connection now.")
        page.screenshot(path=SCREENS / "producer-waiting-360.png", full_page=True)
        page.goto("/producer")  # as it was last seen
        expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")
        expect(page.get_by_role("region", name="Waiting to be sent")).to_contain_text("Bourbon without signal")
        page.context.set_offline(False)
        page.evaluate("dispatchEvent(new Event('online'))")
        expect(page.get_by_role("region", name="Sent")).to_contain_text("Bourbon without signal")
        page.get_by_role("link", name=re.compile("^Look at it")).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Bourbon without signal")
        expect(listings(page, "Bourbon without signal")).to_have_count(1)


def test_an_answer_lost_on_the_way_doubles_nothing(browser: Browser, site: Site):
    with phone(browser, site, service_workers="block") as page:
        record_lot(page, "Gesha")
        page.goto(NEW)
        fill_in(page, "Gesha twice")

        def lose(route: Route) -> None:
            if route.request.method != "POST" or "X-Sent-Later".lower() not in route.request.headers:
                return route.fallback()
            assert route.fetch().status == 204  # the server has done it
            return route.abort("connectionreset")

        page.route(f"**{NEW}", lose)
        page.get_by_role("button", name="Put into the shop").click()
        waiting = page.get_by_role("region", name="Waiting to be sent")
        expect(waiting).to_contain_text("Gesha twice")
        page.unroute(f"**{NEW}")
        waiting.get_by_role("button", name=re.compile("^Send now")).click()
        expect(page.get_by_role("region", name="Sent")).to_contain_text("Gesha twice")
        expect(listings(page, "Gesha twice")).to_have_count(1)


def test_what_the_server_refused_is_corrected_or_discarded(browser: Browser, site: Site):
    with phone(browser, site, service_workers="block") as page:
        record_lot(page, "Java")
        page.goto(NEW)
        fill_in(page, "Java too cheap", "1.50")
        page.context.set_offline(True)
        page.get_by_role("button", name="Put into the shop").click()
        waiting = page.get_by_role("region", name="Waiting to be sent")
        expect(waiting).to_contain_text("Java too cheap")
        page.context.set_offline(False)
        waiting.get_by_role("button", name=re.compile("^Send now")).click()
        expect(waiting).to_contain_text("Not taken:")
        title, correct = page.get_by_label("Title"), waiting.get_by_role("link", name=re.compile("^Correct"))
        expect(title).to_have_value("")
        correct.click()  # on the page itself
        expect(title).to_have_value("Java too cheap")
        title.fill("Java, changed")
        correct.click()
        expect(title).to_have_value("Java too cheap")
        page.goto("/producer")  # the form that is filled in again is a new one, not the one that was left
        correct.click()
        expect(title).to_have_value("Java too cheap")
        page.get_by_label("Your price for one unit").fill("2.40")
        page.get_by_role("button", name="Put into the shop").click()
        expect(page.get_by_text("It is in the shop.")).to_be_visible()
        expect(page.get_by_role("region", name="Waiting to be sent")).to_have_count(0)
        expect(listings(page, "Java too cheap")).to_have_count(1)


def test_a_form_that_is_sent_is_not_looked_at_again(browser: Browser, site: Site):
    """The answer to that would take the message from whoever sent the form."""
    with phone(browser, site, service_workers="block") as page:
        record_lot(page, "Java")
        page.clock.install()
        page.goto(NEW)
        page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 60)
        fill_in(page, "Java in time")
        held: list[Route] = []
        page.route(f"**{NEW}", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
        with page.expect_request(lambda request: request.method == "POST"):
            page.get_by_role("button", name="Put into the shop").click()
        page.clock.run_for(1000)
        (sent,) = held
        sent.continue_()
        expect(page.get_by_text("It is in the shop.")).to_be_visible()


def test_pages_kept_on_the_phone_go_with_their_owner(browser: Browser, site: Site):
    with phone(browser, site) as page:
        page.goto("/producer")
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.goto("/producer/money")
        kept = "caches.has('pages-1')"
        page.wait_for_function(kept)
        open_menu(page)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("navigation", name="My work")).to_have_count(0)
        open_menu(page)
        expect(page.get_by_role("link", name="Sign in")).to_be_visible()
        assert page.evaluate(kept) is False
        page.context.set_offline(True)
        with pytest.raises(Exception, match="ERR_"):
            page.goto("/producer/money")


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until `wanted` has the focus."""
    for _ in range(120):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {wanted} by keyboard")


def test_the_keyboard_is_enough(browser: Browser, site: Site):
    with phone(browser, site) as page:
        record_lot(page, "Maragogipe")
        page.goto("/producer")
        tab_to(page, page.get_by_role("link", name="Offer something"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name="New listing")).to_be_visible()
        typed = (
            ("Lot", "Maragogipe"), ("What it is", "Arabica"), ("Title", "By keyboard alone"), ("Your price for one unit", "2.40"),
            ("Unit", "lb"),
        )  # fmt: skip
        for label, words in typed:
            tab_to(page, page.get_by_label(label, exact=True))
            page.keyboard.type(words)
        tab_to(page, page.get_by_role("button", name="Put into the shop"))
        page.keyboard.press("Enter")
        expect(page.get_by_text("It is in the shop.")).to_be_visible()


PAGES = ("/producer", NEW, "/producer/listings", "/producer/lots", "/producer/lots/new", "/producer/orders", "/producer/money",
         "/producer/details")  # fmt: skip


def test_every_page_can_be_read_with_scripts(browser: Browser, site: Site):
    faults = []
    with phone(browser, site, color_scheme="dark", bypass_csp=True, service_workers="block") as page:
        for path in PAGES:
            page.goto(f"{path}?lang=ar")
            faults += [f"{path} {fault}" for fault in findings(page, "dark", again=False)]
            width = page.evaluate("document.documentElement.scrollWidth")
            faults += [f"{path} is {width} pixels wide"] if width > NARROW["width"] else []
    assert not faults, "\n".join(faults)
