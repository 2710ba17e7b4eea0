"""Settings choose the outside world: the real gateways, which also speak to our own local servers."""

from config import Settings
from market.ports import Ports


def build_ports(settings: Settings) -> Ports:
    """Return the gateways for `settings`; nothing is contacted yet."""
    return Ports()
