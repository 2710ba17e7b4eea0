"""Connections that stay open, shared evenly by the web processes (docs/decisions/0110).

Linux deals new connections to the processes by a hash. Of sixteen, one process often gets ten and the other six: whoever is
among the ten waits longer, while the other process has time to spare. A process that has more than its share therefore lets
some go with the answer they wait for (`Connection: close`, RFC 9112 9.6): the client, or the proxy in front, opens a new
connection, which is dealt anew. Elsewhere than on Linux nothing is counted and nobody let go.
"""

import mmap
import os
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOOK_EVERY_S = 0.25
FEW = 4
"""With so many, or fewer, nobody waits long enough to be worth a new connection."""
_STANDS_S = 1.0  # a process that said nothing for so long serves nobody
_ESTABLISHED, _LISTEN = 1, 10  # states of Linux's struct tcp_info
_LAST_RECEIVED = struct.Struct("=52xI")  # its tcpi_last_data_recv, in milliseconds
_ROW = struct.Struct("=qdq")


class Table:
    """What each process said last of itself, in memory that those forked later share: process, instant, connections."""

    def __init__(self, processes: int = 64) -> None:
        self._rows = [number * _ROW.size for number in range(processes)]
        self._memory = mmap.mmap(-1, processes * _ROW.size)

    def say(self, process: int, now: float, connections: int) -> list[int]:
        """Note a process's active connections; return those of all that spoke lately, its own among them.

        Two processes that begin together may take the same row; whoever no longer finds itself there takes another.
        """
        own = free = None
        lately = [connections]
        for row in self._rows:
            who, spoke_at, count = _ROW.unpack_from(self._memory, row)
            if who == process:
                own = row
            elif now - spoke_at < _STANDS_S and who:
                lately.append(count)
            elif free is None:
                free = row
        place = free if own is None else own
        if place is not None:
            _ROW.pack_into(self._memory, place, process, now, connections)
        return lately


class Evened:
    """The WSGI application, which lets connections go when this process has more than its share of them."""

    def __init__(
        self,
        app: "WSGIApplication",
        table: Table,
        *,
        count: Callable[[], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
        process: Callable[[], int] = os.getpid,
    ) -> None:
        self._app, self._table, self._clock, self._process = app, table, clock, process
        self._count = count or (active if sys.platform == "linux" else (lambda: 0))
        self._look_at = 0.0
        self._surplus = 0

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer, and say whether the connection ends."""
        now = self._clock()
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            lately = self._table.say(self._process(), now, own := self._count())
            self._surplus = int(own - sum(lately) / len(lately)) if own > FEW else 0
        if self._surplus <= 0 or environ["SERVER_PROTOCOL"] != "HTTP/1.1":
            return self._app(environ, start_response)
        self._surplus -= 1

        def start_last(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, [*headers, ("Connection", "close")], exc_info)

        return self._app(environ, start_last)


def active() -> int:
    """Return how many connections to this process's own ports brought something within the last second.

    Those that idle count for nothing: letting a busy one go for them would make the others busier.
    """
    ports, found = set(), []
    for name in os.listdir("/proc/self/fd"):
        try:
            one = socket.socket(fileno=int(name))
        except OSError:
            continue  # no socket, or closed meanwhile
        try:
            facts = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_RECEIVED.size)
            port = one.getsockname()[1]
        except OSError:
            continue  # no TCP
        finally:
            one.detach()
        if facts[0] == _LISTEN:
            ports.add(port)
        elif facts[0] == _ESTABLISHED and _LAST_RECEIVED.unpack(facts)[0] < 1000:
            found.append(port)
    return sum(port in ports for port in found)
