"""Load the demo into a running site: the same steps as the journey, then the list of log-ins for whoever looks at it."""

import os
import sys
from pathlib import Path

from market.demo.browser import Unexpected
from market.demo.journey import DEMO, walk
from market.demo.site import Site
from market.demo.world import ADMIN, COOPS, PASSWORD


def log_ins(site: Site) -> str:
    """Return whom a visitor may be, one line each; all have the same password."""
    lines = [f"log-ins, all with the password “{PASSWORD}”:", f"  admin      {ADMIN}"]
    for plan in COOPS:
        lines += [f"  preparer   preparer@{plan.slug}.example", f"  approver   approver@{plan.slug}.example"]
    lines += [f"  producer   {coop.producers[0][2].name}" for coop in site.coops]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Load everything and leave the list of log-ins where `make run` prints it from."""
    site = Site.from_environment()
    try:
        walk(site, DEMO)
    except Unexpected as error:
        print(f"the demo could not be loaded: {error}", file=sys.stderr)
        return 1
    (Path(os.environ["MARKET_DATA"]) / "demo-loaded").write_text(log_ins(site))
    return 0


if __name__ == "__main__":
    sys.exit(main())
