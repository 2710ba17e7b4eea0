"""The map names every package, the README stays short, and decisions have numbers of their own."""

import re

from tests.architecture.source import ROOT


def test_every_package_has_its_line_in_the_map():
    text = (ROOT / "docs" / "map.md").read_text()
    packages = {path.parent.name for path in ROOT.glob("market/*/__init__.py")}
    assert not {name for name in packages if f"**{name}**" not in text}


def test_the_readme_is_short_and_shows_the_commands_first():
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= 150
    assert "make run" in "\n".join(lines[:12])


def test_links_of_the_readme_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target


def test_decisions_are_numbered_once():
    numbers = [path.name[:4] for path in (ROOT / "docs" / "decisions").glob("*.md")]
    assert len(numbers) == len(set(numbers))
