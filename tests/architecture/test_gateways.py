"""Gateways keep their protocols: every public method is guarded, and stand-ins have the same signatures."""

import inspect

import pytest

from market.gateways.memory_stripe import MemoryCards, MemoryTransfers
from market.gateways.stripe_cards import StripeCards
from market.gateways.stripe_transfers import StripeTransfers
from market.payments.ports import CardProcessor
from market.payouts.ports import Rail


def public(cls: type) -> dict[str, object]:
    return {name: member for name, member in vars(cls).items() if not name.startswith("_") and inspect.isfunction(member)}


@pytest.mark.parametrize(
    ("gateway", "protocol"),
    [(StripeCards, CardProcessor), (MemoryCards, CardProcessor), (StripeTransfers, Rail), (MemoryTransfers, Rail)],
)
def test_a_gateway_is_guarded_and_fits_its_protocol(gateway, protocol):
    methods = public(gateway)
    assert [name for name, method in methods.items() if not getattr(method, "__guarded__", False)] == []
    for name, wanted in public(protocol).items():
        assert inspect.signature(methods[name]) == inspect.signature(wanted), name
