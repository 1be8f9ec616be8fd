"""For operators: is it alive, is it ready, what else is there besides FHIR."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint, Response, jsonify
from marshmallow import Schema, fields

from fhir_app import __version__

Check = Callable[[], bool]


class Health(Schema):
    """The process answers."""

    status = fields.String(required=True, metadata={"enum": ["ok"]})
    version = fields.String(required=True)


class Readiness(Schema):
    """Whether every part that a request needs is there; `checks` names each."""

    status = fields.String(required=True, metadata={"enum": ["ready", "not-ready"]})
    checks = fields.Dict(keys=fields.String(), values=fields.Boolean(), required=True)


class Problem(Schema):
    """An error outside of /fhir."""

    error = fields.String(required=True)


def ops(checks: Mapping[str, Check]) -> Blueprint:
    """`checks`: what `/readyz` asks, by name. A check that cannot be made answers False itself."""
    blueprint = Blueprint("ops", __name__)
    openapi = openapi_document()

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return jsonify(Health().dump({"status": "ok", "version": __version__}))

    @blueprint.get("/readyz")
    def readyz() -> tuple[Response, int]:
        found = {name: check() for name, check in checks.items()}
        ready = all(found.values())
        body = {"status": "ready" if ready else "not-ready", "checks": found}
        return jsonify(Readiness().dump(body)), 200 if ready else 503

    @blueprint.get("/openapi.json", endpoint="openapi")
    def describe() -> Response:
        return jsonify(openapi)

    return blueprint


def openapi_document() -> dict[str, object]:
    """OpenAPI 3.1 of everything that is not FHIR; FHIR's own description is `/fhir/metadata`."""
    spec = APISpec(
        title="fhir-app",
        version=__version__,
        openapi_version="3.1.0",
        info={"description": "What is not FHIR. The FHIR API describes itself at `/fhir/metadata`."},
        plugins=[MarshmallowPlugin()],
    )

    def get(path: str, operation_id: str, summary: str, replies: dict[str, tuple[str, object]]) -> None:
        content = {
            status: {"description": words, "content": {"application/json": {"schema": schema}}}
            for status, (words, schema) in replies.items()
        }
        spec.path(path, operations={"get": {"operationId": operation_id, "summary": summary, "responses": content}})

    refused = ("Refused: another machine, and no authentication configured.", Problem)
    get("/healthz", "healthz", "The process is alive", {"200": ("Alive.", Health), "403": refused})
    get(
        "/readyz",
        "readyz",
        "Everything that a request needs is there",
        {"200": ("Ready.", Readiness), "403": refused, "503": ("Not ready.", Readiness)},
    )
    get("/openapi.json", "openapi", "This document", {"200": ("OpenAPI 3.1.", {"type": "object"}), "403": refused})
    document: dict[str, object] = spec.to_dict()
    return document
