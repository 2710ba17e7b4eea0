"""Start the simulator: `python -m market.simulators.stripe --port 4242 --data var/stripe ...`.

Key, secret and address of the webhook come from the site's own variables (STRIPE_KEY, STRIPE_WEBHOOK_SECRET, PUBLIC_URL)
unless they are given: on a command line every user of the machine could read them.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from .server import Server
from .world import Options


def main(arguments: list[str] | None = None) -> int:
    """Read the arguments and serve until told to stop."""
    site = os.environ.get("PUBLIC_URL", "").rstrip("/")
    secret = os.environ.get("STRIPE_WEBHOOK_SECRET", "").split(",")[0] or "whsec_simulator"
    key = os.environ.get("STRIPE_KEY") or "sk_test_simulator"
    parser = argparse.ArgumentParser(prog="python -m market.simulators.stripe", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="loopback port; 0 lets the system choose")
    parser.add_argument("--data", type=Path, required=True, help="folder of the store and the effect log")
    parser.add_argument("--webhook-url", default=f"{site}/hooks/stripe" if site else None, help="where events are delivered")
    parser.add_argument("--webhook-secret", default=secret)
    parser.add_argument("--key", default=key, help="the API key that callers must present")
    parser.add_argument("--public-url", help="how a browser reaches this server, if not by its own address")
    parser.add_argument("--available-after", type=int, default=0, help="seconds until a charge's money may be sent on")
    parser.add_argument("--delayed-after", type=int, default=0, help="seconds until a bank debit settles; 0 = by control call")
    parser.add_argument("--payout-every", type=int, default=0, help="seconds between automatic payouts; 0 = by control call")
    parser.add_argument("--seed", help="makes the ids of a new store repeatable")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    options = Options(
        port=given.port,
        public_url=(given.public_url or f"http://127.0.0.1:{given.port}").rstrip("/"),
        webhook_url=given.webhook_url,
        webhook_secret=given.webhook_secret,
        key=given.key,
        available_after=given.available_after,
        delayed_after=given.delayed_after,
        payout_every=given.payout_every,
    )
    try:
        server = Server(given.data, options, given.seed)
    except OSError as error:
        print(f"The Stripe simulator cannot listen on port {given.port}: {error.strerror}.", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"stripe simulator: http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
