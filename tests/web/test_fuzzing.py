"""Whatever is sent through whichever door: never a 500, and never a patient's answer in an error or a log line."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import structlog
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_app.app import create_app, load_parts
from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.fhir.read_json import dump_json
from fhir_app.knowledge.library import Library
from fhir_app.scrubbed_log import configure_log
from fhir_app.settings import Settings

MARKER = "MARKER9f"
PATH = "/fhir/QuestionnaireResponse"
FHIR_JSON = {"Content-Type": "application/fhir+json"}
ANSWERS: dict[str, object] = {
    "pt-age": 44,
    "rf-general": "none",
    "rf-body": "none",
    "rf-legs": "none",
    "rf-nerve": ["weak-both", "pee"],
    "rf-pee-kind": ["strain"],
    "sx-location": ["calf"],
    "note": f"I am {MARKER}",
}

# Names of properties are told in issues, so the marker must not be one; hypothesis takes constants from this file.
names = st.text(max_size=8).filter(lambda name: MARKER not in name)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from([MARKER, "", "x" * 300]),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(names, children, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def one_client(tmp_path_factory: pytest.TempPathFactory, library: Library) -> Iterator[FlaskClient]:
    folder: Path = tmp_path_factory.mktemp("fuzz")
    parts = load_parts(Settings(database_url=f"sqlite:///{folder}/fuzz.db"), library)
    yield create_app(parts).test_client()
    parts.database.close()


@pytest.fixture(scope="module")
def good(library: Library) -> dict[str, Any]:
    return build_questionnaire_response(
        library.intakes[0].questionnaire,
        ANSWERS,
        authored="2026-11-24T10:00:00Z",
        subject={"reference": f"Patient/{MARKER}", "display": MARKER},
        identifier={"system": "urn:test", "value": MARKER},
    )


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


@st.composite
def mutated(draw: st.DrawFn, resource: dict[str, Any]) -> dict[str, Any]:
    """One to three changes anywhere: another value, nothing, twice, or a stranger beside it."""
    changed = copy.deepcopy(resource)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([path for path in places(changed) if path]))
        parent = changed
        for key in path[:-1]:
            parent = parent[key]
        match draw(st.sampled_from(["replace", "delete", "double", "beside"])):
            case "replace":
                parent[path[-1]] = draw(json_values)
            case "delete":
                del parent[path[-1]]
            case "double" if isinstance(parent, list):
                parent.append(copy.deepcopy(parent[path[-1]]))
            case "beside" if isinstance(parent, dict):
                parent[draw(names | st.sampled_from(["valueString", "item", "_text"]))] = draw(json_values)
        if not changed:
            break
    return changed


def check(reply: Any) -> None:
    assert reply.status_code < 500, reply.text
    if reply.status_code >= 400:
        assert reply.get_json()["resourceType"] == "OperationOutcome"
        assert MARKER not in reply.text


@pytest.mark.parametrize("door", [PATH, f"{PATH}/$validate", f"{PATH}/$assess", f"{PATH}/12"])
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_mutated_response_breaks_a_door(
    one_client: FlaskClient, good: dict[str, Any], door: str, data: st.DataObject
) -> None:
    resource = data.draw(mutated(good))
    call: Callable[..., Any] = one_client.put if door.endswith("/12") else one_client.post
    reply = call(door, data=json.dumps(resource).encode(), headers=FHIR_JSON)
    check(reply)
    if door.endswith("$validate"):
        assert MARKER not in reply.text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_no_body_at_all_breaks_a_door(one_client: FlaskClient, body: bytes) -> None:
    for door in (PATH, f"{PATH}/$validate"):
        check(one_client.post(door, data=body, headers=FHIR_JSON))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    resource_type=st.sampled_from(
        ["Observation", "QuestionnaireResponse", "DocumentReference", "Questionnaire", "Device"]
    ),
    arguments=st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "_id",
                    "patient",
                    "subject",
                    "date",
                    "code",
                    "identifier",
                    "status",
                    "_lastUpdated",
                    "_count",
                    "_page",
                    "url",
                    "name:exact",
                    "_format",
                    "_summary",
                    "authored",
                    "target",
                ]
            )
            | st.text(max_size=6),
            st.text(max_size=12)
            | st.sampled_from(
                [
                    MARKER,
                    "|",
                    "a|b|c",
                    "\\,",
                    "ge2026-02-30",
                    "2026-11-24T24:61Z",
                    "0000",
                    "ap9999",
                    "Patient/",
                    "9" * 30,
                ]
            ),
        ),
        max_size=4,
    ),
    strict=st.booleans(),
)
def test_no_search_breaks(
    one_client: FlaskClient, resource_type: str, arguments: list[tuple[str, str]], strict: bool
) -> None:
    headers = {"Prefer": "handling=strict"} if strict else {}
    check(one_client.get(f"/fhir/{resource_type}", query_string=arguments, headers=headers))
    check(one_client.post(f"/fhir/{resource_type}/_search", data=dict(arguments), headers=headers))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.lists(
        st.text(max_size=8) | st.sampled_from(["fhir", "Observation", "_history", "1", "..", "$assess", "%00"]),
        max_size=5,
    ),
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    headers=st.dictionaries(
        st.sampled_from(
            ["Accept", "Prefer", "Content-Type", "If-None-Match", "If-Modified-Since", "Authorization", "Origin"]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
        max_size=3,
    ),
)
def test_no_address_method_or_header_breaks(
    one_client: FlaskClient, path: list[str], method: str, headers: dict[str, str]
) -> None:
    reply = one_client.open("/fhir/" + "/".join(path), method=method, headers=headers)
    assert reply.status_code < 500


def test_no_patient_data_reaches_the_log(
    one_client: FlaskClient, good: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_log("DEBUG")
    try:
        one_client.post(PATH, data=dump_json(good), headers=FHIR_JSON)
        one_client.post(PATH, data=dump_json({**good, "stranger": MARKER, "status": MARKER}), headers=FHIR_JSON)
        one_client.put(f"{PATH}/{MARKER}", data=dump_json(good), headers=FHIR_JSON)
        one_client.get(f"/fhir/Observation?patient={MARKER}&{MARKER}=1")
        one_client.get(f"/fhir/Observation/{MARKER}", headers={"X-Request-Id": MARKER, "User-Agent": MARKER})
        one_client.get(f"/{MARKER}", headers={"Referer": f"http://x/{MARKER}"})
    finally:
        structlog.reset_defaults()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len([line for line in lines if line["event"] == "request"]) == 6
    assert MARKER not in json.dumps(lines)


def test_a_surprise_is_a_500_with_an_id_that_the_log_has_and_nothing_more(
    tmp_path: Path, library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = load_parts(Settings(database_url=f"sqlite:///{tmp_path}/x.db"), library)
    app = create_app(parts)

    @app.get("/fhir/surprise")
    def surprise() -> str:
        raise RuntimeError(f"cannot stand {MARKER}")

    configure_log("INFO")
    try:
        reply = app.test_client().get("/fhir/surprise")
    finally:
        structlog.reset_defaults()
        parts.database.close()
    log = capsys.readouterr().err
    assert reply.status_code == 500
    error_id = next(json.loads(line)["error_id"] for line in log.splitlines() if "error_id" in line)
    assert error_id in reply.text
    assert "surprise" in log
    for text in (reply.text, log):
        assert MARKER not in text
        assert "Traceback" not in text


@pytest.mark.filterwarnings("ignore")
def test_what_openapi_describes_behaves_as_described(one_client: FlaskClient) -> None:
    def on_this_machine(environ: dict[str, Any], start_response: Any) -> Any:
        return one_client.application.wsgi_app({**environ, "REMOTE_ADDR": "127.0.0.1"}, start_response)

    schema = schemathesis.openapi.from_wsgi("/openapi.json", on_this_machine)

    for operation in schema.get_all_operations():

        @given(case=operation.ok().as_strategy())
        @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
        def described(case: schemathesis.Case) -> None:
            case.call_and_validate()

        described()
