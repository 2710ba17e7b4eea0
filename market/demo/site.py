"""The site under way: where it is, who works on it, what each step has found out for the next ones."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.request import Request, urlopen

from market.demo.browser import Browser, Unexpected
from market.demo.goods import Good
from market.demo.mailbox import Inbox
from market.demo.world import PASSWORD, CoopPlan
from market.kernel.text import slug

AT_ONCE = 4
Item = TypeVar("Item")
Found = TypeVar("Found")


@dataclass
class Listed:
    """A published listing, as a buyer may order it."""

    id: str
    title: str
    currency: str
    unit_price: str
    coop: str
    producer: str
    slug: str
    step: int


@dataclass
class CoopSite:
    """A co-op at work: its plan, its ids, its people."""

    plan: CoopPlan
    id: str
    preparer: Browser = field(init=False)
    approver: Browser = field(init=False)
    producers: list[tuple[str, str, Browser]] = field(default_factory=list)  # (id, name, browser)
    listings: list[Listed] = field(default_factory=list)


@dataclass
class Site:
    """Everything that the steps share."""

    url: str
    inbox: Inbox
    admin: Browser
    coops: list[CoopSite] = field(default_factory=list)
    products: dict[str, str] = field(default_factory=dict)
    orders: list[dict[str, Any]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_environment(cls) -> "Site":
        """Return the site whose addresses stand in the environment."""
        url = os.environ["PUBLIC_URL"]
        return cls(url, Inbox(os.environ["MAILBOX_URL"]), Browser(url, "admin"))

    def person(self, email: str) -> Browser:
        """Follow the letter that invites `email`, choose a password, sign in."""
        link = self.inbox.link(email, r"/reset/")
        with Browser(self.url, email) as invited:
            invited.submit(link, {"password": PASSWORD, "password_confirm": PASSWORD})
        fresh = Browser(self.url, email)
        fresh.sign_in(email, PASSWORD)
        return fresh


def at_once(work: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
    """Do `work` for several items at a time, as people do; each item has browsers of its own. Return what came, in order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, items))


def flask(*arguments: str) -> None:
    """Run an operator's command, as an operator would. Raises Unexpected with its words when it fails."""
    output(*arguments)


def output(*arguments: str) -> str:
    """Run an operator's command and return what it printed."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Unexpected(f"flask {' '.join(arguments)}: {(done.stdout + done.stderr)[-1500:]}")
    return done.stdout


def email_of(name: str, domain: str) -> str:
    """Return the address of an invented person."""
    return f"{slug(name).replace('-', '.')}@{domain}.example"


def product_key(good: Good) -> str:
    """Return what tells one product from another."""
    return "|".join(f"{key}={value}" for key, value in sorted(good.product.items()) if key != "name")


def control(provider: str, call: str, **facts: Any) -> dict[str, Any]:
    """Make a control call to a local provider: `STRIPE`, the card processor, or `MOMO`, the mobile-money provider."""
    url = f"{os.environ[provider + '_API_BASE']}/_control/{call}"
    headers = {"Authorization": f"Bearer {os.environ[provider + '_KEY']}", "Content-Type": "application/json"}
    with urlopen(Request(url, json.dumps(facts).encode(), headers), timeout=30) as answer:
        return dict(json.load(answer))
