"""The whole main job through pages alone, without JavaScript: producer, buyer, preparer and approver, each in a browser.

Whatever page they come by is looked at: accessible at both widths, labelled, not wider than a phone.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from market.simulators.bank.account import AccountState, Habits, read_orders, simulate
from tests.journeys.looking import NARROW, WIDE, Looker, open_menu
from tests.journeys.site import IBAN, PASSWORD, PATIENCE_S, TODAY, Site

pytestmark = pytest.mark.browser
OPENING = 2_000_000


@contextmanager
def person(browser: Browser, site: Site, role: str | None, size: dict[str, int]) -> Iterator[Page]:
    """A person's browser without JavaScript, signed in unless a guest."""
    context = browser.new_context(
        base_url=site.url, viewport=size, java_script_enabled=False, locale="en-GB", accept_downloads=True
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
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


def menu(page: Page, area: str, *links: str) -> None:
    """Go where a menu leads, as a person does: into the area, its group, its page, which is marked then."""
    open_menu(page)
    page.get_by_role("navigation", name="Main").get_by_role("link", name=area, exact=True).click()
    for link in links:
        page.get_by_role("navigation", name=area).get_by_role("link", name=link, exact=True).click()
    marked = page.get_by_role("navigation", name=area).locator("[aria-current=page]")
    expect(marked).to_have_text(links[-1])


def until(page: Page, seen: Callable[[], bool]) -> None:
    """Load the page again until a worker has done its part."""
    end = time.monotonic() + PATIENCE_S
    while not seen():
        assert time.monotonic() < end, f"{page.url} never showed it:\n{page.get_by_role('main').inner_text()}"
        page.wait_for_timeout(250)
        page.reload()


def test_the_main_job_through_pages(browser: Browser, site: Site, looker: Looker, tmp_path: Path):
    with (
        person(browser, site, "producer", NARROW) as rosa,
        person(browser, site, None, WIDE) as ana,
        person(browser, site, "preparer", WIDE) as preparer,
        person(browser, site, "approver", WIDE) as approver,
    ):
        a_lot_is_recorded(rosa, looker)
        a_listing_below_the_floor_is_refused_and_a_fair_one_published(rosa, looker)
        a_guest_orders_and_pays_by_card(ana, looker)
        the_producer_sends_it(rosa, looker)
        the_buyer_confirms(ana, looker)
        run = a_run_is_prepared(preparer, looker)
        pain = a_second_person_approves(approver, run, looker)
        statement = tmp_path / "statement.xml"
        the_bank_carries_it_out(pain, statement)
        the_bank_account_is_registered(approver, looker)
        the_statement_is_worked_off(approver, statement, looker)
        the_producer_sees_the_money(rosa, looker)


def a_lot_is_recorded(rosa: Page, looker: Looker) -> None:
    menu(rosa, "My work", "My lots")
    looker.look(rosa, "Your lots", "producer-lots-empty")
    rosa.get_by_role("link", name="New harvest or batch").first.click()
    rosa.get_by_label("What it is").fill("Caturra, washed")
    rosa.get_by_label("How much").fill("400")
    rosa.get_by_label("Name of a new place").fill("El Mirador")
    looker.look(rosa, "New harvest", "producer-lot-new")
    rosa.get_by_role("button", name="Record").click()
    expect(rosa.get_by_role("heading", name="Caturra, washed")).to_be_visible()
    looker.look(rosa, "Caturra, washed", "producer-lot")


def a_listing_below_the_floor_is_refused_and_a_fair_one_published(rosa: Page, looker: Looker) -> None:
    rosa.get_by_role("link", name="Sell from this lot").click()
    rosa.get_by_label("What it is").select_option(label="Arabica, washed (conventional)")
    rosa.get_by_label("Title").fill("Caturra from El Mirador")
    rosa.get_by_label("Your price for one unit").fill("1.50")
    rosa.get_by_label("Unit", exact=True).select_option("lb")
    rosa.get_by_label("Fairtrade").check()
    rosa.get_by_label("Where the buyer takes over").select_option("FOB")
    rosa.get_by_role("button", name="Put into the shop").click()
    expect(rosa.get_by_text("The lowest price that passes is €1.80 per lb.").first).to_be_visible()
    expect(rosa.get_by_role("region", name="The price, checked")).to_contain_text("R-01")
    expect(rosa.get_by_label("Title")).to_have_value("Caturra from El Mirador")
    looker.look(rosa, "New listing", "producer-listing-refused")
    rosa.get_by_label("Your price for one unit").fill("2.40")
    rosa.get_by_role("button", name="Check the price").click()
    expect(rosa.get_by_text("Who would get what")).to_be_visible()
    looker.look(rosa, "New listing", "producer-listing-checked")
    rosa.get_by_role("button", name="Put into the shop").click()
    expect(rosa.get_by_text("It is in the shop.")).to_be_visible()
    looker.look(rosa, "Caturra from El Mirador", "producer-listing")
    menu(rosa, "My work", "My listings")
    looker.look(rosa, "Your listings", "producer-listings")


def a_guest_orders_and_pays_by_card(ana: Page, looker: Looker) -> None:
    ana.goto("/")
    looker.look(ana, "Fairly traded", "home")
    ana.get_by_label("What are you looking for?").fill("caturra")
    ana.get_by_role("main").get_by_role("button", name="Search").click()
    looker.look(ana, "Shop", "shop")
    ana.get_by_role("link", name="Caturra from El Mirador").click()
    expect(ana.get_by_role("heading", name=re.compile("Who gets what"))).to_be_visible()
    looker.look(ana, "Caturra from El Mirador", "listing")
    listing = ana.url
    ana.get_by_role("link", name="Caturra, washed").click()
    looker.look(ana, "Caturra, washed", "lot")
    ana.goto(listing)
    ana.get_by_label(re.compile("^Quantity")).fill("10")
    ana.get_by_role("button", name="Into the basket").click()
    looker.look(ana, "Your basket", "basket")
    ana.get_by_role("link", name="To checkout").click()
    ana.get_by_label("Name").fill("Ana Weber")
    ana.get_by_label("E-mail").fill("ana@buyers.example")
    ana.get_by_label("Street").fill("Lindenweg")
    ana.get_by_label("House number").fill("7")
    ana.get_by_label("Postcode").fill("10115")
    ana.get_by_label("Town").fill("Berlin")
    ana.get_by_label("Country").select_option("DE")
    looker.look(ana, "Checkout", "checkout")
    ana.get_by_role("button", name=re.compile("^Order and pay")).click()
    looker.look(ana, "You pay", "card-page")
    ana.get_by_role("button", name=re.compile("Card that works")).click()
    expect(ana.get_by_text("Paid. Thank you!")).to_be_visible()
    looker.look(ana, "Order 1", "order-paid")


def the_producer_sends_it(rosa: Page, looker: Looker) -> None:
    menu(rosa, "My work", "Orders to send")
    looker.look(rosa, "Orders to send", "producer-orders")
    rosa.get_by_role("main").get_by_role("table").get_by_role("link").first.click()
    expect(rosa.get_by_text("Lindenweg 7")).to_be_visible()
    looker.look(rosa, "Packing note", "producer-packing")
    rosa.get_by_label("Tracking number").fill("TR0001")
    rosa.get_by_role("button", name="I have sent it").click()
    expect(rosa.get_by_text("on its way").first).to_be_visible()


def the_buyer_confirms(ana: Page, looker: Looker) -> None:
    ana.reload()
    expect(ana.get_by_text("TR0001")).to_be_visible()
    ana.get_by_role("button", name="It has arrived").click()
    until(ana, lambda: ana.get_by_text("arrived, producer credited").count() > 0)
    looker.look(ana, "Order 1", "order-arrived")


def a_run_is_prepared(preparer: Page, looker: Looker) -> str:
    menu(preparer, "Staff desk", "Paying out", "Payouts")
    preparer.get_by_label("Everything due by").fill((TODAY + timedelta(days=30)).isoformat())
    preparer.get_by_role("button", name="Preview").click()
    looker.look(preparer, "Payouts", "console-payouts")
    preparer.get_by_role("button", name="Prepare this run").click()
    expect(preparer.get_by_text("another person must approve it")).to_be_visible()
    expect(preparer.get_by_role("link", name="Check and approve")).to_have_count(0)
    looker.look(preparer, "Payout run", "console-run-prepared")
    return preparer.url


def a_second_person_approves(approver: Page, run: str, looker: Looker) -> bytes:
    menu(approver, "Staff desk", "Today")
    looker.look(approver, "Today", "console-today")
    menu(approver, "Staff desk", "Paying out", "Payouts")
    approver.get_by_role("link", name=re.compile("^RUN-")).first.click()
    assert approver.url == run
    approver.get_by_role("link", name="Check and approve").click()
    looker.look(approver, "Approve RUN-", "console-run-approve")
    expect(approver.get_by_text("This cannot be taken back.")).to_be_visible()
    approver.get_by_role("button", name="Approve this list").click()
    file = approver.get_by_role("link", name=re.compile(r"\.xml$"))
    until(approver, lambda: file.count() > 0)
    with approver.expect_download() as download:
        file.click()
    approver.get_by_text("I gave this file to the bank").click()
    approver.get_by_role("button", name="Yes, the bank has it").click()
    expect(approver.get_by_text("Given to the bank")).to_be_visible()
    looker.look(approver, "Payout run", "console-run-sent")
    return Path(download.value.path()).read_bytes()


def the_bank_carries_it_out(pain: bytes, statement: Path) -> None:
    orders = read_orders(pain)
    assert [order.name for order in orders] == ["Rosa Huaman"]
    assert sum(order.amount_minor for order in orders) == 2400
    account = AccountState(IBAN, "EUR", "Cooperativa Alto Mayo", OPENING)
    content, _ = simulate(account, orders, on=TODAY, incoming=[], habits=Habits(returns=0, unknown_minor=0, late_every=9))
    statement.write_bytes(content)


def the_bank_account_is_registered(approver: Page, looker: Looker) -> None:
    menu(approver, "Staff desk", "Bank and books", "Bank statements")
    approver.get_by_role("link", name="Register an account").click()
    approver.get_by_label("Name among your staff").fill("Main account")
    approver.get_by_label("IBAN").fill(IBAN)
    approver.get_by_label("In our books from").fill((TODAY - timedelta(days=30)).isoformat())
    approver.get_by_label("Balance on the evening before").fill("20000.00")
    looker.look(approver, "Register a bank account", "console-account-new")
    approver.get_by_role("button", name="Register").click()
    expect(approver.get_by_role("heading", name="Main account")).to_be_visible()


def the_statement_is_worked_off(staff: Page, statement: Path, looker: Looker) -> None:
    menu(staff, "Staff desk", "Bank and books", "Bank statements")
    staff.get_by_role("link", name="Main account").click()
    staff.get_by_label(re.compile("^File of the bank")).set_input_files(statement)
    staff.get_by_role("button", name="Import").click()
    looker.look(staff, "statement.xml", "console-file")
    staff.get_by_role("link", name="To the account").click()
    looker.look(staff, "Main account", "console-statements")
    to_explain = staff.get_by_role("link", name=re.compile("^Look"))
    for _ in range(to_explain.count()):  # charges that a person books need somebody who approves
        to_explain.first.click()
        looker.look(staff, "€", "console-line")
        staff.get_by_label("What it is").select_option(label="bank charges")
        staff.get_by_label("Reason", exact=True).fill("charges of the bank for our file")
        staff.get_by_role("button", name="Book", exact=True).click()
        staff.get_by_role("navigation", name="Where you are").get_by_role("link", name="Main account").click()
    expect(staff.get_by_text("0 lines")).to_be_visible()
    expect(staff.get_by_text("€19,975.85")).to_have_count(2)


def the_producer_sees_the_money(rosa: Page, looker: Looker) -> None:
    menu(rosa, "My work", "My money")
    expect(rosa.get_by_text("€24.00").first).to_be_visible()
    expect(rosa.get_by_text("settled").first).to_be_visible()
    looker.look(rosa, "Your money", "producer-money")
