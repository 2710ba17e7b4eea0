"""Connections that stay open are shared evenly by the web processes."""

import socket
import sys
from collections import Counter

import pytest

from market.http.connections import LOOK_EVERY_S, Evened, Table, active


class Process:
    """A web process of four, with connections that each ask once a round."""

    def __init__(self, number: int, table: Table, clock, connections: int) -> None:
        self.connections = connections
        self.app = Evened(self.answer, table, count=lambda: self.connections, clock=clock, process=lambda: number)

    def answer(self, environ, start_response):
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    def round(self, protocol: str = "HTTP/1.1") -> int:
        """Answer each connection; return how many were let go."""
        said = Counter()
        for _ in range(self.connections):
            self.app({"SERVER_PROTOCOL": protocol}, lambda status, headers, exc_info=None: said.update(headers))
        return said["Connection", "close"]


def processes(*connections: int) -> tuple[list[Process], list[float]]:
    table, now = Table(), [100.0]
    return [Process(n, table, lambda: now[0], count) for n, count in enumerate(connections, 1)], now


@pytest.mark.parametrize(
    ("connections", "let_go"),
    [
        ((10, 6), [2, 0]),
        ((9, 7), [1, 0]),
        ((9, 8), [0, 0]),
        ((8, 8), [0, 0]),
        ((4, 0), [0, 0]),
        ((5, 0), [2, 0]),
        ((16, 0, 0, 0), [12, 0, 0, 0]),
    ],
)
def test_a_process_lets_go_what_is_more_than_its_share(connections, let_go):
    everybody, now = processes(*connections)
    for each in everybody:
        each.app({"SERVER_PROTOCOL": "HTTP/1.1"}, lambda *_: None)  # nobody knows of the others yet
    assert [each.round() for each in everybody] == [0] * len(everybody)
    now[0] += LOOK_EVERY_S
    assert [each.round() for each in everybody] == let_go
    assert [each.round() for each in everybody] == [0] * len(everybody)  # until it looks again


def test_a_process_that_ended_takes_no_part_and_leaves_its_row():
    (one, other), now = processes(10, 0)
    other.app({"SERVER_PROTOCOL": "HTTP/1.1"}, lambda *_: None)
    now[0] += 60
    assert one.round() == 0
    table = Table(processes=1)
    assert table.say(1, 100.0, 5) == [5]
    assert table.say(2, 100.5, 3) == [3, 5]  # no room: it is not heard, and hears
    assert table.say(2, 102.0, 3) == [3]
    assert table.say(1, 102.5, 5) == [5, 3]


def test_only_a_connection_of_http_1_1_is_told():
    (one, other), now = processes(12, 2)
    other.round()
    assert one.round("HTTP/2") == 0
    now[0] += LOOK_EVERY_S
    assert one.round() == 5


@pytest.mark.skipif(sys.platform != "linux", reason="counts by Linux's struct tcp_info")
def test_connections_to_own_ports_are_counted():
    before = active()
    with socket.create_server(("127.0.0.1", 0)) as server:
        clients = [socket.create_connection(server.getsockname()) for _ in range(3)]
        served = [server.accept()[0] for _ in clients]
        for client, end in zip(clients, served, strict=True):
            client.sendall(b"x")
            end.recv(1)
        assert active() == before + 3  # and not the clients' ends
        for each in (*clients, *served):
            each.close()
        assert active() == before
