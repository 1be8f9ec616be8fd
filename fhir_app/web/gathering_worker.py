"""The gunicorn worker that gives a thread to whole requests only, so that slow clients cannot take all threads.

gunicorn's own threaded worker reads requests inside its few threads and without a time limit: as many clients as there
are threads, each of which sends one byte and waits, stop the service. Here the loop that also accepts connections
gathers the bytes, as a reverse proxy would, and closes what takes too long; a thread never waits for a request.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from selectors import EVENT_READ
from socket import SHUT_WR
from time import monotonic
from typing import Any

from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import Unreader
from gunicorn.workers.gthread import TConn, ThreadWorker

from fhir_app.scrubbed_log import log
from fhir_app.web.arriving_request import ArrivingRequest

_PIECE = 262_144  # most bytes of one connection in one turn of the loop
_SWEEP_SECONDS = 0.25
_LINGER_SECONDS = 2.0
_BODIES_AT_ONCE = 64  # as many largest bodies may be under way together

_STATUSES = {408: "Request Timeout", 431: "Request Header Fields Too Large"}


@dataclass(frozen=True)
class Limits:
    """How long a client may take for the header, and for all of its request; and the largest body."""

    header_seconds: float
    request_seconds: float
    body_bytes: int


class GatheringWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """`ThreadWorker`, but a connection waits in the loop until its request is whole, and again when it is closed.

    The application that it serves has its Limits as `limits`.
    What runs in the loop never blocks, and must not raise: gunicorn would end the process.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits: Limits = self.app.limits
        self._arriving: dict[TConn, _Arrival] = {}
        self._lingering: dict[TConn, float] = {}
        self._held = 0
        self._next_sweep = 0.0

    # --- in the loop ----------------------------------------------------------------------------------------------

    def enqueue_req(self, conn: TConn) -> None:
        """gunicorn calls this when a connection is new, readable again, or has sent its next request already."""
        conn.sock.setblocking(False)
        if conn.parser is None:
            conn.parser = RequestParser(self.cfg, conn.sock, conn.client)
            conn.parser.unreader = GatheredUnreader()
        before = conn.parser.unreader.take_buffered()
        self._gather(conn, _Arrival(ArrivingRequest(self._limits.body_bytes, before), monotonic()))

    def _gather(self, conn: TConn, arrival: _Arrival) -> None:
        """Take in what there is; then it is whole, or over, or waits for more."""
        request, ended = arrival.request, False
        if not request.is_whole():
            try:
                data = conn.sock.recv(_PIECE)
                ended = not data
                request.add(data)
            except BlockingIOError:
                pass
            except OSError:
                self._close(conn)
                return
        if request.is_whole() or (ended and request.received):
            conn.parser.unreader.hold(bytes(request.received), ended)
            conn.data_ready = True
            super().enqueue_req(conn)
        elif ended:
            self._close(conn)
        elif request.has_too_long_a_head:
            self._refuse(conn, 431, "header too long")
        else:
            self._wait(conn, arrival)

    def _wait(self, conn: TConn, arrival: _Arrival) -> None:
        if arrival.request.awaits_go_ahead and not arrival.told_to_go_ahead:
            arrival.told_to_go_ahead = True
            _send(conn, b"HTTP/1.1 100 Continue\r\n\r\n")
        self._arriving[conn] = arrival
        self._held += len(arrival.request.received)
        self.poller.register(conn.sock, EVENT_READ, partial(self._on_more, conn))
        self._make_room()

    def _on_more(self, conn: TConn, _sock: Any) -> None:
        if conn in self._arriving:  # not given up in this very turn of the loop
            self._gather(conn, self._no_longer_arriving(conn))

    def _no_longer_arriving(self, conn: TConn) -> _Arrival:
        arrival = self._arriving.pop(conn)
        self._held -= len(arrival.request.received)
        self.poller.unregister(conn.sock)
        return arrival

    def _make_room(self) -> None:
        """Never more in memory than some bodies; and a crowd of slow clients does not keep others from connecting."""
        while self._held > _BODIES_AT_ONCE * self._limits.body_bytes:
            self._give_up(max(self._arriving, key=lambda conn: len(self._arriving[conn].request.received)))
        if self.nr_conns >= self.worker_connections and 2 * len(self._arriving) > self.worker_connections:
            self._give_up(min(self._arriving, key=lambda conn: self._arriving[conn].since))

    def _give_up(self, conn: TConn) -> None:
        self._no_longer_arriving(conn)
        self._tell(conn, 408, "too much at once")
        self._close(conn)

    def murder_pending(self) -> None:
        """gunicorn calls this in every turn of its loop, at least once a second."""
        now = monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + _SWEEP_SECONDS
        for conn, arrival in list(self._arriving.items()):
            if now >= arrival.since + self._seconds_for(arrival.request):
                self._no_longer_arriving(conn)
                if arrival.request.received:
                    self._refuse(conn, 408, "body too slow" if arrival.request.has_head else "header too slow")
                else:
                    self._close(conn)
        for conn in [conn for conn, until in self._lingering.items() if now >= until]:
            self._stop_lingering(conn)

    def _seconds_for(self, request: ArrivingRequest) -> float:
        if not self.alive and not request.received:
            return _LINGER_SECONDS  # a stopping service does not wait for those who have not begun
        return self._limits.request_seconds if request.has_head else self._limits.header_seconds

    # --- in a thread ----------------------------------------------------------------------------------------------

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """The body is here, so nobody is told to go ahead; and a client that does not read is not waited for either."""
        req._expected_100_continue = False
        conn.sock.settimeout(self._limits.request_seconds)
        keep: bool = super().handle_request(req, conn)
        return keep

    # --- the end of a connection ----------------------------------------------------------------------------------

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """In the loop again. gunicorn would wait here, and with it everybody, until the client closes its side."""
        if fs.cancelled() or fs.exception() is not None or not fs.result():
            self._linger(conn)
        else:
            super().finish_request(conn, fs)

    def _refuse(self, conn: TConn, status: int, reason: str) -> None:
        self._tell(conn, status, reason)
        self._linger(conn)

    def _tell(self, conn: TConn, status: int, reason: str) -> None:
        log().info("request refused", status=status, reason=reason)
        head = f"HTTP/1.1 {status} {_STATUSES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        _send(conn, head.encode())

    def _linger(self, conn: TConn) -> None:
        """https://www.rfc-editor.org/rfc/rfc9112#section-9.6: closed at once, the last reply might not be read."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(SHUT_WR)
        except OSError:
            self._close(conn)
            return
        self._lingering[conn] = monotonic() + _LINGER_SECONDS
        self.poller.register(conn.sock, EVENT_READ, partial(self._discard, conn))

    def _discard(self, conn: TConn, _sock: Any) -> None:
        try:
            is_over = not conn.sock.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            is_over = True
        if is_over:
            self._stop_lingering(conn)

    def _stop_lingering(self, conn: TConn) -> None:
        del self._lingering[conn]
        self.poller.unregister(conn.sock)
        self._close(conn)

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()


class _Arrival:
    """A request under way, and since when."""

    def __init__(self, request: ArrivingRequest, since: float) -> None:
        self.request = request
        self.since = since
        self.told_to_go_ahead = False


class GatheredUnreader(Unreader):  # type: ignore[misc]  # gunicorn has no types
    """Where gunicorn's parser reads: what was gathered, then the end, or a TimeoutError when there is more to come."""

    def __init__(self) -> None:
        super().__init__()
        self._data = b""
        self._ended = False

    def hold(self, data: bytes, ended: bool) -> None:
        """`ended`: the client will send no more."""
        self._data, self._ended = data, ended

    def chunk(self, size_hint: int | None = None) -> bytes:
        data, self._data = self._data, b""
        if not data and not self._ended:
            raise TimeoutError
        return data


def _send(conn: TConn, data: bytes) -> None:
    """A few bytes to somebody who may be gone."""
    try:
        conn.sock.send(data)
    except OSError:
        return
