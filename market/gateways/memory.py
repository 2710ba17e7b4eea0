"""Honest stand-ins kept in memory, for unit tests only. They keep the promises of the real gateways' protocols."""

from market.gateways.memory_stripe import MemoryCards, MemoryTransfers
from market.ports import Ports


def ports() -> Ports:
    """Return the outside world in memory."""
    return Ports(cards=MemoryCards(), transfers=MemoryTransfers())
