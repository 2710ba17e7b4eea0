"""The commands of earnings."""

from market.earnings.service.advances import decide_advance, propose_advance, recover
from market.earnings.service.corrections import decide_correction, offset, propose_correction
from market.earnings.service.deliveries import price_delivery
from market.earnings.service.distributions import decide_distribution, propose_distribution
from market.earnings.service.holds import end_due_holds, end_hold, end_holds_of, hold

__all__ = [
    "decide_advance",
    "decide_correction",
    "decide_distribution",
    "end_due_holds",
    "end_hold",
    "end_holds_of",
    "hold",
    "offset",
    "price_delivery",
    "propose_advance",
    "propose_correction",
    "propose_distribution",
    "recover",
]
