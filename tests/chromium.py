"""The browser of the browser tests: Chromium of the system, driven by Playwright.

Playwright's own download is not used: a package of the system is one thing less to fetch and to keep.
"""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""In this order: the shell of Chromium has no windows, tabs and toolbars to keep, and takes half the processor (docs/decisions/0112)."""
HOW = "no Chromium here: install it (Debian: apt-get install chromium-headless-shell; as root `make chromium` does) or set CHROMIUM=/path"


def find_chromium() -> str | None:
    """Return the path of a Chromium: `CHROMIUM`, else the first on PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium for the whole run; its tests skip where there is none."""
    path = find_chromium()
    if path is None:
        pytest.skip(HOW)
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []  # its sandbox refuses to run as root
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=flags)
        yield opened
        opened.close()
