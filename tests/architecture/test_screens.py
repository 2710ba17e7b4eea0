"""The pictures of docs/screens: every page without a parameter has one in both widths, none is heavy, none of what is gone."""

import re

from tests.architecture.test_browse import NOT_PAGES
from tests.screens import AGAIN, FOLDER, MOST_BYTES, PAGES, TOUR, WIDTHS

# Seen only on the way to another page, or not drawn at all.
APART = {
    *("/basket", "/checkout", "/account/begin", "/account/verify", "/producer/sw.js", "/producer/ticket"),
    *("/producer/money/account/details", "/console/processor/account/details", "/console/payouts/left-out"),
}
BUYER = ("basket", "checkout", "payment", "order")


def test_every_page_has_its_picture(app):
    taken = {step.partition("?")[0].rstrip("/") for pages in PAGES.values() for steps in pages.values() for step in steps}
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments]
    pages = {rule.rule.rstrip("/") for rule in rules if not NOT_PAGES.match(rule.rule)}
    assert not pages - taken - APART


def test_pictures_are_complete_light_and_shown():
    named = {f"{role}-{name}" for role, pages in PAGES.items() for name in pages} | {f"buyer-{name}" for name in BUYER}
    named |= {f"{role}-{name}-{again}" for role, names in AGAIN.items() for name in names for again in ("dark", "ar")}
    wanted = {f"{name}-{width}.webp" for name in named for width in WIDTHS} | {f"tour-{name}.webp" for name in TOUR}
    assert {path.name for path in FOLDER.iterdir()} == wanted
    assert not [path.name for path in FOLDER.iterdir() if path.stat().st_size > MOST_BYTES]
    readme = (FOLDER.parents[1] / "README.md").read_text()
    assert set(re.findall(r"docs/screens/(tour-[\w-]+)\.webp", readme)) == {f"tour-{name}" for name in TOUR}
