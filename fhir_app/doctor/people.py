"""The patient and the organization of a run: invented, labelled as test data, and known by the run's identifier."""

from __future__ import annotations

from typing import Any

from fhir_app.doctor.clients import RunClient
from fhir_app.doctor.patience import Patience
from fhir_app.doctor.run import Run
from fhir_app.fhir.entries import search_for
from fhir_app.fhir.parties import narrative
from fhir_app.fhir.replies import Delivered, Found, Rejected

ORGANIZATION_NAME = "Made-up clinic (test data)"


def patient(run: Run) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "text": narrative("A made-up patient: test data"),
        "identifier": [{"system": run.identifier_system, "value": run.id}],
        "active": True,
        "name": [{"use": "usual", "family": "Test-Data", "given": ["Made-up"], "text": "Made-up Test-Data"}],
        "birthDate": "1990-01-01",
    }


def organization(run: Run) -> dict[str, Any]:
    """As the delivery will write it, which then finds it here."""
    return {
        "resourceType": "Organization",
        "text": narrative(ORGANIZATION_NAME),
        "identifier": [{"system": run.identifier_system, "value": run.id}],
        "active": True,
        "name": ORGANIZATION_NAME,
    }


def file(resource: dict[str, Any], client: RunClient, patience: Patience, run: Run) -> str | Rejected:
    """Creates the resource once, whatever gets lost on the way; returns the server's id, or why there is none.

    Looked up before each try: not every server heeds If-None-Exist.
    """
    kind = resource["resourceType"]
    parameter, value = search_for(resource, run.namespace)

    def once() -> Any:
        found = client.search(kind, {parameter: value})
        own = [each for each in found.resources if run.owns(each)] if isinstance(found, Found) else []
        if own:
            return Delivered(200, id=str(own[0]["id"]))
        if not isinstance(found, Found):
            return found
        return client.create(resource, if_none_exist=f"{parameter}={value}")

    outcome = patience.asked(once)
    if isinstance(outcome, Delivered):
        return outcome.id or Rejected("the server did not say under which id it stored it")
    return outcome if isinstance(outcome, Rejected) else Rejected(outcome.reason)
