"""One simulator for the tests of gateways; each test clears its faults."""

from collections.abc import Iterator

import pytest

from market.gateways.stripe_cards import StripeCards
from tests.stripe_server import KEY, SECRET, StripeServer


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeServer]:
    server = StripeServer(tmp_path_factory.mktemp("stripe"))
    yield server
    assert server.stop() == 0


@pytest.fixture
def stripe_server(running: StripeServer) -> Iterator[StripeServer]:
    yield running
    running.control("faults/clear")


@pytest.fixture
def cards(stripe_server: StripeServer) -> StripeCards:
    return StripeCards(key=KEY, webhook_secret=SECRET, api_base=stripe_server.url, retries=0, timeout=2)
