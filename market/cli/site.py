"""What a whole site on one machine consists of: its environment, its parts and the order in which they start.

Addresses that the caller's environment names are used as they are and their local stand-in is not started: a real
`SMTP_HOST` means no mail catcher, a real `STRIPE_API_BASE` or `STRIPE_KEY` no fake Stripe.
"""

import json
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from market.embedded.account import write_private
from market.embedded.ports import free_port

SITE_FILE = "site.json"
ADDRESSES = {"DATABASE_URL", "REDIS_URL"}


@dataclass(frozen=True)
class Part:
    """One process of the site."""

    name: str
    command: list[str]


@dataclass(frozen=True)
class Site:
    """Addresses of a site whose files lie in `data`."""

    data: Path
    environ: dict[str, str]
    parts: tuple[Part, ...]

    @property
    def url(self) -> str:
        """Where people reach it."""
        return self.environ["PUBLIC_URL"]


def demo_secrets(data: Path) -> dict[str, str]:
    """Return the secrets of this data folder's demo, made at the first call and kept with mode 0600."""
    path = data / "secrets.json"
    if not path.exists():
        made = {
            "SECRET_KEY": secrets.token_hex(32),
            "PASSWORD_SALT": secrets.token_hex(32),
            "STRIPE_KEY": f"sk_test_{secrets.token_hex(24)}",
            "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(24)}",
            "MOMO_KEY": secrets.token_hex(24),
        }
        write_private(path, json.dumps(made), None)
    return dict(json.loads(path.read_text()))


def plan(data: Path, port: int, environ: Mapping[str, str]) -> Site:
    """Lay out a site on `port`: what its processes need in their environment, and the processes themselves."""
    python = sys.executable
    given = {name: value for name, value in environ.items() if value}
    extra = demo_secrets(data) | {
        "MARKET_ENV": "development",
        "MARKET_DATA": str(data),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "FILES_URL": str(data / "files"),
        # The demo walks a hundred orders of a few buyers from one machine.
        "GUEST_ORDERS_PER_EMAIL": "1000",
        "GUEST_ORDERS_PER_ADDRESS": "10000",
        "UNPAID_ORDERS": "1000",
        "GUEST_UNPAID_VALUE": "1000000",
    }
    parts = []
    if not {"STRIPE_API_BASE", "STRIPE_KEY"} & given.keys():
        stripe = free_port(port + 1)
        extra["STRIPE_API_BASE"] = f"http://127.0.0.1:{stripe}"
        options = ["--port", str(stripe), "--data", str(data / "stripe")]
        parts.append(Part("stripe", [python, "-m", "market.simulators.stripe", *options]))
    # Beside a real Stripe no pretended provider tells a real payee's payout that it arrived.
    if "STRIPE_API_BASE" in extra and not {"MOMO_API_BASE", "MOMO_KEY"} & given.keys():
        momo = free_port(port + 4)
        extra |= {"MOMO_API_BASE": f"http://127.0.0.1:{momo}", "MOMO_USER": "market"}
        parts.append(Part("momo", [python, "-m", "market.simulators.momo", "--port", str(momo), "--data", str(data / "momo")]))
    if "SMTP_HOST" not in given:
        page, smtp = free_port(port + 2), free_port(port + 3)
        extra |= {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(smtp), "MAILBOX_URL": f"http://127.0.0.1:{page}"}
        options = ["--port", str(page), "--smtp-port", str(smtp), "--data", str(data / "mail")]
        parts.append(Part("mail", [python, "-m", "market.simulators.mail", *options]))
    parts += [
        Part("worker", [python, "-m", "workers"]),
        Part("beat", [python, "-m", "workers", "beat"]),
        Part("web", [python, "serve.py", "--port", str(port)]),
    ]
    return Site(data, extra | given, tuple(parts))


def remember(site: Site) -> None:
    """Write down the site's own variables, so that a command given beside it reaches the same parts.

    Without the addresses of the databases: whether those run is asked each time.
    """
    own = {name: value for name, value in site.environ.items() if name not in ADDRESSES and os.environ.get(name) != value}
    half = site.data / f"{SITE_FILE}.new"
    write_private(half, json.dumps(own), None)
    half.replace(site.data / SITE_FILE)


def remembered(data: Path) -> dict[str, str]:
    """Return the variables of the site that last ran on `data`."""
    try:
        return dict(json.loads((data / SITE_FILE).read_text()))
    except FileNotFoundError:
        return demo_secrets(data) | {"MARKET_ENV": "development", "MARKET_DATA": str(data)}


def enough_room(data: Path, *, megabytes: int) -> bool:
    """Say whether the disk below `data` has room left."""
    return shutil.disk_usage(data).free >= megabytes * 1024**2
