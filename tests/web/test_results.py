"""Results and definitions, read and searched over HTTP; and the CapabilityStatement held to all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from flask.testing import FlaskClient

from fhir_app.fhir.model import check_shape
from fhir_app.fhir.read_json import dump_json
from fhir_app.web.definitions_api import DEFINITION_TYPES
from fhir_app.web.results_api import RESULT_PARAMETERS

FHIR_JSON = {"Content-Type": "application/fhir+json"}
STRICT = {"Prefer": "handling=strict"}
MakeResponse = Callable[..., dict[str, Any]]


@pytest.fixture
def filled(client: FlaskClient, response: MakeResponse) -> FlaskClient:
    """Two patients, one response each."""
    for number in (1, 2):
        resource = response(
            subject={"reference": f"Patient/{number}"},
            encounter={"reference": f"Encounter/{number}"},
            identifier={"system": "urn:test", "value": str(number)},
        )
        assert (
            client.post("/fhir/QuestionnaireResponse", data=dump_json(resource), headers=FHIR_JSON).status_code == 201
        )
    return client


def matches(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"]


def resources(client: FlaskClient, path: str) -> list[dict[str, Any]]:
    """Every match, through all pages."""
    found: list[dict[str, Any]] = []
    address: str | None = path
    while address:
        reply = client.get(address, headers=STRICT)
        assert reply.status_code == 200, reply.text
        found += matches(reply.get_json())
        address = next((link["url"] for link in reply.get_json()["link"] if link["relation"] == "next"), None)
    return found


@pytest.mark.parametrize("resource_type", RESULT_PARAMETERS)
def test_every_type_that_is_made_can_be_found_read_and_read_by_version(filled: FlaskClient, resource_type: str) -> None:
    found = resources(filled, f"/fhir/{resource_type}")
    if resource_type == "Organization":  # none is configured here
        assert found == []
        return
    assert found
    for resource in found:
        assert check_shape(resource) == ()
        path = f"/fhir/{resource_type}/{resource['id']}"
        reply = filled.get(path)
        assert reply.get_json() == resource
        assert reply.headers["ETag"] == f'W/"{resource["meta"]["versionId"]}"'
        assert filled.get(f"{path}/_history/{resource['meta']['versionId']}").get_json() == resource
        assert filled.get(f"{path}/_history/99").status_code == 404
        assert filled.get(path, headers={"If-None-Match": reply.headers["ETag"]}).status_code == 304
        assert filled.get(path, headers={"If-None-Match": 'W/"99"'}).status_code == 200
        assert filled.get(path, headers={"If-Modified-Since": reply.headers["Last-Modified"]}).status_code == 304
        assert filled.get(path, headers={"If-Modified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"}).status_code == 200
        assert filled.head(path).status_code == 200


def values(resource: dict[str, Any], name: str) -> Iterator[str]:
    """A value by which `resource` must be found with the parameter `name`, read from the resource itself."""
    codeable = {"category": "category", "code": "code", "type": "type"}
    match name:
        case "_id":
            yield resource["id"]
        case "_lastUpdated":
            yield from (f"ge{resource['meta']['lastUpdated'][:10]}", f"le{resource['meta']['lastUpdated'][:4]}")
        case "patient":
            yield resource["subject"]["reference"]
            yield resource["subject"]["reference"].removeprefix("Patient/")
        case "subject":
            yield resource["subject"]["reference"]
        case "encounter":
            found = resource.get("encounter") or (resource.get("context", {}).get("encounter") or [None])[0]
            if found:
                yield found["reference"]
        case "identifier":
            for identifier in _list(resource.get("identifier")):
                yield from (f"{identifier['system']}|{identifier['value']}", identifier["value"])
        case "status":
            yield resource["status"]
        case "questionnaire":
            yield resource["questionnaire"]
        case "authored":
            yield resource["authored"][:10]
        case "date":
            moment = resource.get("effectiveDateTime") or resource["date"]
            yield from (f"ge{moment[:4]}", moment)
        case "recorded":
            yield resource["recorded"]
        case "derived-from":
            yield from (each["reference"] for each in resource.get("derivedFrom", ()) if "reference" in each)
        case "related":
            yield from (each["reference"] for each in resource.get("context", {}).get("related", ()))
        case "target":
            yield from (each["reference"] for each in resource["target"])
        case _ if name in codeable:
            for concept in _list(resource.get(codeable[name])):
                for coding in concept.get("coding", ()):
                    yield from (f"{coding['system']}|{coding['code']}", coding["code"], f"{coding['system']}|")
        case _:
            pytest.fail(f"This test does not know the parameter {name}.")


def _list(element: Any) -> list[Any]:
    return element if isinstance(element, list) else [] if element is None else [element]


@pytest.mark.parametrize(
    ("resource_type", "name"), [(kind, each.name) for kind, found in RESULT_PARAMETERS.items() for each in found]
)
def test_every_declared_parameter_finds_what_has_the_value_and_not_what_has_another(
    filled: FlaskClient, resource_type: str, name: str
) -> None:
    every = resources(filled, f"/fhir/{resource_type}")
    for resource in every:
        for value in values(resource, name):
            escaped = value.replace("\\", "\\\\").replace(",", "\\,")
            found = resources(filled, f"/fhir/{resource_type}?{name}={quote(escaped, safe='')}")
            assert resource["id"] in [each["id"] for each in found], (name, value)
    elsewhere = {"date": "1999", "_lastUpdated": "1999", "authored": "1999", "recorded": "1999"}.get(
        name, "Patient/none"
    )
    assert resources(filled, f"/fhir/{resource_type}?{name}={elsewhere}") == []


def test_the_other_patients_results_are_not_found(filled: FlaskClient) -> None:
    found = resources(filled, "/fhir/Observation?patient=Patient/1&_count=1")
    assert found
    assert {each["subject"]["reference"] for each in found} == {"Patient/1"}


def test_pages_hold_everything_once(filled: FlaskClient) -> None:
    every = [each["id"] for each in resources(filled, "/fhir/Observation")]
    paged = [each["id"] for each in resources(filled, "/fhir/Observation?_count=1")]
    assert paged == every
    assert len(set(paged)) == len(paged) > 1


def test_a_search_by_post_is_the_same_search(filled: FlaskClient) -> None:
    by_get = filled.get("/fhir/Observation?patient=1&status=final,preliminary").get_json()
    by_post = filled.post("/fhir/Observation/_search", data={"patient": "1", "status": "final,preliminary"}).get_json()
    assert by_post == by_get
    refused = filled.post("/fhir/Observation/_search", data=b"{}", headers=FHIR_JSON)
    assert refused.status_code == 415


def test_only_the_total_is_counted_when_asked(filled: FlaskClient) -> None:
    for query in ("_summary=count", "_count=0"):
        bundle = filled.get(f"/fhir/Observation?{query}").get_json()
        assert bundle["total"] > 0
        assert "entry" not in bundle


@pytest.mark.parametrize(
    "query",
    ["favourite=1", "subject:missing=true", "_sort=date", "_include=x", "_summary=text", "status=", "_has:x:y=z"],
)
def test_strict_handling_refuses_what_lenient_handling_would_ignore(filled: FlaskClient, query: str) -> None:
    reply = filled.get(f"/fhir/Observation?{query}", headers=STRICT)
    assert reply.status_code == 400
    assert reply.get_json()["issue"][0]["severity"] == "error"


@pytest.mark.parametrize("resource_type", DEFINITION_TYPES)
def test_every_published_definition_is_found_by_its_url_and_read(client: FlaskClient, resource_type: str) -> None:
    found = resources(client, f"/fhir/{resource_type}")
    assert found, f"no {resource_type} is published"
    for resource in found:
        assert check_shape(resource) == ()
        path = f"/fhir/{resource_type}/{resource['id']}"
        reply = client.get(path)
        assert reply.get_json() == resource
        assert client.get(path, headers={"If-None-Match": reply.headers["ETag"]}).status_code == 304
        address = quote(resource["url"], safe="")
        version = quote(resource["version"], safe="")
        assert resource in resources(client, f"/fhir/{resource_type}?url={address}&version={version}")
        assert resources(client, f"/fhir/{resource_type}?url={address}&version=0.0.0-none") == []
        assert resource in resources(client, f"/fhir/{resource_type}?_id={resource['id']}&status={resource['status']}")
        assert resource in resources(client, f"/fhir/{resource_type}?name={resource['name'][:3].lower()}")
        assert resource in resources(client, f"/fhir/{resource_type}?name:exact={resource['name']}")
        assert resource in resources(client, f"/fhir/{resource_type}?title:contains={quote(resource['title'][1:])}")


def test_the_capability_statement_is_true_in_every_line(filled: FlaskClient) -> None:
    """Each declared interaction and parameter is called; each type that is not declared is 404."""
    statement = filled.get("/fhir/metadata").get_json()
    assert check_shape(statement) == ()
    assert statement["fhirVersion"] == "4.0.1"
    [rest] = statement["rest"]
    for resource in rest["resource"]:
        base = f"/fhir/{resource['type']}"
        codes = {interaction["code"] for interaction in resource["interaction"]}
        assert "search-type" in codes
        assert "read" in codes
        allowed = filled.delete(base).headers["Allow"]
        assert ("POST" in allowed) == ("create" in codes)
        assert ("PUT" in filled.delete(f"{base}/x").headers["Allow"]) == ("update" in codes)
        assert (filled.get(f"{base}/x/_history/1").get_json()["issue"][0]["details"]["text"].startswith("No ")) == (
            "vread" in codes
        )
        for parameter in resource["searchParam"]:
            value = "2026" if parameter["type"] == "date" else "x"
            reply = filled.get(f"{base}?{parameter['name']}={value}", headers=STRICT)
            assert reply.status_code == 200, parameter
        for operation in resource.get("operation", ()):
            reply = filled.post(f"{base}/${operation['name']}", data=b"{", headers=FHIR_JSON)
            assert reply.status_code == 400, operation
            if operation["definition"].startswith("https://w3id.org/fhir-app/"):
                found = filled.get(f"/fhir/OperationDefinition?url={quote(operation['definition'], safe='')}")
                assert found.get_json()["total"] == 1
    declared = {resource["type"] for resource in rest["resource"]}
    assert declared == {*RESULT_PARAMETERS, *DEFINITION_TYPES}
    for other in {"Patient", "Bundle", "Subscription", "Binary"} - declared:
        assert filled.get(f"/fhir/{other}").status_code == 404


def test_no_route_is_missing_from_the_capability_statement(filled: FlaskClient) -> None:
    statement = filled.get("/fhir/metadata").get_json()
    declared = {resource["type"] for resource in statement["rest"][0]["resource"]}
    served = {
        str(rule).split("/")[2]
        for rule in filled.application.url_map.iter_rules()
        if str(rule).startswith("/fhir/") and str(rule) != "/fhir/metadata"
    }
    assert served == declared


def test_links_use_the_configured_address(filled: FlaskClient) -> None:
    filled.application.config["BASE_URL"] = "https://intake.example/app"
    bundle = filled.get("/fhir/Observation?_count=1").get_json()
    assert {urlsplit(link["url"]).netloc for link in bundle["link"]} == {"intake.example"}
    assert bundle["entry"][0]["fullUrl"].startswith("https://intake.example/app/fhir/Observation/")
