"""Clients that send slowly, not at all, or more than they should, against the service as a process of its own."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

import pytest
import requests

from fhir_app.cli.serve import MOST_CONNECTIONS
from tests.cli.test_serve import SAMPLE, serving

pytestmark = pytest.mark.slow

HOST = b"Host: localhost\r\n"
POST = b"POST /fhir/QuestionnaireResponse HTTP/1.1\r\n" + HOST + b"Content-Type: application/fhir+json\r\n"
PROBE = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
STALLED = {
    "nothing": b"",
    "one byte": b"G",
    "half a header": b"GET /healthz HTTP/1.1\r\nHost: loc",
    "half a body": POST + b'Content-Length: 200\r\n\r\n{"resourceType"',
    "half a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{",
    "half a trailer": POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX:",
    "one request and half of the next": PROBE + b"GET /hea",
    "too large a body": POST + b"Content-Length: 2000000\r\n\r\n{",
    "a reply and no goodbye": b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("slow")
    with serving(folder, THREADS=2, HEADER_SECONDS=1, REQUEST_SECONDS=2) as (_, base, _):
        yield base


def connected(base: str) -> socket.socket:
    made = socket.create_connection((urlsplit(base).hostname, urlsplit(base).port))
    made.settimeout(10)
    return made


def told(connection: socket.socket) -> bytes:
    """Everything until the service closes."""
    received = b""
    while more := connection.recv(65_536):
        received += more
    return received


@pytest.mark.parametrize("sent", STALLED.values(), ids=STALLED)
def test_others_are_answered_at_once_while_some_stall(base: str, sent: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(12):
            stack.enter_context(connected(base)).sendall(sent)
        for _ in range(3):
            began = monotonic()
            assert requests.get(f"{base}/healthz", timeout=10).ok
            assert monotonic() - began < 0.9, "somebody was waited for"


def test_a_crowd_that_stalls_keeps_nobody_from_connecting(base: str) -> None:
    with ExitStack() as stack:
        for _ in range(MOST_CONNECTIONS + 50):
            stack.enter_context(connected(base)).sendall(b"G")
        began = monotonic()
        assert requests.get(f"{base}/healthz", timeout=10).ok
        assert monotonic() - began < 0.9


@pytest.mark.parametrize(("name", "seconds"), [("one byte", 1), ("half a body", 2), ("half a chunk", 2)])
def test_who_stalls_is_told_and_dropped(base: str, name: str, seconds: int) -> None:
    with connected(base) as connection:
        began = monotonic()
        connection.sendall(STALLED[name])
        assert told(connection).startswith(b"HTTP/1.1 408 ")
        assert seconds - 0.1 < monotonic() - began < seconds + 3


def test_who_never_says_a_word_is_dropped_without_one(base: str) -> None:
    with connected(base) as connection:
        assert told(connection) == b""


def test_a_byte_now_and_then_does_not_lengthen_the_time(base: str) -> None:
    with connected(base) as connection:
        began = monotonic()
        connection.sendall(POST + b"Content-Length: 2000\r\n\r\n")
        connection.settimeout(0.2)
        received = b""
        while not received and monotonic() - began < 10:
            connection.sendall(b" ")
            try:
                received = connection.recv(1000)
            except TimeoutError:
                continue
        assert received.startswith(b"HTTP/1.1 408 ")
        assert monotonic() - began < 5


def test_a_slow_but_honest_client_is_served(base: str) -> None:
    body = SAMPLE.read_bytes()
    with connected(base) as connection:
        connection.sendall(POST + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body))
        for at in range(0, len(body), len(body) // 4):
            sleep(0.2)
            connection.sendall(body[at : at + len(body) // 4])
        assert told(connection).startswith((b"HTTP/1.1 201 ", b"HTTP/1.1 200 "))


def test_a_body_is_read_in_chunks_and_after_a_go_ahead_alike(base: str) -> None:
    body = SAMPLE.read_bytes()
    for head, sent in (
        (b"Transfer-Encoding: chunked\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)),
        (b"Content-Length: %d\r\n" % len(body), body),
    ):
        with connected(base) as connection:
            connection.sendall(POST + head + b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
            assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(sent)
            assert told(connection).startswith((b"HTTP/1.1 201 ", b"HTTP/1.1 200 "))


def test_requests_that_come_together_are_answered_in_turn(base: str) -> None:
    with connected(base) as connection:
        connection.sendall(PROBE * 3 + STALLED["a reply and no goodbye"])
        connection.shutdown(socket.SHUT_WR)
        assert told(connection).count(b"HTTP/1.1 200 ") == 4


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large_a_body_is_told_so_in_either_form(base: str, chunked: bool) -> None:
    body = b'{"a":"' + b"x" * 3_000_000 + b'"}'
    data = iter([body]) if chunked else body
    headers = {"Content-Type": "application/fhir+json"}
    reply = requests.post(f"{base}/fhir/QuestionnaireResponse", data, headers=headers, timeout=30)
    assert reply.status_code == 413


def test_a_header_without_end_is_refused(base: str) -> None:
    with connected(base) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000)
        assert told(connection).startswith(b"HTTP/1.1 431 ")


def test_a_request_that_cannot_be_read_leaves_nothing_of_it_in_the_log(tmp_path: Path) -> None:
    bad = (
        b"GET /fhir/Observation?name=Jane Marker HTTP/1.1\r\n" + HOST + b"\r\n",
        b"Marker /fhir HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-Jane Marker: 1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"Marker: a\x01b\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nMarker\r\n",
        b"GET /Marker HTTP/1.1\nHost: localhost\n\n",
    )
    with serving(tmp_path, HEADER_SECONDS=1) as (_, base, log):
        for data in bad:
            with connected(base) as connection:
                connection.sendall(data)
                assert told(connection).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 408 "))
        written = log.read_text()
    assert "marker" not in written.lower()
    faults = {line["error"] for line in map(json.loads, written.splitlines()) if line["event"] == "gunicorn"}
    assert {"InvalidHTTPVersion", "InvalidHeaderName", "InvalidHeader"} <= faults


def test_a_service_that_stops_does_not_wait_for_those_who_have_not_begun(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, base, log), connected(base):
        sleep(0.2)
        began = monotonic()
        process.terminate()
        assert process.wait(timeout=30) == 0, log.read_text()
        assert monotonic() - began < 8
