"""What every page must be: without serious findings of axe, without sideways scrolling, every input labelled.

The people of the tests have no JavaScript, and axe is JavaScript: it reads a copy of the page as it was seen, served at an
address of its own in a second context.
"""

from pathlib import Path
from urllib.parse import urljoin, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 780}
ZOOMED = (640, 320)  # what 1280 pixels are at 200 % and at 400 %
COPY = "/as-seen"
UNLABELLED = """() => [...document.querySelectorAll('input, select, textarea')]
    .filter(e => e.type !== 'hidden' && !e.labels.length && !e.getAttribute('aria-label')).map(e => e.outerHTML)"""


def open_menu(page: Page) -> None:
    """Open the menu of the site, which stands behind a button where the page is narrow."""
    button = page.get_by_role("banner").locator(".menu > summary")
    if button.is_visible():
        button.click()


class Looker:
    """Looks at pages at both widths."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._folder, self._axe, self._html = folder, Axe(), ""
        self._glanced: set[str] = set()
        self._context = browser.new_context(bypass_csp=True)
        self._copy = self._context.new_page()
        self._copy.route(f"**{COPY}", self._serve)

    def _serve(self, route: Route) -> None:
        route.fulfill(content_type="text/html; charset=utf-8", body=self._html)

    def close(self) -> None:
        self._context.close()

    def knows(self, path: str) -> bool:
        """Whether a page was glanced at before, as whomever: people differ by their menus."""
        return path in self._glanced

    def glance(self, page: Page) -> None:
        """Judge what a menu leads to, on a phone."""
        self._glanced.add(urlsplit(page.url).path)
        was = page.viewport_size
        page.set_viewport_size(NARROW)
        self._html = page.content()
        faults = [f"no label: {tag}" for tag in page.evaluate(UNLABELLED)] + self._findings(page)
        faults += _too_wide(page, NARROW["width"], *ZOOMED)
        page.set_viewport_size(was)
        assert not faults, f"{page.url}:\n" + "\n".join(faults)

    def look(self, page: Page, heading: str, name: str) -> None:
        """Wait for the page with that main heading and judge it; keep pictures of it, `name`-1280.png and `name`-360.png."""
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        page.wait_for_load_state()
        was = page.viewport_size
        faults = [f"no label: {tag}" for tag in page.evaluate(UNLABELLED)]
        self._html = page.content()
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)
            page.screenshot(path=self._folder / f"{name}-{size['width']}.png", full_page=True)
        faults += _too_wide(page, WIDE["width"], NARROW["width"], *ZOOMED) + self._findings(page)
        page.set_viewport_size(was)
        assert not faults, f"{name}, {page.url}:\n" + "\n".join(faults)

    def _findings(self, page: Page) -> list[str]:
        """Run axe on the narrow page: the elements and their colours are the same at both widths."""
        self._copy.set_viewport_size(NARROW)
        self._copy.goto(urljoin(page.url, COPY))
        found = self._axe.run(self._copy, options={"resultTypes": ["violations"]}).response["violations"]
        return [
            f"{finding['id']}: {finding['help']}: {[node['html'] for node in finding['nodes']][:3]}"
            for finding in found
            if finding["impact"] in ("serious", "critical")
        ]


def _too_wide(page: Page, *widths: int) -> list[str]:
    faults = []
    for width in widths:
        page.set_viewport_size(NARROW | {"width": width})
        found = page.evaluate("document.documentElement.scrollWidth")
        faults += [f"{found} pixels wide at {width}"] if found > width else []
    return faults
