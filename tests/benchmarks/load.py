"""A load of many connections from one process: ready-made requests over raw sockets, so that it costs little itself."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter


@dataclass
class Measured:
    """What one second of load came to."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds


def request_bytes(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nPrefer: return=minimal\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def run(port: int, requests: Iterator[bytes], *, connections: int, seconds: float) -> Measured:
    """Keeps `connections` busy for `seconds`, one request at a time on each."""
    measured = Measured()
    selector = selectors.DefaultSelector()
    started: dict[socket.socket, float] = {}
    received: dict[socket.socket, bytes] = {}
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
    begin = perf_counter()
    for key in list(selector.get_map().values()):
        _send(key.fileobj, requests, started, received)  # type: ignore[arg-type]
    while (now := perf_counter()) < begin + seconds:
        for key, _ in selector.select(timeout=seconds):
            connection = key.fileobj  # type: ignore[assignment]
            received[connection] += connection.recv(65536)
            status = _status_when_whole(received[connection])
            if status is None:
                continue
            measured.latencies.append(perf_counter() - started[connection])
            measured.statuses[status] = measured.statuses.get(status, 0) + 1
            _send(connection, requests, started, received)
    measured.seconds = now - begin
    for key in list(selector.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    selector.close()
    return measured


def _send(
    connection: socket.socket,
    requests: Iterator[bytes],
    started: dict[socket.socket, float],
    received: dict[socket.socket, bytes],
) -> None:
    received[connection] = b""
    started[connection] = perf_counter()
    connection.sendall(next(requests))


def _status_when_whole(data: bytes) -> int | None:
    """The status once the whole reply is there (Content-Length, as both servers send it)."""
    head, found, rest = data.partition(b"\r\n\r\n")
    if not found:
        return None
    lines = head.split(b"\r\n")
    length = next((int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")), 0)
    return int(lines[0].split()[1]) if len(rest) >= length else None
