"""The one sheet and the one script: small enough, free of left and right; the page of parts shows every part."""

import gzip
import re

import pytest

from tests.architecture.source import ROOT

STATIC = ROOT / "market" / "web" / "static"
PARTS = ROOT / "market" / "web" / "templates" / "parts"
# Parts with a subject of their own are shown by the pages that have it.
OWN = {"people.html", "flashes.html", "list.html", "later.html", "own.html", "tax.html"}


SIZES = {"style.css": 12 * 1024, "market.js": 6 * 1024, "later.js": 4 * 1024, "sw.js": 1200}


@pytest.mark.parametrize("name", SIZES)
def test_it_is_small(name):
    assert len(gzip.compress((STATIC / name).read_bytes(), 9)) <= SIZES[name]


def test_the_scripts_of_a_producer_are_small_together():
    assert sum(len(gzip.compress(file.read_bytes(), 9)) for file in STATIC.glob("*.js")) <= 10 * 1024


def test_the_sheet_knows_no_left_and_right():
    sheet = (STATIC / "style.css").read_text()
    assert not re.findall(
        r"(?:margin|padding|border|inset)-(?:left|right)|[{;]\s*(?:left|right)\s*:|(?:text-align|float):\s*(?:left|right)", sheet
    )


def test_the_page_of_parts_shows_every_part(client):
    answer = client.get("/style")
    assert answer.status_code == 200
    template = (PARTS.parent / "style.html").read_text()
    hidden = {"form_errors", "wtf", "action", "brand"}  # they take a whole form or stand in the frame
    missing = [
        f"{path.name}: {name}"
        for path in PARTS.glob("*.html")
        if path.name not in OWN
        for name in re.findall(r"macro ([a-z]\w*)\(", path.read_text())
        if name not in hidden and not re.search(rf"{{[{{%][^}}]*\b{name}\(|\bcall {name}\(", template)
    ]
    assert not missing


def test_there_is_no_page_of_parts_in_production(app, client, monkeypatch):
    from dataclasses import replace

    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], env="production"))
    assert client.get("/style").status_code == 404
