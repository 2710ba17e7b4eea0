"""The whole main job over HTTP, step by step, with its figures; exits non-zero when something does not agree."""

import sys
import time
from collections.abc import Callable

from market.demo import changes, lending, money, proof, setup, trade, trouble
from market.demo.browser import Unexpected
from market.demo.site import Site

Step = Callable[[Site], str]

_OPENING: tuple[Step, ...] = (
    setup.administrator,
    setup.coops,
    setup.price_rows,
    setup.rates,
    setup.differential,
    setup.floors,
    setup.members,
    setup.products,
    setup.goods,
    setup.chain,
    setup.photos,
    trade.orders,
    trade.payments,
    trade.refunds,
    changes.less_more_else,
    trade.fulfilment,
    money.banks,
    money.recipients,
    money.first_run,
    money.first_statement,
    money.wallet_statement,
)
_FURTHER: tuple[Step, ...] = (lending.before_the_harvest, lending.handed_in, lending.premium, trade.waiting)
DEMO: tuple[Step, ...] = (*_OPENING, *_FURTHER, money.left_open)
"""Up to where a visitor of the demo takes over."""

STEPS: tuple[Step, ...] = (
    *_OPENING,
    money.in_parts,
    trouble.refund_after_payout,
    trouble.disputes_opened,
    money.transfers_sent,
    money.new_details,
    trouble.disputes_decided,
    money.second_run,
    trouble.netted,
    money.second_statement,
    money.processor_statement,
    proof.books,
    proof.bank,
    proof.people,
    proof.letters,
    proof.public,
    money.close,
    *_FURTHER,
    proof.books,
    proof.exported,
)


def walk(site: Site, steps: tuple[Step, ...] = STEPS) -> None:
    """Do each step and print what it found."""
    for number, step in enumerate(steps, start=1):
        begun = time.monotonic()
        what = (step.__doc__ or "").partition("\n")[0].rstrip(".")
        print(f"{number:2}/{len(steps)} {what}", flush=True)
        print(f"      {step(site)}  ({time.monotonic() - begun:.1f} s)", flush=True)


def main() -> int:
    """Walk the journey on the site of the environment."""
    try:
        walk(Site.from_environment())
    except Unexpected as error:
        print(f"the journey ends here: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
