"""The real server with our definitions on it, and the whole service wired to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from fhir_app import __version__
from fhir_app.app import Parts, load_parts
from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.definitions import definitions
from fhir_app.fhir.destinations import SHAPES
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.parties import Author
from fhir_app.fhir.publish import Published, publish
from fhir_app.fhir.replies import Delivered, Found
from fhir_app.knowledge.library import Library, load_library, questionnaires_root
from fhir_app.review.source_attributes import library_attributes
from fhir_app.settings import Settings
from tests.hapi.fixture import hapi
from tests.hapi.server import HapiServer

__all__ = ["hapi"]

ORGANIZATION = {
    "resourceType": "Organization",
    "identifier": [{"system": "https://clinic.example.org/organizations", "value": "42"}],
    "name": "Example Clinic",
}


@pytest.fixture(scope="session")
def library() -> Library:
    return load_library(questionnaires_root())


class Ehr:
    """The server as another system of the hospital sees it."""

    def __init__(self, server: HapiServer) -> None:
        self.server = server
        self.url = server.url
        self.client = FhirClient(server.url)

    def search(self, resource_type: str, **parameters: str) -> list[Any]:
        outcome = self.client.search(resource_type, parameters)
        assert isinstance(outcome, Found), outcome
        return list(outcome.resources)

    def read(self, reference: str) -> Any:
        outcome = self.client.read(*reference.split("/"))
        assert isinstance(outcome, Delivered), outcome
        return outcome.resource

    def new_patient(self) -> str:
        """The id of a patient whom no other test knows."""
        patient = f"pat-{uuid4()}"
        outcome = self.client.update({"resourceType": "Patient", "id": patient, "active": True})
        assert isinstance(outcome, Delivered), outcome
        return patient

    def errors(self, resource: Any) -> list[str]:
        """What `$validate` of this server finds wrong with a resource."""
        outcome = self.client.validate(resource)
        assert isinstance(outcome, Delivered), outcome
        assert outcome.resource is not None
        return [issue["diagnostics"] for issue in outcome.resource["issue"] if issue["severity"] in {"error", "fatal"}]

    def publish(self, library: Library) -> list[Published]:
        """As `fhir-app publish` does: what has a version must say the same, whoever publishes it."""
        attributes = library_attributes(library, questionnaires_root())
        everything = definitions(library, Namespace(), Author(ORGANIZATION, __version__), attributes=attributes)
        return list(publish(self.client, everything, shape=SHAPES["hapi"], namespace=Namespace()))


@pytest.fixture(scope="session")
def ehr(hapi: HapiServer, library: Library) -> Ehr:
    """With our definitions published: HAPI remembers for minutes what it did not find."""
    ehr = Ehr(hapi)
    results = ehr.publish(library)
    assert all(each.is_there for each in results), [each for each in results if not each.is_there]
    return ehr


@pytest.fixture
def parts(ehr: Ehr, tmp_path: Path) -> Iterator[Parts]:
    """The service, wired as `serve` wires it."""
    parts = load_parts(
        Settings(
            database_url=f"sqlite:///{tmp_path / 'store.db'}",
            fhir_server_url=ehr.url,
            organization_name="Example Clinic",
            organization_identifier="https://clinic.example.org/organizations|42",
        )
    )
    yield parts
    parts.database.close()


class Form:
    """Fills in the tingling-legs questionnaire."""

    def __init__(self, library: Library) -> None:
        (self.intake,) = [intake for intake in library.intakes if intake.name == "tingling-legs"]

    def filled_in(self, patient: str, *, status: str = "completed", language: str | None = None, **answers: Any) -> Any:
        """No red flag and no symptom, unless `answers` say so (underscores stand for hyphens)."""
        given: dict[str, Any] = {"pt-age": 30}
        for item in self.intake.questionnaire.by_link_id.values():
            nothing = [option for option in item.options if option.exclusive]
            if item.required and nothing:
                given[item.link_id] = [nothing[0].value.code]  # type: ignore[union-attr]
        given |= {name.replace("_", "-"): value for name, value in answers.items()}
        return build_questionnaire_response(
            self.intake.questionnaire,
            given,
            status=status,
            authored="2026-11-24T10:00:00+01:00",
            subject={"reference": f"Patient/{patient}"},
            language=language,
        )


@pytest.fixture
def form(library: Library) -> Form:
    return Form(library)


def as_body(resource: Any) -> bytes:
    return json.dumps(resource, default=str).encode()
