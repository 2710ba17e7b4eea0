"""Pictures of the main pages for `docs/screens/`, on a phone and on a desk, for each role: `make screens`.

Loads the demo into the fresh site beside which it runs; `python -m tests.screens ADDRESS` takes a running demo instead,
which it leaves one order richer.
"""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from market.demo.journey import DEMO, walk
from market.demo.site import Site, email_of
from market.demo.world import ADMIN, COOPS, PASSWORD
from tests.chromium import HOW, find_chromium

FOLDER = Path(__file__).parents[1] / "docs" / "screens"
WIDTHS = {360: 780, 1280: 900}
MOST_BYTES = 300_000
TALLEST = 2400  # pixels: what is below says nothing more about a page

COOP = COOPS[0]
PEOPLE = {
    "producer": email_of(COOP.members[0], COOP.slug),
    "preparer": f"preparer@{COOP.slug}.example",
    "approver": f"approver@{COOP.slug}.example",
    "admin": ADMIN,
}
# Name of the picture -> where a person goes: an address, then links by a part of theirs.
PAGES: dict[str, dict[str, tuple[str, ...]]] = {
    "visitor": {
        "home": ("/",),
        "shop": ("/shop",),
        "listing": ("/shop?q=caturra", "/listings/"),
        "lot": ("/shop?q=caturra", "/listings/", "/lots/"),
        "maker": ("/shop?q=caturra", "/listings/", "/producers/"),
        "coops": ("/coops",),
        "coop": (f"/coops/{COOP.slug}",),
        "behind": (f"/coops/{COOP.slug}/behind",),
        "find-lot": ("/lots",),
        "price-check": (
            "/price-check?product=coffee&variety=arabica&form=washed+green&incoterm=FOB&price=1.20&currency=USD&unit=lb&quantity=1&claims=fairtrade",
        ),
        "floors": ("/co-op-floors",),
        "rules": ("/rules",),
        "figures": ("/figures",),
        "log": ("/log",),
        "questions": ("/questions",),
        "sign-in": ("/sign-in",),
        "sign-up": ("/sign-up",),
        "reset": ("/reset",),
        "confirm": ("/confirm",),
        "style": ("/style",),
    },
    "producer": {
        "home": ("/producer",),
        "orders": ("/producer/orders",),
        "order": ("/producer/orders", "/producer/orders/0"),
        "packing": ("/producer/orders/list",),
        "listings": ("/producer/listings",),
        "listing": ("/producer/listings?", "/producer/listings/0"),
        "new-listing": ("/producer/listings/new",),
        "texts": ("/producer/listings?", "/producer/listings/0", "/texts"),
        "own-texts": ("/producer/texts",),
        "lots": ("/producer/lots",),
        "lot": ("/producer/lots", "/producer/lots/0"),
        "new-lot": ("/producer/lots/new",),
        "lot-from": ("/producer/lots/from",),
        "money": ("/producer/money",),
        "statement": ("/producer/money", "/producer/money/0"),
        "year": ("/producer/money", "/producer/money/years/"),
        "payee-account": ("/producer/money/account",),
        "identity": ("/producer/identity",),
        "details": ("/producer/details",),
        "community": ("/producer/community",),
        "account": ("/account",),
        "own-orders": ("/account/orders",),
        "mail": ("/account/mail",),
        "password": ("/account/password",),
    },
    "preparer": {
        "today": ("/console",),
        "search": ("/console/search?q=caturra",),
        "orders": ("/console/orders",),
        "order": ("/console/orders", "open="),
        "disputes": ("/console/disputes",),
        "payments": ("/console/payments",),
        "all-payments": ("/console/payments/all",),
        "credits": ("/console/payments/credits",),
        "refunds": ("/console/payments/refunds",),
        "processor": ("/console/processor",),
        "matching": ("/console/matching",),
        "line": ("/console/matching", "open="),
        "statements": ("/console/statements/",),
        "statement-account": ("/console/statements/", "/console/statements/0"),
        "new-account": ("/console/statements/accounts/new",),
        "files": ("/console/statements/files",),
        "file": ("/console/statements/files", "open="),
        "announced": ("/console/statements/announced",),
        "all-rules": ("/console/statements/rules",),
        "rules": ("/console/statements/", "/console/statements/0", "/rules"),
        "closes": ("/console/statements/closes",),
        "new-close": ("/console/statements/closes/new?ends_on=2026-10-31",),
        "payouts": ("/console/payouts",),
        "run": ("/console/payouts", "/console/payouts/01"),
        "all-payouts": ("/console/payouts/all",),
        "owed": ("/console/payouts/owed",),
        "all-runs": ("/console/payouts/runs",),
        "payout": ("/console/payouts/all", "open="),
        "payout-settings": ("/console/payouts/settings",),
        "payout-texts": ("/console/payouts/texts",),
        "cash-box": ("/console/cash-box",),
        "cheques": ("/console/cheques",),
        "corrections": ("/console/earnings/corrections",),
        "advances": ("/console/earnings/advances",),
        "holds": ("/console/earnings/holds",),
        "shares": ("/console/earnings/shares",),
        "slips": ("/console/earnings/slips",),
        "loans": ("/console/treasury/loans",),
        "loan": ("/console/treasury/loans", "open="),
        "community": ("/console/treasury/community",),
        "premium": ("/console/treasury/premium",),
        "own-account": ("/console/processor/account",),
        "all-shares": ("/console/processor/account/shares",),
        "fund": ("/console/treasury/fund",),
        "fund-item": ("/console/treasury/fund", "open="),
        "conversions": ("/console/treasury/conversions",),
        "conversion": ("/console/treasury/conversions", "open="),
        "books": ("/console/books",),
        "book-lines": ("/console/books/lines",),
        "openings": ("/console/books/opening",),
        "reports": ("/console/reports",),
        "lists": ("/console/reports/lists",),
        "sellers": ("/console/sellers",),
        "field": ("/field",),
    },
    "approver": {
        "today": ("/console",),
        "listings": ("/console/listings",),
        "lots": ("/console/lots",),
        "lot": ("/console/lots?q=LOT-26-P88", "open=", "/console/lots/0"),
        "members": ("/console/members",),
        "member": ("/console/members", "open="),
        "new-member": ("/console/members/new",),
        "accounts": ("/console/payee-accounts",),
        "certificates": ("/console/certificates",),
        "prices": ("/console/prices",),
        "price": ("/console/prices", "open="),
        "price-changes": ("/console/prices/changes",),
        "import": ("/console/prices/import",),
        "imports": ("/console/prices/imports",),
        "batch": ("/console/prices/imports", "open="),
        "rates": ("/console/exchange-rates",),
        "floors": ("/console/floors",),
        "market-prices": ("/console/market-prices",),
        "mails": ("/console/mails",),
        "audit": ("/console/audit",),
        "people": ("/console/people",),
        "keys": ("/console/keys",),
        "coop": ("/console/coop",),
        "coop-texts": ("/console/coop/texts",),
    },
    "admin": {
        "coops": ("/admin",),
        "new-coop": ("/admin/coops/new",),
        "switch": ("/admin/site",),
        "site-processor": ("/admin/site/processor",),
    },
}
# The same pages in the dark, and from right to left.
AGAIN = {
    "visitor": ("home", "listing", "lot", "coop", "price-check", "rules", "figures"),
    "producer": ("home",),
    "preparer": ("today",),
}
# What the README shows, cut at the first screen.
TOUR = {"visitor-home-1280", "visitor-listing-1280", "preparer-run-1280", "producer-home-360"}


@dataclass(frozen=True)
class Camera:
    """Takes pictures of one site with one browser."""

    browser: Browser
    address: str

    @contextmanager
    def person(self, role: str, width: int, **options: str) -> Iterator[Page]:
        """Open the browser of somebody, signed in unless a visitor."""
        size = {"width": width, "height": WIDTHS[width]}
        context = self.browser.new_context(base_url=self.address, viewport=size, **{"locale": "en-GB"} | options)
        page = context.new_page()
        if role in PEOPLE:
            page.goto("/sign-in")
            page.locator("main [name=email]").fill(PEOPLE[role])
            page.locator("main [name=password]").fill(PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_url(lambda url: "/sign-in" not in url)
        yield page
        context.close()

    def walk(self, role: str, names: tuple[str, ...], width: int, suffix: str = "", lang: str = "en", **options: str) -> None:
        """Take the named pages of a role, in a language."""
        with self.person(role, width, **options) as page:
            for name in names:
                first, *links = PAGES[role][name]
                page.goto(f"{first}{'&' if '?' in first else '?'}lang={lang}")
                for part in links:
                    page.locator(f'main a[href*="{part}"]').first.click()
                keep(page, f"{role}-{name}{suffix}-{width}")

    def buy(self, width: int) -> None:
        """Take what a buyer sees between the shop and the order."""
        with self.person("buyer", width) as page:
            steps: dict[str, Callable[[], None]] = {
                "basket": lambda: _into_the_basket(page),
                "checkout": lambda: _to_the_checkout(page),
                "payment": lambda: page.locator("main form button[type=submit]").last.click(),
                "order": lambda: page.get_by_role("button", name="Card that works").click(),
            }
            for name, step in steps.items():
                step()
                keep(page, f"buyer-{name}-{width}")


def _into_the_basket(page: Page) -> None:
    page.goto("/shop?q=caturra")
    page.locator('main a[href^="/listings/"]').first.click()
    page.get_by_role("button", name="Into the basket").click()
    page.goto("/basket")


def _to_the_checkout(page: Page) -> None:
    page.get_by_role("link", name="To checkout").click()
    typed = {"Name": "Ana Weber", "E-mail": "ana@buyers.example", "Street": "Lindenweg", "House number": "7"}
    for label, words in (typed | {"Postcode": "10115", "Town": "Berlin"}).items():
        page.get_by_label(label).first.fill(words)
    page.get_by_label("Country").select_option("DE")


def keep(page: Page, name: str) -> None:
    """Write the page as it is seen, from its top."""
    page.wait_for_load_state("networkidle")
    page.evaluate("() => document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
    page.wait_for_load_state("networkidle")
    image = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    if name in TOUR:
        _save(image.crop((0, 0, image.width, min(image.height, WIDTHS[image.width]))), f"tour-{name}")
    _save(image.crop((0, 0, image.width, min(image.height, TALLEST))), name)
    print(f"{name}  {page.url}", flush=True)


def _save(image: Image.Image, name: str) -> None:
    for quality in (82, 60, 40):
        image.save(FOLDER / f"{name}.webp", quality=quality, method=6)
        if (FOLDER / f"{name}.webp").stat().st_size <= MOST_BYTES:
            return
    raise SystemExit(f"{name} stays larger than {MOST_BYTES} bytes")


def main() -> None:
    """Load the demo where none is, and take every picture."""
    if len(sys.argv) > 1:
        address = sys.argv[1]
    else:
        address = os.environ["PUBLIC_URL"]
        walk(Site.from_environment(), DEMO)
    path = find_chromium()
    if path is None:
        raise SystemExit(HOW)
    FOLDER.mkdir(parents=True, exist_ok=True)
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []  # its sandbox refuses to run as root
    with sync_playwright() as playwright:
        camera = Camera(playwright.chromium.launch(executable_path=path, args=flags), address)
        for width in WIDTHS:
            for role, pages in PAGES.items():
                camera.walk(role, tuple(pages), width)
            camera.buy(width)
            for role, names in AGAIN.items():
                camera.walk(role, names, width, "-dark", color_scheme="dark")
                camera.walk(role, names, width, "-ar", lang="ar", locale="ar")


if __name__ == "__main__":
    main()
