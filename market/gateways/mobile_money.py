"""The mobile-money rail: transfers to a phone number's wallet, as MTN MoMo's disbursement API does them (money.md 6.2).

We name each transfer by a reference of our own (UUID version 4, derived from the payout's key, so that it is the same in
every attempt). 202 means taken, not paid; a repeated reference answers 409, which means that it is there already; 404 on a
question means that it never arrived. Only SUCCESSFUL and FAILED are decisions. Everything else is unsure, and asked again.
"""

import base64
import http.client
import json
import re
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from market.kernel.ids import derived_id
from market.kernel.uow import gateway
from market.payouts.ports import Accepted, Answer, NotFound, Pending, Refused, TransferOrder, Unsure
from market.payouts.rules.timing import Capabilities

TIMEOUT_SECONDS = 20.0
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_TRY_LATER = frozenset({401, 403, 408, 409, 425, 429})
"""Answers below 500 that say nothing about the transfer itself."""


class Unreachable(Exception):
    """The provider gave no answer that can be read."""


def reference_of(key: str) -> UUID:
    """Return the reference under which the provider knows the transfer with this key."""
    return derived_id(f"momo:{key}")


@gateway
class MobileMoney:
    """`market.payouts.ports.Rail` over HTTP, and the names of wallets (`market.producers.ports.WalletNames`)."""

    capabilities = Capabilities(idempotent=True, askable=True, statement=True, reversible=False)

    def __init__(
        self,
        *,
        api_base: str,
        user: str,
        key: str,
        subscription: str,
        target: str,
        callback: str,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._base, self._timeout = urlsplit(api_base), timeout
        self._login = base64.b64encode(f"{user}:{key}".encode()).decode()
        self._headers = {"Ocp-Apim-Subscription-Key": subscription, "X-Target-Environment": target}
        self._callback = callback
        self._lock, self._token, self._until = threading.Lock(), "", 0.0

    def check_details(self, details: Mapping[str, str]) -> str | None:
        """Return what is wrong with a payee's details, in words for staff."""
        number = details.get("msisdn", "")
        return None if _PHONE.fullmatch(number) else "The wallet's phone number must begin with + and the country's code."

    def send(self, order: TransferOrder) -> Answer:
        """Order the transfer; what the provider does not take is refused only when it does not know the reference either."""
        if problem := self.check_details(order.details):
            return Refused(problem)
        reference = reference_of(order.key)
        body = {
            "amount": f"{order.money.decimal:f}",
            "currency": order.money.currency,
            "externalId": order.reference,
            "payee": {"partyIdType": "MSISDN", "partyId": order.details["msisdn"].removeprefix("+")},
            "payerMessage": order.reference,
            "payeeNote": order.reference,
        }
        headers = {"X-Reference-Id": str(reference)} | ({"X-Callback-Url": self._callback} if self._callback else {})
        try:
            status, answer = self._call("POST", "/disbursement/v1_0/transfer", headers, body)
        except Unreachable as error:
            return Unsure(str(error))
        if status == 202:
            return Pending(str(reference))
        if status == 409:
            return self._asked(order)
        if 400 <= status < 500 and status not in _TRY_LATER:
            known = self._asked(order)
            return Refused(_reason(answer)) if isinstance(known, NotFound) else known
        return Unsure(f"the provider answered {status}: {_reason(answer)}")

    def ask(self, order: TransferOrder) -> Answer:
        """Return what the provider says about our reference."""
        return self._asked(order)

    def cancel(self, order: TransferOrder) -> Answer:
        """Nothing can be stopped here: say what became of the order, or that nobody can know yet."""
        answer = self._asked(order)
        return Unsure("a transfer cannot be stopped once it was sent") if isinstance(answer, NotFound | Pending) else answer

    def holder_of(self, msisdn: str) -> str | None:
        """Return the name under which the provider knows a number; None when it does not say."""
        path = f"/disbursement/v1_0/accountholder/msisdn/{msisdn.removeprefix('+')}/basicuserinfo"
        try:
            status, answer = self._call("GET", path, {})
        except Unreachable:
            return None
        names = [str(answer.get(part) or "").strip() for part in ("given_name", "family_name")]
        return " ".join(filter(None, names)) or None if status == 200 else None

    def _asked(self, order: TransferOrder) -> Answer:
        reference = reference_of(order.key)
        try:
            status, answer = self._call("GET", f"/disbursement/v1_0/transfer/{reference}", {})
        except Unreachable as error:
            return Unsure(str(error))
        if status == 404:
            return NotFound()
        if status != 200:
            return Unsure(f"the provider answered {status}: {_reason(answer)}")
        if not _is_ours(answer, order):
            return Unsure("the provider knows another transfer under this reference")
        match answer.get("status"):
            case "SUCCESSFUL":
                return Accepted(str(answer.get("financialTransactionId") or reference))
            case "FAILED":
                return Refused(_reason(answer.get("reason")))
            case "PENDING":
                return Pending(str(reference))
        return Unsure(f"the provider says {answer.get('status')}")

    def _call(
        self, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        for _ in range(2):
            token = self._current_token()
            status, answer = self._request(method, path, {"Authorization": f"Bearer {token}", **headers}, body)
            if status != 401:
                break
            with self._lock:
                self._until = 0.0  # the token ended early: a refused call had no effect, so it may be made again
        return status, answer

    def _current_token(self) -> str:
        with self._lock:
            if time.monotonic() >= self._until:
                status, answer = self._request("POST", "/disbursement/token/", {"Authorization": f"Basic {self._login}"}, None)
                if status != 200 or not answer.get("access_token"):
                    raise Unreachable(f"the provider gives no access: {status} {_reason(answer)}")
                self._token = str(answer["access_token"])
                self._until = time.monotonic() + max(float(answer.get("expires_in") or 0) - 60, 1)
            return self._token

    def _request(
        self, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        kind = http.client.HTTPSConnection if self._base.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._base.netloc, timeout=self._timeout)
        content = b"" if body is None else json.dumps(body).encode()
        try:
            connection.request(
                method, self._base.path + path, content, {**self._headers, **headers, "Content-Type": "application/json"}
            )
            response = connection.getresponse()
            raw = response.read(1_000_000)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
        try:
            answer = json.loads(raw or b"{}")
        except ValueError:
            answer = {}
        return response.status, answer if isinstance(answer, dict) else {}


def _is_ours(answer: Mapping[str, Any], order: TransferOrder) -> bool:
    """Whether the provider's record has our amount, currency and reference, as far as it names them."""
    ours = {"amount": f"{order.money.decimal:f}", "currency": order.money.currency, "externalId": order.reference}
    return all(str(answer.get(name, value)) == value for name, value in ours.items())


def _reason(answer: object) -> str:
    """Return the provider's words: a code, a message, or both."""
    if isinstance(answer, Mapping):
        return " ".join(str(answer[part]) for part in ("code", "message") if answer.get(part)) or "no reason given"
    return str(answer or "no reason given")
