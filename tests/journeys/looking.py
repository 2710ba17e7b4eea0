"""What every page must be: without findings of axe in the light and in the dark, without sideways scrolling, every input labelled.

The people of the tests have no JavaScript, and axe is JavaScript: it reads a copy of the page as it was seen, served at an
address of its own in a second context.
"""

import re
from pathlib import Path
from urllib.parse import urljoin

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, Route, expect

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 780}
ZOOMED = (640, 320)  # what 1280 pixels are at 200 % and at 400 %; from 543 down pages are arranged as on a phone
COPY = "/as-seen"
UNLABELLED = """() => [...document.querySelectorAll('input, select, textarea')]
    .filter(e => e.type !== 'hidden' && !e.labels.length && !e.getAttribute('aria-label')).map(e => e.outerHTML)"""

READ = """([but, only]) => axe.run(
    but ? {exclude: [[but]]} : document, {preload: false, resultTypes: ['violations'], ...only}).then(read => read.violations.map(
    one => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map(node => node.html.slice(0, 200)).join(' | ')}`))"""
KNOWN = "[data-known]"
MARK = "known => document.querySelectorAll('nav').forEach((menu, place) => menu.toggleAttribute('data-known', known.includes(place)))"
# What the contrast of each text comes from: its colour and size, whatever is painted behind it by those around it, and by those that
# overlap it although they are not. Texts that axe does not judge, hidden or disabled ones, have keys of their own or none.
PAINTED = """but => {
    const grounds = new Map(), painted = [], texts = [], found = new Set();
    const typed = e => ['INPUT', 'SELECT', 'TEXTAREA', 'BUTTON'].includes(e.tagName);
    const off = e => e.closest(':disabled, [aria-disabled=true]') || (e.closest('label') && e.closest('label').control?.disabled);
    for (const e of [document.body, ...document.body.querySelectorAll('*')]) {
        const s = getComputedStyle(e);
        const own = [s.backgroundColor, s.backgroundImage, s.opacity, s.mixBlendMode, s.filter].join();
        const bare = own === 'rgba(0, 0, 0, 0),none,1,normal,none';
        grounds.set(e, (grounds.get(e.parentElement) || '') + (bare ? '' : '/' + own));
        if (!bare) painted.push([e, e.getBoundingClientRect(), own]);
        const said = typed(e) || [...e.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        if (said && !(but && e.closest(but)) && e.checkVisibility({visibilityProperty: true})) texts.push([e, s]);
    }
    for (const [e, s] of texts) {
        const at = e.getBoundingClientRect();
        const over = painted.filter(([other, r]) => r.left < at.right && r.right > at.left && r.top < at.bottom && r.bottom > at.top
            && !other.contains(e) && !e.contains(other)).map(one => one[2]);
        found.add([grounds.get(e), s.color, s.fontSize, s.fontWeight, s.textShadow, s.clip, s.clipPath, !!off(e), over.join('+')].join(';'));
    }
    return [...found];
}"""
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


def open_menu(page: Page) -> None:
    """Open the menu of the site, which stands behind a button where the page is narrow."""
    button = page.get_by_role("banner").locator(".menu > summary")
    if button.is_visible():
        button.click()


class Looker:
    """Looks at pages at both widths."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._folder, self._html = folder, ""
        self._seen: set[str] = set()
        self._painted: dict[str, set[str]] = {"light": set(), "dark": set()}
        self._context = browser.new_context(bypass_csp=True)
        self._copy = self._context.new_page()
        self._copy.route(f"**{COPY}", self._serve)

    def _serve(self, route: Route) -> None:
        route.fulfill(content_type="text/html; charset=utf-8", body=self._html)

    def close(self) -> None:
        self._context.close()

    def look(self, page: Page, heading: str, name: str) -> None:
        """Wait for the page with that main heading and judge it; of one at fault keep pictures, `name`-1280.png and `name`-360.png."""
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        page.wait_for_load_state()
        was = page.viewport_size
        faults = [f"no label: {tag}" for tag in page.evaluate(UNLABELLED)]
        self._html = page.content()
        faults += too_wide(page, WIDE["width"]) + self._findings(page)
        for size in (WIDE, NARROW) if faults else ():
            page.set_viewport_size(size)
            page.screenshot(path=self._folder / f"{name}-{size['width']}.png", full_page=True)
        page.set_viewport_size(was)
        assert not faults, f"{name}, {page.url}:\n" + "\n".join(faults)

    def _findings(self, page: Page) -> list[str]:
        """Run axe on the narrow page: the elements and their colours are the same at both widths."""
        self._copy.set_viewport_size(NARROW)
        self._copy.goto(urljoin(page.url, COPY))
        leave_out_menus(self._copy, self._html, self._seen)
        return findings(self._copy, but=KNOWN, painted=self._painted)


def findings(
    page: Page, scheme: str = "light", *, again: bool = True, but: str = "", painted: dict[str, set[str]] | None = None
) -> list[str]:
    """Return everything that axe finds in a colour scheme, and, `again`, what it finds in the colours of the other one.

    It does not look into what the selector `but` names. `painted` holds for each scheme how the texts were painted that axe has
    judged; in the other scheme's colours a page is read when one of its texts is painted otherwise.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    schemes = (scheme, {"light": "dark", "dark": "light"}[scheme]) if again else (scheme,)
    found = []
    for each in schemes:
        page.emulate_media(color_scheme=each, reduced_motion="reduce")  # no colour halfway to another
        if painted is not None:
            new = set(page.evaluate(PAINTED, but)) - painted[each]
            painted[each] |= new
            if each != scheme and not new:
                continue
        found += [f"{each}: {fault}" for fault in page.evaluate(READ, [but, {} if each == scheme else COLOURS])]
    return found


def entries_of(menu: str) -> set[str]:
    """What a menu is made of: its name with each tag, its classes and words, and each kind of mark of the current one."""
    name, *tags = re.findall(r"<\w[^>]*>[^<]*", menu)
    bare = [re.sub(r'(?<!class)(?<!aria-current)="[^"]*"', "", tag) for tag in tags]
    mark = re.compile(r' aria-current="\w+"')
    marked = {tag.partition(">")[0] for tag in bare if mark.search(tag)}
    return {f"{name} {part}" for part in {mark.sub("", tag) for tag in bare} | marked}


def leave_out_menus(page: Page, html: str, seen: set[str]) -> None:
    """Mark the menus of a page all of whose entries were `seen`, so that axe need not read them again; add the others."""
    menus = [entries_of(menu) for menu in re.findall(r"<nav.*?</nav>", html, re.S)]
    page.evaluate(MARK, [place for place, menu in enumerate(menus) if menu <= seen])
    seen.update(*menus)


def too_wide(page: Page, *widths: int) -> list[str]:
    """Return at which widths a page would have to be scrolled sideways; it is left narrower than a phone."""
    faults = []
    for width in (*widths, *ZOOMED):
        page.set_viewport_size(NARROW | {"width": width})
        found = page.evaluate("document.documentElement.scrollWidth")
        faults += [f"{found} pixels wide at {width}"] if found > width else []
    return faults
