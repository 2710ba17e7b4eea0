"""What the edge knows of whoever orders: the limits of the site, and the network they come from, hashed under our key."""

import hashlib
import hmac
from ipaddress import IPv6Address, ip_address

from flask import current_app, request

from config import Settings
from market.http.auth import current_actor
from market.orders.rules import Limits
from market.orders.service import Caller


def caller() -> Caller:
    """Return who orders. The network is counted for guests alone, and only where the site limits it."""
    settings: Settings = current_app.extensions["settings"]
    limits = Limits(
        per_email=settings.guest_orders_per_email,
        per_address=settings.guest_orders_per_address,
        unpaid=settings.unpaid_orders,
        unpaid_value=settings.guest_unpaid_value,
    )
    counted = limits.per_address and current_actor().account_id is None
    return Caller(limits, _network(settings.secret_key) if counted else None)


def _network(key: str) -> bytes | None:
    """Return a keyed hash of the caller's network: no list of addresses, and nobody else can find one in it."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return None
    # A household has a whole /64 of IPv6 and picks addresses in it as it likes.
    name = address.packed[:8] if isinstance(address, IPv6Address) else address.packed
    return hmac.digest(key.encode(), b"network:" + name, hashlib.sha256)[:16]
