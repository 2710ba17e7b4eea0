"""The running site of the browser tests, started once per process."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from market.ports import Ports
from tests.journeys.looking import Looker
from tests.journeys.site import Site, running


@pytest.fixture(scope="session")
def site(servers: dict[str, str], make_database, ports: Ports, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a worker of its own; each process of the tests has its own queue."""
    number = 1 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 14
    redis_url = servers["REDIS_URL"].rsplit("/", 1)[0] + f"/{number}"
    with running(make_database("site"), redis_url, tmp_path_factory.mktemp("site"), ports) as started:
        yield started


@pytest.fixture(scope="session")
def looker(browser: Browser) -> Iterator[Looker]:
    """Judges pages: accessible, labelled, no sideways scrolling; keeps pictures of them under var/test/screens."""
    folder = Path(__file__).parents[2] / "var" / "test" / "screens"
    folder.mkdir(parents=True, exist_ok=True)
    looker = Looker(browser, folder)
    yield looker
    looker.close()
