"""A person with a browser: cookies, forms with their hidden fields, redirects, and the JSON API by the same session.

Only the standard library: this walks the site from outside and knows nothing of its insides.
"""

import json
import re
import secrets
import time
from collections.abc import Callable
from html import unescape
from http.client import HTTPConnection, RemoteDisconnected
from http.cookies import SimpleCookie
from typing import Any, Self
from urllib.parse import urlencode, urljoin, urlsplit

TIMEOUT_S = 60


class Unexpected(AssertionError):
    """The site answered otherwise than the job needs."""


class Answer:
    """What came back, and from where after redirects."""

    def __init__(self, url: str, status: int, headers: dict[str, str], body: bytes) -> None:
        self.url, self.status, self.headers, self.body = url, status, headers, body

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def hidden(self, name: str) -> str:
        """Return the value of a hidden field of the page."""
        found = re.search(rf'name="{re.escape(name)}" value="([^"]*)"', self.text)
        if found is None:
            raise Unexpected(f"{self.url} has no field {name}")
        return unescape(found[1])


class Browser:
    """One person's browser. `name` says in errors whose it is."""

    def __init__(self, site: str, name: str = "guest") -> None:
        self.site, self.name = site.rstrip("/"), name
        self._cookies: dict[str, dict[str, str]] = {}
        self._connections: dict[str, HTTPConnection] = {}
        self._token = ""

    def get(self, path: str, *, expect: int = 200) -> Answer:
        """Open a page, following redirects."""
        return self._follow(self._send("GET", self._url(path), b"", {}), expect)

    def submit(self, path: str, data: dict[str, Any], *, page: str | None = None, expect: int = 200) -> Answer:
        """Send a form with the token of `page` (or of the form's own page), following the redirect."""
        form = self.get(page or path)
        token = form.hidden("csrf_token")
        pairs = [(key, str(one)) for key, value in data.items() for one in (value if isinstance(value, list) else [value])]
        return self.post_form(self._url(path), [("csrf_token", token), *pairs], expect=expect)

    def post_form(self, url: str, pairs: list[tuple[str, str]], *, expect: int = 200) -> Answer:
        """Send form fields as they are."""
        body = urlencode(pairs).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._follow(self._send("POST", url, body, headers), expect)

    def upload(self, path: str, fields: dict[str, str], file: tuple[str, str, bytes], *, page: str, expect: int = 200) -> Answer:
        """Send a form with a file: (field, file name, content)."""
        token = self.get(page).hidden("csrf_token")
        edge = secrets.token_hex(16)
        parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()]
        parts.append(f'--{edge}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n')
        field, name, content = file
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
        body = "".join(parts).encode() + head.encode() + content + f"\r\n--{edge}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        return self._follow(self._send("POST", self._url(path), body, headers), expect)

    def api(self, method: str, path: str, body: Any = None, *, expect: int | tuple[int, ...] = (200, 201, 202, 204)) -> Any:
        """Call the API with this session; a fresh Idempotency-Key goes with every write. Returns the JSON, or None."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if method != "GET":
            headers |= {"Idempotency-Key": secrets.token_hex(16), "X-CSRFToken": self._token, "Referer": self.site}
        payload = b"" if body is None else json.dumps(body).encode()
        answer = self._send(method, self._url("/api/v1" + path), payload, headers)
        self._check(answer, expect if isinstance(expect, tuple) else (expect,))
        return answer.json if answer.body else None

    def until(self, method: str, path: str, done: Callable[[Any], bool], *, patience_s: float = 240) -> Any:
        """Ask the API again and again until `done` says yes to its answer; workers need a moment."""
        end = time.monotonic() + patience_s
        while not done(seen := self.api(method, path)):
            if time.monotonic() > end:
                raise Unexpected(f"{self.name}: {path} did not get there: {str(seen)[:500]}")
            time.sleep(0.3)
        return seen

    def raw(self, method: str, path: str, body: bytes, content_type: str, *, expect: tuple[int, ...] = (200, 201, 202)) -> Answer:
        """Send bytes to the API with this session."""
        headers = {"Content-Type": content_type, "X-CSRFToken": self._token, "Referer": self.site}
        headers["Idempotency-Key"] = secrets.token_hex(16)
        answer = self._send(method, self._url("/api/v1" + path), body, headers)
        self._check(answer, expect)
        return answer

    def sign_in(self, email: str, password: str) -> dict[str, Any]:
        """Start a session; return who the site says this is."""
        self.name = email
        answer: dict[str, Any] = self.api("POST", "/session", {"email": email, "password": password})
        self._token = answer["csrf_token"]
        return dict(answer["me"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open."""
        for connection in self._connections.values():
            connection.close()

    def _url(self, path: str) -> str:
        return urljoin(self.site + "/", path)

    def _follow(self, answer: Answer, expect: int) -> Answer:
        for _ in range(8):
            if answer.status not in (301, 302, 303, 307, 308):
                break
            answer = self._send("GET", urljoin(answer.url, answer.headers["location"]), b"", {})
        self._check(answer, (expect,))
        return answer

    def _check(self, answer: Answer, expected: tuple[int, ...]) -> None:
        if answer.status not in expected:
            words = re.sub(r"<[^>]*>|\s+", " ", answer.text)[:600]
            raise Unexpected(f"{self.name}: {answer.url} answered {answer.status}, not {expected}: {words}")

    def _send(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        parts = urlsplit(url)
        jar = self._cookies.setdefault(parts.netloc, {})
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        sent = {"Cookie": "; ".join(f"{key}={value}" for key, value in jar.items())} if jar else {}
        response = self._request(parts.netloc, method, target, body, headers | sent)
        content = response.read()
        for line in response.headers.get_all("Set-Cookie") or []:
            for key, morsel in SimpleCookie(line).items():
                jar[key] = morsel.value
        return Answer(url, response.status, {key.lower(): value for key, value in response.getheaders()}, content)

    def _request(self, host: str, method: str, target: str, body: bytes, headers: dict[str, str]) -> Any:
        connection = self._connections.setdefault(host, HTTPConnection(host, timeout=TIMEOUT_S))
        try:
            connection.request(method, target, body, headers)
            return connection.getresponse()
        except (RemoteDisconnected, BrokenPipeError, ConnectionResetError):  # the server closed an idle connection
            connection.close()
            connection.request(method, target, body, headers)
            return connection.getresponse()
