"""The one sheet and the one script: small enough, free of left and right; the page of parts shows every part."""

import gzip
import re

import pytest

from tests.architecture.source import ROOT

STATIC = ROOT / "market" / "web" / "static"
PARTS = ROOT / "market" / "web" / "templates" / "parts"
# Parts with a subject of their own are shown by the pages that have it.
OWN = {"people.html", "flashes.html", "list.html", "later.html", "own.html", "tax.html"}


SIZES = {"style.css": 12 * 1024, "market.js": 6 * 1024}


@pytest.mark.parametrize("name", SIZES)
def test_it_is_small(client, name):
    sent = client.get(f"/static/{name}", headers={"Accept-Encoding": "gzip"})
    assert sent.headers["Content-Encoding"] == "gzip"
    assert len(sent.data) <= SIZES[name]


def test_the_service_worker_is_small():
    assert len(gzip.compress((STATIC / "sw.js").read_bytes(), 9)) <= 1200


def test_every_page_loads_the_one_script_and_nothing_beside_it():
    templates = PARTS.parent
    found = [
        (file.relative_to(templates).as_posix(), script)
        for file in templates.rglob("*.html")
        for script in re.findall(r"<script[^>]*>|<link[^>]*preload[^>]*>", file.read_text())
    ]
    assert found == [("base.html", """<script src="{{ url_for('static', filename='market.js') }}" defer>""")]
    assert {file.name for file in STATIC.glob("*.js")} == {"market.js", "sw.js"}  # the page's one, and the service worker


@pytest.mark.parametrize("name", ["market.js", "sw.js"])
def test_a_script_is_sent_without_its_comments_and_with_all_else(app, name):
    source, sent = (STATIC / name).read_text(), app.test_client().get(f"/static/{name}").text
    quoted = r'"[^"\n]*"|`[^`]*`'
    texts = re.findall(quoted, source)
    assert not [text for text in texts if re.search(r"/\*|\s// ", text)], "a text would be taken for a comment"
    code = re.sub(r"(?s)/\*.*?\*/|\s// [^\n]*", "", source)
    assert re.findall(quoted, code) == re.findall(quoted, sent)
    assert "".join(code.split()) == "".join(sent.split())
    assert not [text for text in texts if text.count("${") != text.count("}")], "a template within a template"
    assert not re.findall(r"[\w)\]\"`]\n", code), "a line without its sign at the end"


def test_the_sheet_knows_no_left_and_right():
    sheet = (STATIC / "style.css").read_text()
    assert not re.findall(
        r"(?:margin|padding|border|inset)-(?:left|right)|[{;]\s*(?:left|right)\s*:|(?:text-align|float):\s*(?:left|right)", sheet
    )


def test_every_colour_of_text_reads_on_every_ground_in_light_and_dark():
    """7:1 for text (AAA of WCAG 2.2), 3:1 for the edges of inputs."""
    sheet = (STATIC / "style.css").read_text()
    light, _, rest = sheet.partition("@media (prefers-color-scheme: dark)")
    themes = {"light": _colours(light)}
    themes["dark"] = themes["light"] | _colours(rest.partition("/* Ground */")[0])
    texts = ("ink", "soft", "leaf", "leaf-deep", "clay", "alarm", "sky", "sun-ink")
    grounds = ("paper", "card", "sunk", "leaf-wash", "clay-wash", "sun-wash", "alarm-wash", "sky-wash")
    pairs = [(text, ground, 7) for text in texts for ground in grounds]
    pairs += [("on-leaf", "leaf", 7), ("paper", "clay", 7), ("edge", "card", 3), ("edge", "paper", 3)]
    faint = [
        f"{theme}: {text} on {ground}"
        for theme, colours in themes.items()
        for text, ground, least in pairs
        if _contrast(colours[text], colours[ground]) < least
    ]
    assert not faint


def _colours(rules: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): #([0-9a-f]{6});", rules))


def _contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, as WCAG 2.2 counts it."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


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
