"""FhirClient when things go wrong: on a real socket, each fault by itself."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.replies import (
    Delivered,
    Found,
    Outcome,
    Rejected,
    Reply,
    TryAgain,
    Unknown,
    judge_write,
    unless_misdirected,
)
from tests.contract.fake_fhir import MISDIRECTIONS, FakeFhir, Fault, running

OBSERVATION = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueString": "secret-answer"}
QUICK = (1.0, 0.3)
ODD_OUTCOMES = [
    b'{"resourceType":"OperationOutcome","issue":null}',
    b'{"resourceType":"OperationOutcome","issue":[{"severity":[],"code":{}}]}',
    b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":[],"expression":5}]}',
    b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","diagnostics":{},"location":[null,{}]}]}',
]


@pytest.fixture
def fake() -> Iterator[FakeFhir]:
    with running(FakeFhir()) as fake:
        yield fake


def write(fake: FakeFhir, **fault: Any) -> Outcome:
    fake.faults.append(Fault(**fault))
    return FhirClient(fake.url, timeout=QUICK).create(OBSERVATION)


def test_a_connection_lost_after_the_write_leaves_the_outcome_unknown_and_sends_nothing_again(fake: FakeFhir) -> None:
    outcome = write(fake, after_commit=True)

    assert isinstance(outcome, Unknown)
    assert len(fake.writes) == 1
    assert len(fake.resources) == 1


def test_a_connection_lost_before_the_write_is_just_as_unknown(fake: FakeFhir) -> None:
    assert isinstance(write(fake), Unknown)
    assert fake.resources == {}


def test_a_server_that_is_not_there_was_never_sent_anything() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]

    outcome = FhirClient(f"http://127.0.0.1:{port}/fhir").create(OBSERVATION)

    assert isinstance(outcome, TryAgain)
    assert outcome.reason.startswith("not reached")


def test_a_server_that_takes_the_request_and_says_nothing_leaves_the_outcome_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        outcome = FhirClient(f"http://127.0.0.1:{port}/fhir", timeout=QUICK).create(OBSERVATION)

    assert isinstance(outcome, Unknown)


def test_a_reply_that_breaks_off_leaves_the_outcome_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_half() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{")

        thread = threading.Thread(target=answer_half)
        thread.start()
        outcome = FhirClient(f"http://127.0.0.1:{server.getsockname()[1]}/fhir", timeout=QUICK).create(OBSERVATION)
        thread.join()

    assert isinstance(outcome, Unknown)


def test_success_with_a_body_that_is_no_json_is_unknown(fake: FakeFhir) -> None:
    assert isinstance(write(fake, status=200, body=b"<html>welcome</html>"), Unknown)


@pytest.mark.parametrize(
    "body",
    [
        b'{"ok":true}',
        b'{"resourceType":1}',
        b'{"resourceType":"Observation","id":7}',
        b'{"resourceType":"Observation","meta":[]}',
        b"[]",
        b"null",
    ],
)
def test_success_with_json_that_is_no_resource_is_unknown_unless_location_says_what_was_stored(
    fake: FakeFhir, body: bytes
) -> None:
    assert isinstance(write(fake, status=200, body=body), Unknown)
    outcome = write(fake, status=201, body=body, headers={"Location": "Observation/12/_history/3"})
    assert outcome == Delivered(201, None, "12", None)


def test_a_version_that_is_a_number_is_a_version_and_anything_else_is_none() -> None:
    numbered = {"resourceType": "Observation", "id": "12", "meta": {"versionId": 3}}
    assert judge_write(Reply(200, {}, numbered)) == Delivered(200, numbered, "12", "3")
    listed = {"resourceType": "Observation", "id": "12", "meta": {"versionId": []}}
    assert judge_write(Reply(200, {}, listed)) == Delivered(200, listed, "12", None)


@pytest.mark.parametrize("location", ["http://[", "http://[bad/fhir/Observation/1", "\xff\xfe"])
def test_a_redirect_to_what_is_no_address_is_an_outcome(fake: FakeFhir, location: str) -> None:
    assert isinstance(write(fake, status=301, headers={"Location": location}), Rejected | Unknown)


def test_success_with_an_empty_body_is_delivered(fake: FakeFhir) -> None:
    outcome = write(fake, status=201, body=b"", headers={"Location": "Observation/12/_history/3", "ETag": 'W/"3"'})

    assert outcome == Delivered(201, None, "12", "3")


@pytest.mark.parametrize(("status", "kind"), [(400, Rejected), (403, Rejected), (404, Rejected), (410, Rejected)])
def test_permanent_refusals_are_rejected(fake: FakeFhir, status: int, kind: type) -> None:
    assert isinstance(write(fake, status=status), kind)


@pytest.mark.parametrize("status", [413, 415, 422, 301, 307])
def test_a_request_that_is_wrong_in_itself_and_a_redirect_are_rejected(fake: FakeFhir, status: int) -> None:
    outcome = write(fake, status=status, headers={"Location": "https://elsewhere.example/"})

    assert isinstance(outcome, Rejected)
    assert outcome.status == status
    assert len(fake.seen) == 1


@pytest.mark.parametrize("refusal", MISDIRECTIONS)
def test_a_redirect_and_a_refusal_without_an_operation_outcome_are_about_the_way_there(
    fake: FakeFhir, refusal: Fault
) -> None:
    fake.faults.append(refusal)
    outcome = FhirClient(fake.url).create(OBSERVATION)

    assert isinstance(outcome, Rejected)
    assert outcome.misdirected
    words = f"{outcome.reason}, and not in the words of a FHIR server"
    assert unless_misdirected(outcome) == TryAgain(words, astray=True)


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault(status=status) for status in (400, 403, 404, 405, 410, 413, 422)),
        *(Fault(status=status, body=b"") for status in (410, 413, 415, 422)),
    ],
)
def test_a_refusal_in_an_operation_outcome_or_of_what_was_sent_is_about_what_was_sent(
    fake: FakeFhir, fault: Fault
) -> None:
    fake.faults.append(fault)
    outcome = FhirClient(fake.url).create(OBSERVATION)

    assert isinstance(outcome, Rejected)
    assert not outcome.misdirected
    assert unless_misdirected(outcome) is outcome


def test_a_refusal_of_our_own_is_not_about_the_way_there() -> None:
    assert not Rejected("a search has too many pages").misdirected


@pytest.mark.parametrize("kind", ["Bundle", "OperationOutcome"])
def test_the_id_of_a_bundle_or_an_outcome_is_of_nothing_that_was_stored(kind: str) -> None:
    reply = {"resourceType": kind, "id": "12"}
    assert judge_write(Reply(200, {}, reply)) == Delivered(200, reply, None, None)
    located = judge_write(Reply(201, {"Location": "Observation/7/_history/1"}, reply))
    assert located == Delivered(201, reply, "7", None)


@pytest.mark.parametrize("status", [401, 409, 412, 425, 429, 503])
def test_a_busy_server_and_other_writers_mean_try_again(fake: FakeFhir, status: int) -> None:
    assert isinstance(write(fake, status=status), TryAgain)


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_a_fault_that_does_not_say_what_was_done_is_unknown_for_a_write(fake: FakeFhir, status: int) -> None:
    assert isinstance(write(fake, status=status), Unknown)


@pytest.mark.parametrize("status", [401, 429, 500, 502, 503, 504])
def test_what_is_said_without_a_resource_may_have_been_said_by_somebody_else(fake: FakeFhir, status: int) -> None:
    assert write(fake, status=status, body=b"<html>gateway</html>").astray
    assert not write(fake, status=status).astray


def test_a_500_in_which_hapi_says_that_the_database_refused_means_try_again(fake: FakeFhir) -> None:
    assert isinstance(write(fake, status=500, text="HAPI-0389: HAPI-0550: constraint"), TryAgain)


@pytest.mark.parametrize("text", ["HAPI-0958: 2 matches", "HAPI-0539: does not match"])
def test_a_412_about_the_request_itself_is_rejected(fake: FakeFhir, text: str) -> None:
    assert isinstance(write(fake, status=412, text=text), Rejected)


def test_retry_after_in_seconds_is_passed_on(fake: FakeFhir) -> None:
    outcome = write(fake, status=503, headers={"Retry-After": "120"})

    assert outcome == TryAgain("503, processing", 120.0)


def test_retry_after_as_a_date_is_measured_against_the_servers_clock() -> None:
    headers = {"Date": "Tue, 01 Jan 2030 00:00:00 GMT", "Retry-After": "Tue, 01 Jan 2030 00:01:30 GMT"}

    assert judge_write(Reply(429, headers, None)) == TryAgain("429", 90.0, astray=True)


def test_retry_after_in_the_past_means_at_once() -> None:
    headers = {"Date": "Tue, 01 Jan 2030 00:00:00 GMT", "Retry-After": "Mon, 31 Dec 2029 00:00:00 GMT"}

    assert judge_write(Reply(503, headers, None)) == TryAgain("503", 0.0, astray=True)


@pytest.mark.parametrize("wish", ["²", "1²", "٣", "1" * 400, "Tue, 01 Jan 2030 00:00:00 +99999999", "Tue, 01 Jan 0000"])
def test_digits_that_are_none_and_dates_out_of_range_are_no_wish(wish: str) -> None:
    for headers in ({"Retry-After": wish}, {"Retry-After": wish, "Date": wish}):
        assert judge_write(Reply(503, headers, None)) == TryAgain("503", None, astray=True)


@pytest.mark.parametrize("wish", ["soon", "-5", "Tue, 99 Jan", "²", ""])
def test_a_retry_after_that_is_nonsense_is_no_wish(fake: FakeFhir, wish: str) -> None:
    assert write(fake, status=503, headers={"Retry-After": wish}) == TryAgain("503, processing", None)


def test_reasons_hold_codes_and_paths_but_never_the_servers_words(fake: FakeFhir) -> None:
    body = (
        b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"value",'
        b'"diagnostics":"HAPI-0450: secret-answer","expression":["Observation.value[0]"]},'
        b'{"severity":"error","code":"secret answer","expression":["Patient secret"]}]}'
    )

    outcome = write(fake, status=422, body=body)

    assert isinstance(outcome, Rejected)
    assert outcome.reason == "422, HAPI-0450, value at Observation.value[0], error"
    assert outcome.outcome is not None
    assert "secret-answer" in str(outcome.outcome)


@pytest.mark.parametrize(
    "body", [b"[1]", b'{"issue":1}', b'{"issue":[1]}', b'{"issue":[{"code":2}]}', b"\xff", b"", *ODD_OUTCOMES]
)
def test_an_error_with_any_body_at_all_is_still_an_outcome(fake: FakeFhir, body: bytes) -> None:
    outcome = write(fake, status=400, body=body)

    assert isinstance(outcome, Rejected)
    assert outcome.reason.startswith("400")


def test_the_token_goes_with_every_request_and_a_function_is_asked_each_time(fake: FakeFhir) -> None:
    tokens = iter(["first", "second"])
    client = FhirClient(fake.url, token=lambda: next(tokens))

    client.create(OBSERVATION)
    client.search("Observation", {"code": "y"})

    assert [seen.headers["Authorization"] for seen in fake.seen] == ["Bearer first", "Bearer second"]


def test_credentials_and_proxies_of_the_environment_are_not_used(
    fake: FakeFhir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert isinstance(FhirClient(fake.url).create(OBSERVATION), Delivered)


def test_reads_ask_for_fresh_results(fake: FakeFhir) -> None:
    FhirClient(fake.url).search("Observation", {"code": "y"})

    assert fake.seen[0].headers["Cache-Control"] == "no-cache"


def test_a_next_page_on_another_server_is_not_followed(fake: FakeFhir) -> None:
    page = b'{"resourceType":"Bundle","link":[{"relation":"next","url":"http://127.0.0.1:1/fhir?page=2"}]}'
    fake.read_faults.append(Fault(status=200, body=page))

    outcome = FhirClient(fake.url, token="t").search("Observation", {"code": "y"})

    assert outcome == Rejected("the next page of a search is on another server")


@pytest.mark.parametrize("following", ["http://[bad", "http://127.0.0.1:99999999/fhir", "nowhere", ""])
def test_a_next_page_at_what_is_no_address_is_not_followed(fake: FakeFhir, following: str) -> None:
    page = f'{{"resourceType":"Bundle","link":[{{"relation":"next","url":"{following}"}}]}}'.encode()
    fake.read_faults.append(Fault(status=200, body=page))

    assert isinstance(FhirClient(fake.url).search("Observation", {}), Rejected)


def test_a_search_that_never_ends_is_given_up(fake: FakeFhir) -> None:
    page = f'{{"resourceType":"Bundle","link":[{{"relation":"next","url":"{fake.url}/Observation"}}]}}'.encode()
    fake.read_faults += [Fault(status=200, body=page)] * 60

    assert isinstance(FhirClient(fake.url).search("Observation", {}), Rejected)


def test_what_a_search_includes_beside_its_matches_is_left_out(fake: FakeFhir) -> None:
    page = (
        b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"1"},"search":{"mode":"include"}}'
        b',{"resource":{"resourceType":"OperationOutcome"},"search":{"mode":"outcome"}}'
        b',{"resource":{"resourceType":"Observation","id":"2"}}]}'
    )
    fake.read_faults.append(Fault(status=200, body=page))

    outcome = FhirClient(fake.url).search("Observation", {})

    assert outcome == Found(({"resourceType": "Observation", "id": "2"},))


def test_identifiers_are_escaped_in_searches(fake: FakeFhir) -> None:
    FhirClient(fake.url).search("Observation", {"identifier": "https://a.example/b|x y&z=1"})

    assert fake.seen[0].path == "/fhir/Observation?identifier=https%3A%2F%2Fa.example%2Fb%7Cx%20y%26z%3D1"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(status=503),
        Fault(),
        Fault(status=200, body=b"no json"),
        Fault(status=200, body=b""),
        Fault(status=200, body=b'{"meta":1,"id":[]}'),
    ],
)
def test_a_read_that_fails_may_be_tried_again(fake: FakeFhir, fault: Fault) -> None:
    fake.read_faults.append(fault)

    assert isinstance(FhirClient(fake.url).read("Observation", "1"), TryAgain)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"resourceType":"Patient"}',
        b'{"resourceType":"Bundle","entry":[1],"link":2}',
        b'{"resourceType":"Bundle","entry":null}',
        b'{"resourceType":"Bundle","entry":[{"search":null,"resource":{"resourceType":"Observation","id":"1"}}]}',
        b'{"resourceType":"Bundle","entry":[{"search":[],"resource":{"resourceType":"Observation","id":"1"}}]}',
        b'{"resourceType":"Bundle","entry":[{"resource":[]}]}',
        b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation"}}]}',
        b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation","id":5}}]}',
        b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation","id":"1","meta":[]}}]}',
        b'{"resourceType":"Bundle","link":[{"relation":"next","url":7}]}',
    ],
)
def test_a_search_that_gives_something_else_than_a_bundle_may_be_tried_again(fake: FakeFhir, body: bytes) -> None:
    fake.read_faults.append(Fault(status=200, body=body))

    assert isinstance(FhirClient(fake.url).search("Observation", {}), TryAgain)


@pytest.mark.parametrize("version", ["5.0.0", "4.3.0", "3.0.2", ""])
def test_a_server_that_does_not_speak_r4_is_refused(version: str) -> None:
    with running(FakeFhir(fhir_version=version)) as fake:
        assert isinstance(FhirClient(fake.url).capability(), Rejected)


@pytest.mark.parametrize(
    "address",
    ["ftp://a.example/fhir", "https://", "https://user:pw@a.example/fhir", "https://a.example/fhir?x=1", "a.example"],
)
def test_an_address_that_is_no_fhir_base_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address of a FHIR server"):
        FhirClient(address)
