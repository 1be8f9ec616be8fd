"""When a request is all there, however its bytes were cut on the way."""

from __future__ import annotations

import pytest

from fhir_app.web.arriving_request import HEAD_BYTES, ArrivingRequest

MOST = 1000
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /fhir/QuestionnaireResponse HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

WHOLE = {
    "no body": GET,
    "no header at all": b"GET / HTTP/1.0\r\n\r\n",
    "a body": POST + b"Content-Length: 5\r\n\r\n{   }",
    "an empty body": POST + b"content-length:0\r\n\r\n",
    "chunks": CHUNKED + b"3\r\n{  \r\n2;name=value\r\n }\r\n0\r\n\r\n",
    "chunks that look like their end": CHUNKED + b"5\r\n0\r\n\r\n\r\n0\r\n\r\n",
    "chunks and a trailer": CHUNKED + b"A\r\n0123456789\r\n0\r\nDigest: x\r\n\r\n",
    "the largest body in chunks": CHUNKED + b"3e8\r\n" + b"x" * MOST + b"\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_a_request_is_whole_with_its_last_byte_and_not_before(data: bytes) -> None:
    assert ArrivingRequest(MOST, data).is_whole()
    request = ArrivingRequest(MOST)
    for at in range(len(data)):
        assert not request.is_whole(), data[:at]
        request.add(data[at : at + 1])
    assert request.is_whole()
    assert request.received == data


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_the_next_request_behind_it_changes_nothing(data: bytes) -> None:
    assert ArrivingRequest(MOST, data + GET[:9]).is_whole()


@pytest.mark.parametrize(
    "data",
    [
        POST + b"Content-Length: 1001\r\n\r\n",
        CHUNKED + b"3e9\r\n" + b"x" * (MOST + 1),
        CHUNKED + b"1\r\nx\r\n" * (MOST + 1),
        CHUNKED + b"1;" + b"x" * 8190,
        CHUNKED + b"0\r\n" + b"x" * (HEAD_BYTES + 1),
        CHUNKED + b"1;%b\r\nx\r\n" % (b"x" * 8000) * 9,
        CHUNKED + b"no hex\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"f" * 5000 + b"\r\n",
        POST + b"Content-Length: many\r\n\r\n",
        POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    ],
)
def test_what_will_be_refused_is_not_waited_for(data: bytes) -> None:
    assert ArrivingRequest(MOST, data).is_whole()


def test_a_largest_body_without_its_last_line_is_waited_for() -> None:
    assert not ArrivingRequest(MOST, CHUNKED + b"3e8\r\n" + b"x" * MOST + b"\r").is_whole()


def test_a_header_without_end_is_too_long_some_time() -> None:
    request = ArrivingRequest(MOST, b"GET / HTTP/1.1\r\nX: ")
    assert not request.has_too_long_a_head
    request.add(b"x" * HEAD_BYTES)
    assert request.has_too_long_a_head
    assert not request.is_whole()


def test_who_waits_for_a_go_ahead_is_recognised() -> None:
    head = POST + b"Content-Length: 5\r\n"
    assert ArrivingRequest(MOST, head + b"expect: 100-Continue\r\n\r\n").awaits_go_ahead
    assert not ArrivingRequest(MOST, head + b"\r\nexpect: 100-Continue").awaits_go_ahead
