"""The Stripe simulator as tests use it: a real process, real HTTP, and the buyer's browser in a few lines."""

import http.client
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import stripe

ROOT = Path(__file__).parents[1]
KEY, SECRET = "sk_test_local", "whsec_local"
WORKS, DECLINED, CHALLENGE, DEBIT = "4242424242424242", "4000000000000002", "4000002500003155", "AT611904300234573201"


class StripeServer:
    """One running simulator."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        arguments = ["--port", "0", "--data", str(folder), "--key", KEY, "--webhook-secret", SECRET]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "market.simulators.stripe", *arguments, *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[-1]

    def stop(self) -> int:
        self.process.terminate()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(timeout=10)

    def request(self, method: str, url: str, body: bytes = b"", **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        try:
            connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def control(self, name: str, **facts: Any) -> dict[str, Any]:
        status, _, body = self.request("POST", f"/_control/{name}", json.dumps(facts).encode(), Authorization=f"Bearer {KEY}")
        assert status == 200, body
        return json.loads(body)

    def effects(self, kind: str) -> list[dict[str, Any]]:
        return [effect for effect in self.control("effects")["effects"] if effect["kind"] == kind]

    def submit(self, url: str, **form: str) -> tuple[int, str | None, str]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        status, answer, body = self.request("POST", url, urlencode(form).encode(), **headers)
        return status, answer["Location"], body.decode()

    def pay(self, url: str, card: str = WORKS) -> str:
        """Pay a hosted page as a buyer would and return where the browser is sent."""
        status, location, body = self.submit(url, **({"iban": card} if card.startswith("AT") else {"test": card}))
        assert status == 303, body
        assert location is not None
        if "/3ds/" in location:
            status, location, body = self.submit(location, decision="approve")
            assert status == 303, body
            assert location is not None
        return location

    def answer_challenge(self, intent: stripe.PaymentIntent, *, approve: bool) -> None:
        """Answer the bank's question (3-D Secure) on the intent's page."""
        self.submit(f"/3ds/{intent.id}", decision="approve" if approve else "refuse")
