"""Start the simulator: `python -m market.simulators.momo --port 4250 --data var/momo`.

User and key come from the site's own variables (MOMO_USER, MOMO_KEY) unless they are given: on a command line every user of
the machine could read them.
"""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from market.simulators.momo.server import Server
from market.simulators.momo.store import Store


def main(arguments: list[str] | None = None) -> int:
    """Read the arguments and serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m market.simulators.momo", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="loopback port; 0 lets the system choose")
    parser.add_argument("--data", type=Path, required=True, help="folder of the store and the effect log")
    parser.add_argument("--user", default=os.environ.get("MOMO_USER") or "market")
    parser.add_argument("--key", default=os.environ.get("MOMO_KEY") or "simulator")
    parser.add_argument("--decide-after", type=float, default=2.0, help="seconds until a transfer is decided")
    given = parser.parse_args(arguments)
    try:
        server = Server(given.port, Store(given.data, decide_after=given.decide_after), user=given.user, key=given.key)
    except OSError as error:
        print(f"The mobile-money simulator cannot listen on port {given.port}: {error.strerror}.", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"mobile-money simulator: http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
