"""Every template compiles; every page has a title; no page carries script, style or a link to another host, but for the two of ours."""

import re

import pytest

from tests.architecture.source import ROOT

FOLDER = ROOT / "market" / "web" / "templates"
OURS = re.compile(r"""<script src="{{ url_for\('static', filename='(market|later)\.js'\) }}" defer></script>""")
PAGES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.html"))


@pytest.mark.parametrize("name", PAGES)
def test_it_compiles_and_is_one_of_ours(app, name):
    app.jinja_env.get_template(name)
    text = OURS.sub("", (FOLDER / name).read_text())
    if '{% extends "base.html" %}' in text and not name.endswith("/frame.html"):
        assert "{% block title %}" in text
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=\"|(?:src|href)=\"https?://", text)
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.S | re.I):
        assert "csrf_field()" in form or "csrf" in form, form[:120]
