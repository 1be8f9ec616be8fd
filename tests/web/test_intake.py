"""Create, notify, $validate and $assess over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_app.app import Parts
from fhir_app.fhir.read_json import dump_json
from tests.web.conftest import CAUDA_EQUINA

PATH = "/fhir/QuestionnaireResponse"
FHIR_JSON = {"Content-Type": "application/fhir+json"}
MakeResponse = Callable[..., dict[str, Any]]


def broken(resource: dict[str, Any]) -> dict[str, Any]:
    """Without its required age."""
    items = [item for item in resource["item"] if item["linkId"] != "about-you"]
    return {**resource, "item": items}


def test_an_accepted_response_is_201_with_its_location_and_can_be_read_there(
    client: FlaskClient, response: MakeResponse
) -> None:
    reply = client.post(PATH, data=dump_json(response()), headers=FHIR_JSON)
    assert reply.status_code == 201
    assert reply.content_type == "application/fhir+json; charset=utf-8"
    assert reply.headers["ETag"] == 'W/"1"'
    assert reply.headers["Last-Modified"]
    location = reply.headers["Location"]
    assert location.startswith("http://localhost/fhir/QuestionnaireResponse/")
    assert location.endswith("/_history/1")
    read = client.get(location)
    assert read.get_json() == reply.get_json()
    assert read.get_json()["item"] == json.loads(dump_json(response()))["item"]


@pytest.mark.parametrize(
    "subject",
    [
        {},
        {"subject": {"display": "A"}},
        {"subject": {"reference": "Group/1"}},
        {"subject": {"reference": "#Patient/1"}},
        {"subject": {"reference": "urn:uuid:Patient/1"}},
    ],
)
def test_a_response_without_a_patient_is_taken_with_a_warning_that_nothing_is_written(
    client: FlaskClient, response: MakeResponse, subject: dict[str, Any]
) -> None:
    resource = {name: value for name, value in response().items() if name != "subject"} | subject
    for path, status in ((f"{PATH}/$validate", 200), (PATH, 201)):
        reply = client.post(path, data=dump_json(resource), headers={**FHIR_JSON, "Prefer": "return=OperationOutcome"})
        assert reply.status_code == status
        (issue,) = reply.get_json()["issue"]
        assert (issue["severity"], issue["expression"]) == ("warning", ["QuestionnaireResponse.subject"])
    assert client.get("/fhir/Observation?_summary=count").get_json()["total"] == 0


def test_a_refused_response_with_a_red_flag_is_not_served_like_others_but_its_flag_is(
    client: FlaskClient, response: MakeResponse
) -> None:
    resource = broken(response(CAUDA_EQUINA))
    assert client.post(PATH, data=dump_json(resource), headers=FHIR_JSON).status_code == 422
    assert client.get(f"{PATH}?_summary=count").get_json()["total"] == 0
    found = client.get("/fhir/Observation").get_json()["entry"]
    assert {entry["resource"]["status"] for entry in found} == {"preliminary"}


def test_an_unfinished_response_with_a_red_flag_can_be_read_again(client: FlaskClient, response: MakeResponse) -> None:
    resource = response(CAUDA_EQUINA, status="in-progress")
    reply = client.post(PATH, data=dump_json(resource), headers=FHIR_JSON)
    assert reply.status_code == 201
    assert client.get(reply.headers["Location"]).get_json()["status"] == "in-progress"


def test_the_same_again_is_the_same_reply_and_makes_nothing_new(client: FlaskClient, response: MakeResponse) -> None:
    first = client.post(PATH, data=dump_json(response()), headers=FHIR_JSON)
    total = client.get("/fhir/Observation?_summary=count").get_json()["total"]
    again = client.post(PATH, data=dump_json(response()), headers=FHIR_JSON)
    assert again.status_code == 200
    assert (again.headers["Location"], again.get_json()) == (first.headers["Location"], first.get_json())
    assert client.get("/fhir/Observation?_summary=count").get_json()["total"] == total > 0


@pytest.mark.parametrize(
    ("prefer", "shape"),
    [
        ("return=minimal", None),
        ("return=representation", "QuestionnaireResponse"),
        ("return=OperationOutcome", "OperationOutcome"),
        ("return=operationoutcome; x=y", "OperationOutcome"),
        ("respond-async, return=minimal", None),
        ("return=everything", "QuestionnaireResponse"),
    ],
)
def test_prefer_chooses_the_body(client: FlaskClient, response: MakeResponse, prefer: str, shape: str | None) -> None:
    reply = client.post(PATH, data=dump_json(response()), headers={**FHIR_JSON, "Prefer": prefer})
    assert reply.status_code == 201
    assert reply.headers["Location"]
    assert (reply.get_json()["resourceType"] if reply.data else None) == shape


def test_every_issue_comes_at_once_as_422(client: FlaskClient, response: MakeResponse) -> None:
    resource = broken(response())
    resource["item"][0]["item"].append({"linkId": "nowhere", "answer": [{"valueString": "MARKER-9f"}]})
    reply = client.post(PATH, data=dump_json(resource), headers=FHIR_JSON)
    assert reply.status_code == 422
    outcome = reply.get_json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert len([issue for issue in outcome["issue"] if issue["severity"] == "error"]) >= 2
    assert all(issue.get("expression") for issue in outcome["issue"])
    assert "MARKER-9f" not in reply.text
    assert "Location" not in reply.headers


def test_a_rest_hook_is_answered_as_hapi_wants_it(client: FlaskClient, response: MakeResponse) -> None:
    resource = response(id="77", meta={"versionId": "1", "lastUpdated": "2026-11-24T10:00:00.000+00:00"})
    headers = {"Content-Type": "application/fhir+json; charset=UTF-8", "If-Match": 'W/"1"'}
    reply = client.put(f"{PATH}/77", data=dump_json(resource), headers=headers)
    assert reply.status_code == 200
    assert reply.content_type.startswith("application/fhir+json")
    assert reply.get_json()["resourceType"] == "OperationOutcome"
    again = client.put(f"{PATH}/77", data=dump_json(resource), headers=headers)
    assert (again.status_code, again.get_json()) == (200, reply.get_json())


def test_a_refused_rest_hook_is_refused_the_same_each_time(client: FlaskClient, response: MakeResponse) -> None:
    resource = broken(response(id="78", meta={"versionId": "1"}))
    replies = [client.put(f"{PATH}/78", data=dump_json(resource), headers=FHIR_JSON) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [422, 422, 422]
    assert replies[0].get_json() == replies[1].get_json() == replies[2].get_json()


def test_the_id_in_the_address_must_be_that_of_the_body(client: FlaskClient, response: MakeResponse) -> None:
    reply = client.put(f"{PATH}/79", data=dump_json(response(id="80")), headers=FHIR_JSON)
    assert reply.status_code in (400, 422)
    reply = client.put(f"{PATH}/a b", data=dump_json(response(id="a b")), headers=FHIR_JSON)
    assert reply.status_code == 400


@pytest.mark.parametrize("wrapped", [False, True])
def test_validate_answers_200_with_every_issue_and_keeps_nothing(
    client: FlaskClient, response: MakeResponse, wrapped: bool
) -> None:
    resource = broken(response())
    sent = (
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "mode", "valueCode": "create"}, {"name": "resource", "resource": resource}],
        }
        if wrapped
        else resource
    )
    reply = client.post(f"{PATH}/$validate", data=dump_json(sent), headers=FHIR_JSON)
    assert reply.status_code == 200
    assert [issue["severity"] for issue in reply.get_json()["issue"]].count("error") >= 1
    assert client.get(f"{PATH}?_summary=count").get_json()["total"] == 0


def test_validate_of_a_good_response_says_that_nothing_was_found(client: FlaskClient, response: MakeResponse) -> None:
    reply = client.post(f"{PATH}/$validate", data=dump_json(response()), headers=FHIR_JSON)
    assert reply.status_code == 200
    assert {issue["severity"] for issue in reply.get_json()["issue"]} <= {"information", "warning"}


def test_assess_gives_a_transaction_and_keeps_nothing(client: FlaskClient, response: MakeResponse) -> None:
    reply = client.post(f"{PATH}/$assess", data=dump_json(response()), headers=FHIR_JSON)
    assert reply.status_code == 200
    bundle = reply.get_json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
    types = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert {"Observation", "DocumentReference", "Provenance", "Device"} <= types
    assert client.get("/fhir/Observation?_summary=count").get_json()["total"] == 0


def test_parameters_without_a_resource_are_refused(client: FlaskClient) -> None:
    for sent in ({"resourceType": "Parameters"}, {"resourceType": "Parameters", "parameter": [{"name": "resource"}]}):
        assert client.post(f"{PATH}/$validate", data=dump_json(sent), headers=FHIR_JSON).status_code == 400


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {}, 415),
        (b"{}", {"Content-Type": "application/fhir+xml"}, 415),
        (b"{}", {"Content-Type": "application/fhir+json; charset=latin-1"}, 415),
        (b"{}", {"Content-Type": "application/fhir+json; fhirVersion=5.0"}, 415),
        (b"{}", {**FHIR_JSON, "Content-Encoding": "gzip"}, 415),
        (b"", FHIR_JSON, 400),
        (b"{", FHIR_JSON, 400),
        (b"[]", FHIR_JSON, 400),
        (b'{"a":1,"a":2}', FHIR_JSON, 400),
        (b'{"a":NaN}', FHIR_JSON, 400),
        (b"\xff", FHIR_JSON, 400),
        (b'{"a":' * 500 + b"1" + b"}" * 500, FHIR_JSON, 400),
        (b"{}", FHIR_JSON, 422),
        (b'{"resourceType":"Observation"}', FHIR_JSON, 422),
        (b" " * 1_100_000, FHIR_JSON, 413),
        (b"{}", {**FHIR_JSON, "Accept": "application/fhir+xml"}, 406),
        (b"{}", {**FHIR_JSON, "Accept": "application/fhir+json; fhirVersion=3.0"}, 406),
    ],
)
@pytest.mark.parametrize("operation", ["", "/$validate", "/$assess"])
def test_what_cannot_be_read_is_refused_with_an_operation_outcome(
    client: FlaskClient, operation: str, data: bytes, headers: dict[str, str], status: int
) -> None:
    reply = client.post(PATH + operation, data=data, headers=headers)
    assert reply.status_code == status
    assert reply.get_json()["resourceType"] == "OperationOutcome"
    assert reply.content_type.startswith("application/fhir+json")


@pytest.mark.parametrize(("more", "status"), [(0, 400), (1, 413), (100_000, 413)])
@pytest.mark.parametrize("chunked", [False, True])
def test_the_largest_body_is_taken_and_one_more_byte_is_not(
    client: FlaskClient, parts: Parts, chunked: bool, more: int, status: int
) -> None:
    size = parts.settings.max_body_bytes + more
    environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""} if chunked else {}
    stream = BytesIO(b" " * size)
    length = {} if chunked else {"content_length": size}
    reply = client.post(PATH, input_stream=stream, headers=FHIR_JSON, environ_overrides=environ, **length)
    assert reply.status_code == status


@pytest.mark.parametrize(
    "accept",
    [
        "application/fhir+json",
        "application/json",
        "*/*",
        "*",
        "",
        "text/html, image/gif, *; q=.2, */*; q=.2",
        "application/*;q=0.1",
        "text/html, */*;q=0.8",
        "application/fhir+xml;q=1.0, application/json+fhir;q=0.5",
        "application/fhir+json; fhirVersion=4.0",
    ],
)
def test_json_by_any_of_its_names_is_acceptable(client: FlaskClient, accept: str) -> None:
    reply = client.get("/fhir/metadata", headers={"Accept": accept})
    assert reply.status_code == 200
    wanted = "application/json" if accept == "application/json" else "application/fhir+json"
    assert reply.content_type == f"{wanted}; charset=utf-8"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("_format=json", 200),
        ("_format=application/fhir%2Bjson", 200),
        ("_format=application/fhir+json", 200),
        ("_format=xml", 406),
        ("_format=ttl", 406),
    ],
)
def test_format_overrides_accept(client: FlaskClient, query: str, status: int) -> None:
    assert client.get(f"/fhir/metadata?{query}", headers={"Accept": "text/html"}).status_code == status


def test_a_method_that_is_not_there_is_405_and_says_which_are(client: FlaskClient) -> None:
    reply = client.delete("/fhir/Observation/1")
    assert reply.status_code == 405
    assert "GET" in reply.headers["Allow"]
    assert reply.get_json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "path",
    ["/fhir", "/fhir/", "/fhir/Patient", "/fhir/Observation/$everything", "/fhir/../etc", "/fhir/Observation/1/2"],
)
def test_what_is_not_there_is_404(client: FlaskClient, path: str) -> None:
    reply = client.get(path)
    assert reply.status_code in (404, 400)
    assert reply.get_json()["resourceType"] == "OperationOutcome"
