"""The mobile-money simulator as tests use it: a real process and real HTTP."""

import http.client
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from market.gateways.mobile_money import MobileMoney

ROOT = Path(__file__).parents[1]
KEY = "momo-local"


class MomoServer:
    """One running simulator; it decides when it is told to, unless a time is given."""

    def __init__(self, folder: Path, *, decide_after: float = 1e9) -> None:
        arguments = ["--port", "0", "--data", str(folder), "--key", KEY, "--decide-after", str(decide_after)]
        self.log = folder / "effects.jsonl"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "market.simulators.momo", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[-1]

    def stop(self) -> int:
        self.process.terminate()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(timeout=10)

    def control(self, name: str, **facts: Any) -> dict[str, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        try:
            connection.request("POST", f"/_control/{name}", json.dumps(facts), {"Authorization": f"Bearer {KEY}"})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        assert answer.status == 200, body
        return json.loads(body)

    def effects(self) -> list[dict[str, Any]]:
        return self.control("effects")["effects"]

    def gateway(self, *, callback: str = "", timeout: float = 2.0) -> MobileMoney:
        return wallets_at(self.url, callback=callback, timeout=timeout)


def wallets_at(url: str, *, callback: str = "", timeout: float = 2.0) -> MobileMoney:
    return MobileMoney(
        api_base=url, user="market", key=KEY, subscription="s", target="sandbox", callback=callback, timeout=timeout
    )
