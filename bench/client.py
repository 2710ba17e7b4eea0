"""A closed-loop HTTP client in one process: N connections, each sends its next request when the last answer is in.

Closed loop means *coordinated omission*: while the server stalls, no new request is sent, so the stall is counted
once per connection and not once per request that a steady stream of visitors would have sent. The percentiles are
therefore those of the served requests, and the tail under an open load is worse. The table says so.

Raw sockets and a selector keep the client's own share of the two cores small (about 40 µs a request); `wrk` is used
instead for plain reads where it is installed (`bench/load.py`).
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

Check = Callable[[int, bytes], bool]


@dataclass(frozen=True)
class Result:
    """What one run measured. Latencies are milliseconds."""

    done: int
    seconds: float
    p50_ms: float
    p99_ms: float
    statuses: dict[int, int]
    wrong: int = 0

    @property
    def per_second(self) -> float:
        """Return the answered requests per second."""
        return self.done / self.seconds


@dataclass
class _Connection:
    sock: socket.socket | None = None
    received: bytearray = field(default_factory=bytearray)
    sent_at: float = 0.0
    closing: bool = False


def request(method: str, path: str, *, host: str, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """Return the bytes of one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body or method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def parse(received: bytearray) -> tuple[int, bytes, bool] | None:
    """Return status, body and "the server closes" of a complete answer, or None while bytes are missing.

    Answers carry Content-Length or have no body (204, 304); the servers measured here send nothing else.
    """
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(received[:end]).lower()
    status = int(head[9:12])
    start = head.find(b"content-length:")
    length = 0
    if start >= 0 and status not in (204, 304):
        length = int(head[start + 15 :].split(b"\r\n", 1)[0])
    if len(received) < end + 4 + length:
        return None
    body = bytes(received[end + 4 : end + 4 + length])
    return status, body, b"connection: close" in head


def percentile(ordered: list[float], share: float) -> float:
    """Return the value below which `share` of an ordered list lies (nearest rank); 0 when it is empty."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class ClosedLoop:
    """Sixteen visitors who never pause, each on a connection of its own."""

    def __init__(self, url: str, requests: Iterator[bytes], *, connections: int, check: Check) -> None:
        parts = urlsplit(url)
        self.address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.requests = requests
        self.check = check
        self.selector = selectors.DefaultSelector()
        self.connections = [_Connection() for _ in range(connections)]
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.wrong = 0
        self.in_flight = 0

    def run(self, seconds: float) -> Result:
        """Send for `seconds`, wait for the last answers, and return the figures."""
        self.latencies, self.statuses, self.wrong = [], Counter(), 0
        begun = time.perf_counter()
        self.until = begun + seconds
        for connection in self.connections:
            self._send(connection)
        while self.in_flight:
            for key, _ in self.selector.select(timeout=30):
                self._receive(key.data)
            if time.perf_counter() > self.until + 60:
                raise RuntimeError(f"{self.in_flight} answers never came")
        took = time.perf_counter() - begun
        ordered = sorted(self.latencies)
        return Result(
            done=len(ordered),
            seconds=took,
            p50_ms=percentile(ordered, 0.50) * 1000,
            p99_ms=percentile(ordered, 0.99) * 1000,
            statuses=dict(self.statuses),
            wrong=self.wrong,
        )

    def close(self) -> None:
        """Close every connection."""
        for connection in self.connections:
            self._drop(connection)
        self.selector.close()

    def _send(self, connection: _Connection) -> None:
        payload = next(self.requests, None)
        if payload is None:
            return
        if connection.sock is None:
            connection.sock = socket.create_connection(self.address, timeout=30)
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(connection.sock, selectors.EVENT_READ, connection)
        connection.received.clear()
        connection.sent_at = time.perf_counter()
        connection.sock.sendall(payload)
        self.in_flight += 1

    def _receive(self, connection: _Connection) -> None:
        assert connection.sock is not None
        chunk = connection.sock.recv(262144)
        connection.received += chunk
        answer = parse(connection.received)
        if answer is None:
            if chunk:
                return
            answer = (0, b"", True)  # closed in the middle of an answer: counted as status 0, a failure
        status, body, closes = answer
        self.in_flight -= 1
        self.latencies.append(time.perf_counter() - connection.sent_at)
        self.statuses[status] += 1
        self.wrong += not self.check(status, body)
        if closes or not chunk:
            self._drop(connection)
        if time.perf_counter() < self.until:
            self._send(connection)

    def _drop(self, connection: _Connection) -> None:
        if connection.sock is not None:
            self.selector.unregister(connection.sock)
            connection.sock.close()
            connection.sock = None
