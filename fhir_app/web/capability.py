"""The CapabilityStatement, made from the same tables that the routes obey, so that it cannot promise more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fhir_app import __version__
from fhir_app.web.search_parameters import SearchParameter

RELEASED = "2026-11-24"


def capability_statement(
    *,
    base: str,
    results: Mapping[str, Sequence[SearchParameter]],
    definitions: Mapping[str, Sequence[SearchParameter]],
    assess_operation: str,
    secured: bool,
    cors: bool,
) -> dict[str, Any]:
    """https://hl7.org/fhir/R4/capabilitystatement.html for `[base]`: what is held here, and the doors of the intake."""
    resources = {
        **{name: _resource(name, ("read", "vread", "search-type"), found) for name, found in results.items()},
        **{name: _resource(name, ("read", "search-type"), found) for name, found in definitions.items()},
    }
    _open_the_intake(resources["QuestionnaireResponse"], assess_operation)
    rest: dict[str, Any] = {"mode": "server", "resource": [resources[name] for name in sorted(resources)]}
    if secured or cors:
        rest["security"] = {"cors": cors}
        if secured:
            rest["security"]["description"] = "A bearer token in the Authorization header, given out by the operator."
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": RELEASED,
        "kind": "instance",
        "software": {"name": "fhir-app", "version": __version__},
        "implementation": {"description": "FHIR questionnaire intake", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [rest],
    }


def _resource(name: str, interactions: Sequence[str], parameters: Sequence[SearchParameter]) -> dict[str, Any]:
    return {
        "type": name,
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned" if "vread" in interactions else "no-version",
        "readHistory": "vread" in interactions,
        "conditionalRead": "full-support" if "vread" in interactions else "not-match",
        "searchParam": [
            {"name": each.name, "type": each.type, **({"documentation": _modifiers(each)} if each.modifiers else {})}
            for each in parameters
        ],
    }


def _modifiers(parameter: SearchParameter) -> str:
    return "Modifiers: " + ", ".join(f":{modifier}" for modifier in parameter.modifiers)


def _open_the_intake(resource: dict[str, Any], assess_operation: str) -> None:
    resource["interaction"] = [{"code": "create"}, *resource["interaction"], {"code": "update"}]
    resource["updateCreate"] = True
    resource["documentation"] = (
        "A create is checked against the exact Questionnaire version that it names, assessed and stored; the same "
        "response again gives the same result. An update is a notification from the FHIR server that holds the "
        "response (R4 rest-hook): If-Match is ignored. Both answer 422 with every issue when the response is not valid."
    )
    resource["operation"] = [
        {
            "name": "validate",
            "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate",
        },
        {"name": "assess", "definition": assess_operation},
    ]
