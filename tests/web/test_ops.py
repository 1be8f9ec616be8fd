"""For operators, and the OpenAPI document held to the routes."""

from __future__ import annotations

import jsonschema
from flask.testing import FlaskClient

from fhir_app.app import Parts


def test_a_live_and_ready_service_says_so(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json()["status"] == "ok"
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["status"]) == (200, "ready")
    assert set(ready.get_json()["checks"]) == {"knowledge", "database", "delivery"}


def test_a_service_whose_tables_are_gone_is_not_ready(client: FlaskClient, parts: Parts) -> None:
    with parts.database.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["checks"]["database"]) == (503, False)


def test_the_openapi_document_describes_every_route_that_is_not_fhir_and_no_other(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    served = {
        (str(rule), method.lower())
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods or ()
        if rule.endpoint.startswith("ops.") and method not in ("HEAD", "OPTIONS")
    }
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert described == served


def test_replies_are_what_the_openapi_document_promises(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    for path, methods in document["paths"].items():
        reply = client.get(path)
        content = methods["get"]["responses"][str(reply.status_code)]["content"]["application/json"]
        jsonschema.validate(reply.get_json(), {**content["schema"], "components": document["components"]})


def test_an_error_outside_of_fhir_is_plain_json(client: FlaskClient) -> None:
    reply = client.get("/nowhere")
    assert (reply.status_code, reply.content_type) == (404, "application/json")
    assert reply.get_json()["error"]
