"""Reading the mail that the site sent, as its readers would: find the letter, follow the link."""

import json
import re
import time
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from market.demo.browser import Unexpected

PATIENCE_S = 60


class Inbox:
    """The local mail catcher's inbox."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def mails(self, to: str = "") -> list[dict[str, Any]]:
        """Return the newest mails, all or those to one address."""
        with urlopen(f"{self.url}/messages.json?limit=5000&to={quote(to)}", timeout=30) as answer:
            return list(json.load(answer))

    def link(self, to: str, pattern: str) -> str:
        """Wait for a mail to an address that holds a link fitting `pattern`, and return the newest."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            links = [link for mail in self.mails(to) for link in mail["links"] if re.search(pattern, link)]
            if links:
                return str(links[0])
            time.sleep(0.1)
        raise Unexpected(f"no mail to {to} with a link like {pattern}")
