"""localstripe as tests use it: somebody else's idea of the card processor, as a process of its own (decision 0096).

It is under the GPL, so it is started and never imported. It keeps a copy of its store in one place for all (`/tmp`), which
`--from-scratch` never reads, and listens on all addresses of the machine: there is no option for either.
"""

import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import requests
import stripe

from tests.stripe_server import KEY

KEPT = Path("/tmp/localstripe.pickle")


class LocalStripe:
    """One running localstripe."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "localstripe.log"
        command = [sys.executable, "-u", "-m", "localstripe", "--port", "0", "--from-scratch"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=os.environ, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        said = self.process.stdout.readline()  # it says where it listens once it does
        found = re.search(r":(\d+) =", said)
        if found is None:
            raise RuntimeError(f"localstripe did not start; it said: {said}{self.log.read_text()[-2000:]}")
        self.url = f"http://127.0.0.1:{found[1]}"

    def stop(self) -> int:
        self.process.terminate()
        assert self.process.stdout is not None
        self.process.stdout.close()
        code = self.process.wait(timeout=10)
        with suppress(PermissionError):  # somebody else's, who tests here, too
            KEPT.unlink(missing_ok=True)
        return code

    def answer_challenge(self, intent: stripe.PaymentIntent, *, approve: bool) -> None:
        """Answer the bank's question (3-D Secure) as the buyer's browser does; a card that is declined then answers 402."""
        form = {"client_secret": intent.client_secret, "success": str(approve).lower()}
        answer = requests.post(f"{self.url}/v1/payment_intents/{intent.id}/_authenticate", form, auth=(KEY, ""), timeout=10)
        assert answer.status_code in (200, 402), answer.text

    def register_webhook(self, name: str, url: str, secret: str, events: list[str]) -> None:
        """Deliver events of these kinds to `url` from now on; none takes the registration back."""
        wanted = {"url": url, "secret": secret, "events": events}
        requests.post(f"{self.url}/_config/webhooks/{name}", json=wanted, timeout=10).raise_for_status()
