"""Two processors by two authors, asked the same: our stand-in and localstripe (decision 0096)."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import stripe

from market.gateways.stripe_cards import StripeCards
from market.gateways.stripe_client import make_client
from tests.localstripe_server import LocalStripe
from tests.stripe_server import KEY, SECRET, StripeServer


@dataclass(frozen=True)
class Processor:
    """One of the two, reached by the pinned SDK and by our own gateway."""

    server: StripeServer | LocalStripe
    client: stripe.StripeClient
    cards: StripeCards

    @property
    def api(self) -> stripe.V1Services:
        return self.client.v1


def reach(server: StripeServer | LocalStripe, key: str = KEY) -> Processor:
    gateway = StripeCards(key=KEY, webhook_secret=SECRET, api_base=server.url, retries=0)
    return Processor(server, make_client(key, server.url, retries=0), gateway)


@pytest.fixture(scope="session")
def localstripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStripe]:
    running = LocalStripe(tmp_path_factory.mktemp("localstripe"))
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processor]:
    running = StripeServer(tmp_path_factory.mktemp("stand-in"))
    yield reach(running)
    assert running.stop() == 0


@pytest.fixture(scope="session")
def theirs(localstripe: LocalStripe) -> Processor:
    return reach(localstripe)
